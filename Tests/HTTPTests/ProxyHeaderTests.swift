import Testing

@testable import HTTP

@Suite struct ProxyHeaderTests {
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    private static func version2(_ command: UInt8, _ family: UInt8, _ addresses: [UInt8], length: Int? = nil) -> [UInt8]
    {
        let count = length ?? addresses.count
        return signature + [command, family, UInt8(count >> 8), UInt8(count & 255)] + addresses
    }

    private static let v4: [UInt8] = [192, 0, 2, 1, 192, 0, 2, 2, 0xDC, 4, 1, 0xBB]
    private static let v6: [UInt8] =
        [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [9]
        + [UInt8](repeating: 0, count: 20)

    private static let cases: [(bytes: [UInt8], header: ProxyHeader)] = [
        (
            Array("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nGET".utf8),
            .present(length: 42, client: ClientAddress("192.0.2.1"))
        ),
        (Array("PROXY TCP6 2001:db8::9 ::1 1 2\r\n".utf8), .present(length: 32, client: ClientAddress("2001:db8::9"))),
        (Array("PROXY UNKNOWN\r\n".utf8), .present(length: 15, client: nil)),
        (Array("PROXY TCP4 2001:db8::9 ::1 1 2\r\n".utf8), .malformed),
        (Array("PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n".utf8), .malformed),
        (Array("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n".utf8), .malformed),
        (Array(("PROXY TCP4 " + String(repeating: "1", count: 120)).utf8), .malformed),
        (Array("GET / HTTP/1.1\r\n".utf8), .absent), (Array("PROXIES".utf8), .absent),
        ([], .needMore), (Array("PRO".utf8), .needMore), (Array("PROXY TCP4 192.".utf8), .needMore),
        (version2(0x21, 0x11, v4), .present(length: 28, client: ClientAddress("192.0.2.1"))),
        (version2(0x21, 0x21, v6), .present(length: 52, client: ClientAddress("2001:db8::9"))),
        (version2(0x21, 0x11, v4 + [4, 0, 1, 0]), .present(length: 32, client: ClientAddress("192.0.2.1"))),
        (version2(0x20, 0x00, []), .present(length: 16, client: nil)),
        (version2(0x21, 0x31, [1, 2]), .present(length: 18, client: nil)),
        (version2(0x21, 0x11, [1, 2]), .malformed), (version2(0x11, 0x11, v4), .malformed),
        (version2(0x22, 0x11, v4), .malformed), (version2(0x21, 0x11, v4, length: 4_000), .malformed),
        (Array(version2(0x21, 0x11, v4).dropLast()), .needMore), (Array(signature.prefix(7)), .needMore),
    ]

    @Test func `reads both versions`() {
        for (bytes, header) in Self.cases { #expect(ProxyHeader(bytes) == header, "\(bytes)") }
    }

    @Test func `decides nothing before a header is complete`() {
        for (bytes, header) in Self.cases {
            guard case .present(let length, _) = header else { continue }
            for count in 0..<length { #expect(ProxyHeader(Array(bytes.prefix(count))) == .needMore) }
        }
    }
}

@Suite struct TrustedProxiesTests {
    @Test func `accepts addresses and networks`() throws {
        let proxies = try #require(TrustedProxies("127.0.0.1, 10.0.0.0/8,2001:db8::/33, 0.0.0.0/32"))
        for (address, isTrusted) in [
            ("127.0.0.1", true), ("127.0.0.2", false), ("10.255.0.1", true), ("11.0.0.1", false),
            ("2001:db8:7fff::1", true), ("2001:db8:8000::1", false), ("::ffff:10.1.1.1", true), ("::1", false),
        ] {
            #expect(proxies.contains(try #require(ClientAddress(address))) == isTrusted, "\(address)")
        }
    }

    @Test(arguments: ["", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "::/129", "10.0.0.0/8/8", "1.2.3.4,"])
    func `rejects what is neither`(_ text: String) {
        #expect(TrustedProxies(text) == nil)
    }

    @Test func `chooses the last forwarded address that is not a proxy's`() throws {
        let proxies = try #require(TrustedProxies("10.0.0.0/8"))
        for (fields, client) in [
            ([], nil), (["192.0.2.1"], "192.0.2.1"), (["1.1.1.1, 192.0.2.1"], "192.0.2.1"),
            (["1.1.1.1", "192.0.2.1, 10.0.0.9"], "192.0.2.1"), (["10.0.0.8, 10.0.0.9"], "10.0.0.8"),
            (["192.0.2.1:4711"], "192.0.2.1"), (["[2001:db8::9]:443"], "2001:db8::9"), (["2001:db8::9"], "2001:db8::9"),
            (["192.0.2.1, nonsense"], nil), (["nonsense, 10.0.0.9"], "10.0.0.9"),
        ] {
            var headers = HTTPHeaders()
            for field in fields { headers.add("X-Forwarded-For", field) }
            #expect(proxies.client(in: headers)?.description == client, "\(fields)")
        }
    }
}
