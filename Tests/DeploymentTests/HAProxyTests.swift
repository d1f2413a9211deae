import Foundation
import LUXTestSupport
import Testing

/// deploy/haproxy.cfg; `Scripts/drill-rolling` runs it under load.
@Suite(.requires("haproxy")) struct HAProxyTests {
    @Test func `HAProxy accepts the file`() throws {
        let folder = try makeTemporaryFolder()
        let certificate = try TestCertificate()
        let pem = try [certificate.certificate, certificate.key].map { try String(contentsOfFile: $0, encoding: .utf8) }
        try pem.joined().write(toFile: folder + "/lux.pem", atomically: true, encoding: .utf8)
        let text = try DeploymentFile.text("deploy/haproxy.cfg")
        #expect(
            text.contains("crt /etc/haproxy/lux.pem") && text.contains("GET /readyz") && text.contains("send-proxy-v2"))
        try text.replacing("/etc/haproxy/lux.pem", with: folder + "/lux.pem")
            .write(toFile: folder + "/haproxy.cfg", atomically: true, encoding: .utf8)
        let check = try Tool("haproxy", ["-c", "-f", folder + "/haproxy.cfg"])
        #expect(check.isDone, "\(check.everything)")
    }
}
