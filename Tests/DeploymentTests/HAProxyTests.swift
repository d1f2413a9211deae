import Foundation
import Glibc
import LUXTestSupport
import Testing

/// deploy/haproxy.cfg; `Scripts/drill-rolling` runs it under load.
@Suite(.requires("haproxy")) struct HAProxyTests {
    /// The file with other paths and addresses.
    private func configuration(_ changes: [(String, String)] = []) throws -> String {
        let folder = try makeTemporaryFolder()
        let certificate = try TestCertificate()
        let pem = try [certificate.certificate, certificate.key].map { try String(contentsOfFile: $0, encoding: .utf8) }
        try pem.joined().write(toFile: folder + "/lux.pem", atomically: true, encoding: .utf8)
        var text = try DeploymentFile.text("deploy/haproxy.cfg")
        for (part, other) in [("/etc/haproxy/lux.pem", folder + "/lux.pem")] + changes {
            #expect(text.contains(part), "\(part)")
            text = text.replacing(part, with: other)
        }
        try text.write(toFile: folder + "/haproxy.cfg", atomically: true, encoding: .utf8)
        return folder + "/haproxy.cfg"
    }

    /// The first number of a line that begins with a text.
    private func number(_ name: String) throws -> Int {
        let lines = try DeploymentFile.text("deploy/haproxy.cfg").split(separator: "\n")
        let line = try #require(lines.first { $0.trimmingCharacters(in: .whitespaces).hasPrefix(name) }, "\(name)")
        return try #require(Int(line.drop { !$0.isNumber }.prefix { $0.isNumber }), "\(line)")
    }

    @Test func `HAProxy accepts the file`() throws {
        let check = try Tool("haproxy", ["-c", "-f", try configuration()])
        #expect(check.isDone && !check.everything.contains("[WARNING]"), "\(check.everything)")
        let text = try DeploymentFile.text("deploy/haproxy.cfg")
        #expect(text.contains("GET /readyz") && text.contains("send-proxy-v2"))
    }

    @Test func `idle connections end before the server closes them`() throws {
        let page = try DeploymentFile.text("docs/configuration.md")
        let row = try #require(page.split(separator: "\n").first { $0.hasPrefix("| `LUX_IDLE_TIMEOUT`") })
        let idle = try #require(Int(row.split(separator: "|")[1].filter(\.isNumber)), "\(row)")
        #expect(try number("timeout http-keep-alive") < idle)
    }

    @Test func `requests arrive with the client's address, and no log has a query`() async throws {
        try await onThread {
            let server = try TestServer(World.sharedDatabase, environment: ["LUX_TRUSTED_PROXIES": "127.0.0.1"])
            let port = try TestCluster.freePort()
            let path = try configuration([
                ("maxconn 50000", "maxconn 500"), ("bind :443 ", "bind 127.0.0.1:\(port) "),
                ("10.0.0.11:8080", "127.0.0.1:\(server.port)"),
                ("10.0.0.12:8080", "127.0.0.1:\(server.port) disabled"),
                ("10.0.0.13:8080", "127.0.0.1:\(server.port) disabled"),
            ])
            let proxy = try ChildProcess("/usr/sbin/haproxy", ["-db", "-f", path])
            defer { proxy.signal(SIGKILL) }
            var status = 0
            for _ in 0..<200 where status != 401 {
                usleep(50_000)
                guard let client = try? HTTPClient(port: port, offer: TLSClient.Offer()) else { continue }
                try? client.send(
                    TestServer.request("GET", World.api + "check-device?unique_id=HIDDEN-4711&serial_code=HIDDEN"))
                status = (try? client.receive().status) ?? 0
            }
            #expect(status == 401, "\(proxy.output)\(proxy.errors)")
            let hook = try HTTPClient(port: port, offer: TLSClient.Offer())
            try hook.send(TestServer.request("POST", "/callbacks/alimtalk/nhn/HIDDEN-4711"))
            #expect(try hook.receive().status == 404)
            for logged in ["GET \(World.api)check-device HTTP/1.1", "POST /callbacks/alimtalk/nhn/- HTTP/1.1"] {
                let line = proxy.waitForOutput(seconds: 15) { lines in lines.first { $0.contains(logged) } }
                #expect(line != nil, "\(proxy.output)\(proxy.errors)")
            }
            let seen = server.logLines { $0["status"]?.integer == 401 && $0["client"]?.string == "127.0.0.1" }
            #expect(!seen.isEmpty)
            server.stop()
            for text in [proxy.output, proxy.errors] + server.process.outputLines {
                #expect(!text.contains("HIDDEN"), "\(text)")
            }
        }
    }
}
