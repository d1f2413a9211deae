import Foundation
import Glibc
import LUXTestSupport
import Testing

/// Certificates that change while the server runs, without a signal.
@Suite struct CertificateReloadTests {
    private func serial(_ server: TestServer) throws -> String? {
        try HTTPClient(port: server.port, offer: TLSClient.Offer()).tls?.certificateSerial
    }

    private func waits(_ server: TestServer, for number: String) throws -> Bool {
        let deadline = Date(timeIntervalSinceNow: 20)
        while Date() < deadline {
            if try serial(server) == number { return true }
            usleep(100_000)
        }
        return false
    }

    private func lines(_ text: String, _ server: TestServer) -> Int {
        server.process.outputLines.filter { $0.contains(text) }.count
    }

    @Test func `reloads a pair that has changed, and tries again until both fit`() async throws {
        try await onThread {
            let certificate = try TestCertificate(serial: 31)
            let server = try TestServer(World.sharedDatabase, environment: certificate.environment)
            #expect(try serial(server) == "31")
            try certificate.replace(with: TestCertificate(serial: 32))
            #expect(try waits(server, for: "32"))
            // The certificate alone: reported once, and the old pair stays.
            let next = try TestCertificate(serial: 33)
            try certificate.replace(with: next, key: false)
            let kept = "certificate and key stay as they were"
            #expect(
                server.process.waitForOutput(seconds: 20) { $0.contains { $0.contains(kept) } ? true : nil } == true)
            #expect(try serial(server) == "32")
            try certificate.replace(with: next)
            #expect(try waits(server, for: "33"))
            #expect(lines(kept, server) == 1)
            // Mode alone: a key that others may read is rejected, and accepted again after chmod.
            chmod(certificate.key, 0o644)
            let isRejected = server.process.waitForOutput(seconds: 20) { lines in
                lines.filter { $0.contains(kept) }.count == 2 ? true : nil
            }
            #expect(isRejected == true)
            let read = lines("certificate and key were read", server)
            chmod(certificate.key, 0o600)
            let isRead = server.process.waitForOutput(seconds: 20) { lines in
                lines.filter { $0.contains("certificate and key were read") }.count > read ? true : nil
            }
            #expect(isRead == true)
            server.stop()
        }
    }

    @Test func `follows the ..data link of a Kubernetes volume`() async throws {
        try await onThread {
            let volume = try makeTemporaryFolder()
            func version(_ name: String, serial: Int) throws {
                let certificate = try TestCertificate(serial: serial)
                try FileManager.default.moveItem(atPath: certificate.folder, toPath: "\(volume)/\(name)")
                symlink(name, volume + "/..data_tmp")
                #expect(rename(volume + "/..data_tmp", volume + "/..data") == 0)
            }
            try version("..1", serial: 41)
            for name in ["cert.pem", "key.pem"] { symlink("..data/" + name, "\(volume)/\(name)") }
            let server = try TestServer(
                World.sharedDatabase,
                environment: ["LUX_TLS_CERT": volume + "/cert.pem", "LUX_TLS_KEY": volume + "/key.pem"])
            #expect(try serial(server) == "41")
            try version("..2", serial: 42)
            #expect(try waits(server, for: "42"))
            server.stop()
        }
    }
}
