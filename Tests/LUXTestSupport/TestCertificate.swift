import Foundation
import Glibc

/// A self-signed certificate for 127.0.0.1 with its key, in a temporary folder of its own.
package struct TestCertificate: Sendable {
    package let folder: String
    package var certificate: String { folder + "/cert.pem" }
    package var key: String { folder + "/key.pem" }

    /// The variables by which a server uses it.
    package var environment: [String: String] { ["LUX_TLS_CERT": certificate, "LUX_TLS_KEY": key] }

    /// Creates one.
    ///
    /// - Parameters:
    ///   - days: for which it is valid.
    ///   - algorithm: the arguments of `openssl req` that choose the key.
    package init(
        serial: Int = 1, days: Int = 30,
        algorithm: [String] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    ) throws {
        folder = try makeTemporaryFolder()
        let command = try ChildProcess(
            "/usr/bin/openssl",
            ["req", "-x509", "-nodes", "-days", String(days), "-subj", "/CN=127.0.0.1", "-set_serial", String(serial)]
                + algorithm
                + [
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder + "/key.pem", "-out",
                    folder + "/cert.pem",
                ])
        guard command.wait(seconds: 60) == .exit(0) else {
            throw TestServer.StartFailure(description: "openssl req: \(command.errors)")
        }
        chmod(key, 0o600)
    }

    /// Puts another one's files in the place of this one's.
    package func replace(with other: TestCertificate, key: Bool = true) throws {
        for name in key ? ["cert.pem", "key.pem"] : ["cert.pem"] {
            let path = folder + "/" + name
            try? FileManager.default.removeItem(atPath: path)
            try FileManager.default.copyItem(atPath: other.folder + "/" + name, toPath: path)
        }
        chmod(self.key, 0o600)
    }
}
