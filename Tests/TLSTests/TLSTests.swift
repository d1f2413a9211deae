import COpenSSL
import Foundation
import Glibc
import LUXTestSupport
import Testing

/// HTTPS on the server's own port.
@Suite struct TLSTests {
    private struct Fixture {
        let certificate: TestCertificate
        let server: TestServer
    }

    private static let shared: Fixture = {
        do {
            let certificate = try TestCertificate()
            return Fixture(
                certificate: certificate,
                server: try TestServer(World.sharedDatabase, environment: certificate.environment))
        } catch {
            preconditionFailure("no server with TLS: \(error)")
        }
    }()

    private static let plain = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"

    private func connect(_ change: (inout TLSClient.Offer) -> Void = { _ in }) throws -> HTTPClient {
        var offer = TLSClient.Offer()
        change(&offer)
        return try HTTPClient(port: Self.shared.server.port, offer: offer)
    }

    @Test func `a client that trusts the certificate is served, on one connection and pipelined`() throws {
        let client = try connect { $0.trusted = Self.shared.certificate.certificate }
        for _ in 0..<20 {
            try client.send(Self.plain)
            #expect(try client.receive().status == 200)
        }
        try client.send(String(repeating: Self.plain, count: 100))
        for _ in 0..<100 { #expect(try client.receive().status == 200) }
    }

    @Test func `bodies and responses of many records arrive whole`() throws {
        let world = try World()
        let (user, child, device) = try world.family()
        let records = (1...2_000).map {
            World.record(child: child, device: device, date: "2025-02-21T15:48:49", flag: 1, file: $0)
        }
        let client = try connect()
        try client.send(
            TestServer.request(
                "POST", World.api + "devlog", token: Token.access(user: user), body: World.logArrays(records)))
        expect(try client.receive(), json: Saved.complete)
        #expect(
            try world.sql.integer("select count(*) from device_logs where device_id = $1", [String(device.id)]) == 2_000
        )
    }

    @Test func `a response that the client reads late arrives whole`() async throws {
        try await onThread {
            let certificate = try TestCertificate()
            let server = try TestServer(
                World.sharedDatabase, environment: certificate.environment.merging(["LUX_WRITE_TIMEOUT": "600"]) { $1 })
            let world = try World()
            let (user, child, _) = try world.family()
            for _ in 0..<150 { _ = try world.device(of: child) }
            let request = TestServer.request("GET", World.api + "get-all-device", token: Token.access(user: user))
            // For one of them the last response is the one that the kernel does not accept whole.
            let clients = try (1...70).map { count in
                let client = try HTTPClient(port: server.port, receiveBuffer: 4_096, offer: TLSClient.Offer())
                try client.send(String(repeating: request, count: count))
                return (client, count)
            }
            usleep(500_000)
            for (client, count) in clients {
                for number in 1...count {
                    let reply = try client.receive()
                    #expect(reply.status == 200, "\(number) of \(count)")
                    #expect((40_000..<65_536).contains(reply.body.count), "less than what the server waits for")
                }
            }
            server.stop()
        }
    }

    @Test(arguments: [
        (TLS1_2_VERSION, true), (TLS1_3_VERSION, true), (TLS1_VERSION, false), (TLS1_1_VERSION, false),
    ]) func `accepts TLS 1.2 and 1.3 and no older version`(_ version: Int32, _ spoken: Bool) throws {
        let client = try? connect { $0.versions = version...version }
        #expect((client != nil) == spoken)
        if let client {
            try client.send(Self.plain)
            #expect(try client.receive().status == 200)
            #expect(client.tls?.isCompressed == false)
        }
    }

    @Test(arguments: [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", true), ("ECDHE-ECDSA-CHACHA20-POLY1305", true),
        ("ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0", false), ("AES128-GCM-SHA256", false),
        ("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", false), ("aNULL:@SECLEVEL=0", false),
    ]) func `of the ciphers of TLS 1.2 only those with forward secrecy and authentication are accepted`(
        _ cipher: String, _ isAccepted: Bool
    ) {
        let client = try? connect {
            $0.versions = TLS1_2_VERSION...TLS1_2_VERSION
            $0.ciphers = cipher
        }
        #expect((client != nil) == isAccepted)
    }

    @Test(arguments: [("X25519", true), ("P-256", true), ("P-384", true), ("P-521", false)])
    func `the key exchange is by X25519, P-256 or P-384`(_ group: String, _ isAccepted: Bool) {
        let client = try? connect {
            $0.versions = TLS1_3_VERSION...TLS1_3_VERSION
            $0.groups = group
        }
        #expect((client != nil) == isAccepted)
    }

    @Test func `updates of keys are served, a flood of them closes the connection and no other client notices`()
        async throws
    {
        try await onThread {
            let client = try self.connect { $0.versions = TLS1_3_VERSION...TLS1_3_VERSION }
            #expect(client.tls?.updateKeys(5) == 5)
            try client.send(Self.plain)
            #expect(try client.receive().status == 200)
            #expect((client.tls?.updateKeys(200_000) ?? 0) < 200_000)
            let other = try self.connect()
            try other.send(Self.plain)
            #expect(try other.receive().status == 200)
        }
    }

    @Test func `http 1.1 is chosen by ALPN, else http 1.0, and a client that offers neither is rejected`() throws {
        #expect(try connect { $0.protocols = ["http/1.0", "http/1.1"] }.tls?.selectedProtocol == "http/1.1")
        #expect(try connect { $0.protocols = ["http/1.0"] }.tls?.selectedProtocol == "http/1.0")
        #expect(try connect { $0.protocols = ["h2", "http/1.1"] }.tls?.selectedProtocol == "http/1.1")
        #expect(try connect { $0.protocols = [] }.tls?.selectedProtocol == "")
        #expect(throws: TLSClient.Failure.self) { try connect { $0.protocols = ["h2"] } }
    }

    @Test func `a renegotiation is rejected, and costs at most that connection`() throws {
        let client = try connect { $0.versions = TLS1_2_VERSION...TLS1_2_VERSION }
        #expect(client.tls?.renegotiates() == false)
        let other = try connect()
        try other.send(Self.plain)
        #expect(try other.receive().status == 200)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION]) func `a ticket resumes a session`(_ version: Int32) throws {
        let first = try connect { $0.versions = version...version }
        try first.send(Self.plain)
        #expect(try first.receive().status == 200)
        #expect(first.tls?.isResumed == false)
        let ticket = try #require(first.tls?.ticket)
        let second = try connect {
            $0.versions = version...version
            $0.session = ticket
        }
        try second.send(Self.plain)
        #expect(try second.receive().status == 200)
        #expect(second.tls?.isResumed == true)
    }

    @Test func `a close_notify announces the end, both ways`() throws {
        let client = try connect()
        try client.send("GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        #expect(try client.receive().status == 200)
        #expect(try client.isEnded(), "a close_notify, not a cut")
        let closing = try connect()
        try closing.send(Self.plain)
        #expect(try closing.receive().status == 200)
        closing.tls?.close()
        #expect(try closing.isEnded())
        let half = try connect()
        try half.send(Self.plain)
        half.tls?.close()
        #expect(try half.receive().status == 200, "a request before the end gets its response")
        #expect(try half.isEnded())
    }

    @Test func `plain HTTP on the TLS port gets an explanation`() throws {
        let client = try HTTPClient(port: Self.shared.server.port, timeout: 5)
        try client.send(Self.plain)
        let reply = try client.receive()
        #expect(reply.status == 400 && reply.detail?.contains("https://") == true, "\(reply.summary)")
        #expect(try client.isEnded())
        let other = try connect()
        try other.send(Self.plain)
        #expect(try other.receive().status == 200)
    }

    @Test func `a handshake that is not finished is ended, while others are served`() throws {
        let certificate = try TestCertificate()
        let server = try TestServer(
            World.sharedDatabase, environment: certificate.environment.merging(["LUX_HANDSHAKE_TIMEOUT": "0.5"]) { $1 })
        let silent = try (0..<200).map { number in
            let client = try HTTPClient(port: server.port, timeout: 10)
            // A record header of a handshake that never comes.
            if number % 2 == 0 { try client.send([0x16, 0x03, 0x01, 0x02, 0x00]) }
            return client
        }
        let client = try HTTPClient(port: server.port, offer: TLSClient.Offer())
        try client.send(Self.plain)
        #expect(try client.receive().status == 200)
        for client in silent { #expect((try? client.isEnded()) != nil) }
        server.stop()
    }

    @Test func `SIGHUP loads a new pair for new connections, and keeps the old one when the new one is bad`() throws {
        let certificate = try TestCertificate(serial: 11)
        let server = try TestServer(World.sharedDatabase, environment: certificate.environment)
        func serial() throws -> String? {
            try HTTPClient(port: server.port, offer: TLSClient.Offer()).tls?.certificateSerial
        }
        func reload(_ message: String, count: Int) {
            server.process.signal(SIGHUP)
            let found = server.process.waitForOutput(seconds: 5) { lines in
                lines.filter { $0.contains(message) }.count >= count ? true : nil
            }
            #expect(found == true)
        }
        let old = try HTTPClient(port: server.port, offer: TLSClient.Offer())
        let ticket = old.tls?.ticket
        #expect(try serial() == "11")
        try certificate.replace(with: TestCertificate(serial: 12))
        reload("certificate and key were read", count: 1)
        #expect(try serial() == "12")
        try old.send(Self.plain)
        #expect(try old.receive().status == 200, "the old connection lives on")
        #expect(old.tls?.certificateSerial == "11")
        var offer = TLSClient.Offer()
        offer.session = ticket
        #expect(
            try HTTPClient(port: server.port, offer: offer).tls?.isResumed == false, "with it the ticket keys changed")
        try certificate.replace(with: TestCertificate(serial: 13), key: false)
        reload("certificate and key stay as they were", count: 1)
        #expect(try serial() == "12")
        server.stop()
    }

    @Test func `HSTS is sent when it is configured, and the plain port redirects`() throws {
        let certificate = try TestCertificate()
        let server = try TestServer(
            World.sharedDatabase,
            environment: certificate.environment.merging(["LUX_TLS_HSTS": "31536000", "LUX_TLS_REDIRECT_PORT": "0"]) {
                $1
            })
        let client = try HTTPClient(port: server.port, offer: TLSClient.Offer())
        try client.send(Self.plain)
        #expect(try client.receive().header("Strict-Transport-Security") == "max-age=31536000")
        let lines = server.logLines { $0["message"]?.string == "redirecting to https" }
        let line = try #require(lines.first)
        let port = try #require(line["port"]?.integer.flatMap { UInt16(exactly: $0) })
        for (target, host, origin) in [
            ("/a%20b?c=d", "lux.example:80", "lux.example"), ("/a%20b?c=d", "lux.example", "lux.example"),
            ("/a%20b?c=d", "[::1]:80", "[::1]"), ("http://lux.example:80/a%20b?c=d", "h", "lux.example"),
        ] {
            let plain = try HTTPClient(port: port)
            try plain.send(
                "POST \(target) HTTP/1.1\r\nHost: \(host)\r\nX-Request-ID: mine\r\nContent-Length: 0\r\n\r\n")
            let reply = try plain.receive()
            #expect(reply.status == 308)
            #expect(reply.header("Location") == "https://\(origin):\(server.port)/a%20b?c=d")
            #expect(reply.requestID == "mine")
            #expect(reply.body.isEmpty)
        }
        for (request, status) in [("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("nonsense\r\n\r\n", 400)] {
            let plain = try HTTPClient(port: port)
            try plain.send(request)
            expect(try plain.receive(), status, "Bad Request")
        }
        server.stop()
        let without = try TestServer(World.sharedDatabase)
        #expect(try without.call("GET", "/healthz").header("Strict-Transport-Security") == nil)
    }
}
