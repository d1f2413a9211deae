import LUX
import Testing

@testable import LUXNotify

/// The worked examples of the providers' signatures.
@Suite struct SignatureTests {
    @Test(arguments: [
        (
            "testSecret", "2025-09-14T12:34:56Z", "Abc123XYZ789abcdEFGHijklMNOPqr",
            "69607016f2059c0bcb97954551ec3a03323ada290e6c98ed1d15b0f34d51b1a1"
        ),
        (
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", "2025-01-02T03:04:05.678Z", "0123456789abcdef0123456789abcdef",
            "65ac1a463f664806a1972ee815094c0c8db677ba9d2a073cc2d2a8bc9772dc09"
        ),
    ]) func `solapi signs date and salt`(_ secret: String, _ date: String, _ salt: String, _ signature: String) {
        #expect(SolapiProvider.signature(date: date, salt: salt, secret: secret) == signature)
    }

    @Test(arguments: [
        (
            "POST", "/alimtalk/v2/services/ncp:kkobizmsg:kr:1234567:myproject/messages", "1735787045678",
            "LcRPhIhY6VPfawuA4vHV9sIbWfJOA46gBO16f5p2LLU="
        ),
        (
            "POST", "/alimtalk/v2/services/ncp%3Akkobizmsg%3Akr%3A1234567%3Amyproject/messages", "1735787045678",
            "nuaijCPEh9pT4fOAUG73I98uV58Qb0geDomIpxQ0SQE="
        ),
        (
            "GET", "/vserver/v2/getServerInstanceList?responseFormatType=json", "1234567890123",
            "FPsYYX8fuMAgi+cue3eACOW0dNtIwu1LYWfg/megA2M="
        ),
    ]) func `sens signs method, target, time and key`(
        _ method: String, _ target: String, _ timestamp: String, _ signature: String
    ) {
        #expect(
            SENSProvider.signature(
                method: method, target: target, timestamp: timestamp, accessKey: "TestAccessKey",
                secretKey: "TestSecretKey") == signature)
    }
}
