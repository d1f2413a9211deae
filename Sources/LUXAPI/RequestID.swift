import HTTP

/// The id of a request, which its answer and its log line carry.
enum RequestID {
    private static let digits = Array("0123456789abcdef".utf8)

    /// The client's own `X-Request-ID` if it is 1 to 128 characters of `A-Z a-z 0-9 . _ -`, else a new one.
    static func of(_ headers: HTTPHeaders) -> String {
        let sent = headers.values(for: "x-request-id")
        guard sent.count == 1, let id = sent.first, (1...128).contains(id.utf8.count), id.utf8.allSatisfy(isAllowed)
        else { return new() }
        return id
    }

    /// 32 random hexadecimal digits.
    static func new() -> String {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        for word in [generator.next(), generator.next()] {
            for shift in stride(from: 60, through: 0, by: -4) { bytes.append(digits[Int(word >> UInt64(shift) & 15)]) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
