import Foundation
import Glibc
import LUXTestSupport
import Testing

/// nginx with deploy/nginx.conf, in which ports, paths and the servers behind are replaced. Owned by its test; stops with it.
final class NginxProxy {
    let port: UInt16
    let plainPort: UInt16
    let process: ChildProcess
    let folder: String

    init(before upstreams: [UInt16], certificate given: TestCertificate? = nil) throws {
        let folder = try makeTemporaryFolder()
        self.folder = folder
        port = try TestCluster.freePort()
        plainPort = try TestCluster.freePort()
        let certificate = try given ?? TestCertificate()
        var site = try DeploymentFile.text("deploy/nginx.conf")
        for (text, other) in [
            (
                "    server 127.0.0.1:8080;\n",
                upstreams.map { "    server 127.0.0.1:\($0);\n" }.joined()
            ),
            ("    listen [::]:80;\n", ""), ("    listen [::]:443 ssl http2;\n", ""),
            ("listen 80;", "listen 127.0.0.1:\(plainPort);"), ("listen 443 ", "listen 127.0.0.1:\(port) "),
            ("/etc/lux/tls/fullchain.pem", certificate.certificate),
            ("/etc/lux/tls/privkey.pem", certificate.key), ("/var/log/nginx", folder),
            ("/var/www/lux-acme", folder + "/acme"),
        ] {
            #expect(site.contains(text), "\(text)")
            site = site.replacing(text, with: other)
        }
        try site.write(toFile: folder + "/site.conf", atomically: true, encoding: .utf8)
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
            "\($0)_temp_path \(folder)/\($0);"
        }
        try """
        \(getuid() == 0 ? "user root;" : "")
        daemon off;
        pid \(folder)/nginx.pid;
        error_log \(folder)/error.log;
        worker_processes 2;
        events { worker_connections 2048; }
        http {
        \(temporary.joined(separator: "\n"))
        include \(folder)/site.conf;
        }
        """.write(toFile: folder + "/nginx.conf", atomically: true, encoding: .utf8)
        let arguments = ["-c", folder + "/nginx.conf", "-p", folder, "-e", folder + "/error.log"]
        let check = try Tool("nginx", ["-t"] + arguments)
        #expect(check.isDone && !check.errors.contains("[warn]"), "\(check.errors)")
        process = try ChildProcess("/usr/sbin/nginx", arguments, folder: folder)
        let deadline = Date(timeIntervalSinceNow: 15)
        while Date() < deadline, (try? HTTPClient(port: port)) == nil { usleep(20_000) }
    }

    deinit { process.signal(SIGTERM) }

    func connect() throws -> HTTPClient { try HTTPClient(port: port, timeout: 30, offer: TLSClient.Offer()) }

    func call(
        _ method: String, _ target: String, user: Int64? = nil, headers: [(String, String)] = [],
        body: String? = nil
    ) throws -> HTTPReply {
        let client = try connect()
        let token = user.map { Token.access(user: $0) }
        try client.send(TestServer.request(method, target, token: token, headers: headers, body: body))
        return try client.receive(to: method)
    }

    /// Waits for a line of the log with a text that ends with an id.
    func waitsForLog(_ text: String, _ id: String) -> Bool {
        let deadline = Date(timeIntervalSinceNow: 15)
        while Date() < deadline {
            if log.split(separator: "\n").contains(where: { $0.contains(text) && $0.hasSuffix(" " + id) }) {
                return true
            }
            usleep(20_000)
        }
        return false
    }

    var log: String { (try? String(contentsOfFile: folder + "/lux.log", encoding: .utf8)) ?? "" }
}
