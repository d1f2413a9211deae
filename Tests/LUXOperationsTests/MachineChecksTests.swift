import Foundation
import LUXOperations
import LUXTestSupport
import Testing

/// What `lux-server doctor` reports of the machine.
@Suite struct MachineChecksTests {
    @Test(arguments: [
        ("3.0.17", true), ("3.0.19", false), ("3.5.1", true), ("1.1.1w", false), ("4.0.0", true),
    ]) func `knows the OpenSSL versions that must not be used`(version: String, isGood: Bool) {
        let finding = MachineChecks.finding(openSSL: version)
        #expect(finding.detail == version && (finding.advice == nil) == isGood, "\(finding)")
    }

    @Test func `descriptors must suffice for all connections`() {
        #expect(MachineChecks.finding(descriptorsForConnections: 100, wanted: 100).advice == nil)
        let advice = MachineChecks.finding(descriptorsForConnections: 99, wanted: 100).advice
        #expect(advice?.hasPrefix("raise LimitNOFILE") == true)
    }

    @Test func `the data of the time zone must be installed`() throws {
        let folder = try makeTemporaryFolder()
        #expect(MachineChecks.finding(zone: "Asia/Seoul", data: folder).advice == "install the package tzdata")
        try FileManager.default.createDirectory(atPath: folder + "/Asia", withIntermediateDirectories: true)
        try "TZif".write(toFile: folder + "/Asia/Seoul", atomically: true, encoding: .utf8)
        #expect(MachineChecks.finding(zone: "Asia/Seoul", data: folder).advice == "install the package tzdata")
        try FileManager.default.removeItem(atPath: folder + "/Asia/Seoul")
        try FileManager.default.copyItem(
            atPath: "/usr/share/zoneinfo/Asia/Seoul", toPath: folder + "/Asia/Seoul")
        #expect(
            MachineChecks.finding(zone: "Asia/Seoul", data: folder).description == "ok     time zone data: Asia/Seoul")
        try "# version 2025b\n".write(toFile: folder + "/tzdata.zi", atomically: true, encoding: .utf8)
        #expect(MachineChecks.finding(zone: "Asia/Seoul", data: folder).detail == "Asia/Seoul, version 2025b")
    }

    @Test func `a clock before the program's release is an error, one without synchronization is not`() {
        #expect(MachineChecks.finding(clock: Date(), isSynchronized: false).advice == nil)
        let early = MachineChecks.finding(clock: Date(timeIntervalSince1970: 1_700_000_000), isSynchronized: true)
        #expect(early.advice?.hasPrefix("set the clock") == true && early.detail.contains("2023-11-14"))
    }
}
