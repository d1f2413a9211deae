import Foundation
import LUXTestSupport
import Testing

/// The client's address in the log, by the connection and by trusted proxies.
@Suite struct ClientAddressTests {
    private func clients(_ server: TestServer, count: Int) -> [String?] {
        server.waitForLogLines(count: count) { $0["route"]?.string == "/healthz" || $0["status"]?.integer == 400 }
            .map { $0["client"]?.string }
    }

    private static let forwarded = "GET /healthz HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n"

    @Test func `ignores the header of a client that is not trusted`() throws {
        let server = try TestServer(try TestDatabase.make(), environment: ["LUX_TRUSTED_PROXIES": "192.0.2.0/24"])
        let client = try server.connect()
        try client.send(Self.forwarded)
        #expect(try client.receive().status == 200)
        let other = try server.connect()
        try other.send("PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n" + TestServer.request("GET", "/healthz"))
        #expect(try other.receive().status == 400)
        #expect(clients(server, count: 2) == ["127.0.0.1", "127.0.0.1"])
        server.stop()
    }

    @Test func `accepts the address from a trusted proxy`() throws {
        let server = try TestServer(try TestDatabase.make(), environment: ["LUX_TRUSTED_PROXIES": "127.0.0.1"])
        let byField = try server.connect()
        try byField.send(Self.forwarded)
        #expect(try byField.receive().status == 200)
        let byHeader = try server.connect()
        try byHeader.send("PROXY TCP4 192.0.2.8 127.0.0.1 1 2\r\n" + TestServer.request("GET", "/healthz"))
        #expect(try byHeader.receive().status == 200)
        let inPieces = try server.connect()
        let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
        for byte in signature + [0x21, 0x11, 0, 12, 192, 0, 2, 9, 127, 0, 0, 1, 0, 1, 0, 2] {
            try inPieces.send([byte])
            usleep(2_000)
        }
        try inPieces.send(TestServer.request("GET", "/healthz"))
        #expect(try inPieces.receive().status == 200)
        #expect(clients(server, count: 3) == ["192.0.2.7", "192.0.2.8", "192.0.2.9"])
        server.stop()
    }

    @Test func `shares connections out by the address that the PROXY header names`() async throws {
        try await onThread {
            let environment = ["LUX_TRUSTED_PROXIES": "127.0.0.1", "LUX_MAX_CONNECTIONS_PER_CLIENT": "2"]
            let server = try TestServer(try TestDatabase.make(), environment: environment)
            func connect(_ address: String) throws -> HTTPClient {
                let client = try server.connect(timeout: 5)
                try client.send("PROXY TCP4 \(address) 127.0.0.1 1 2\r\n" + TestServer.request("GET", "/healthz"))
                return client
            }
            let first = try (0..<2).map { _ in try connect("192.0.2.1") }
            for client in first { #expect(try client.receive().status == 200) }
            #expect(try connect("192.0.2.1").isEnded())
            #expect(try connect("192.0.2.2").receive().status == 200)
            server.stop()
        }
    }
}
