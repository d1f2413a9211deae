import Bytes

/// Which span of a distributed trace has sent a request: the `traceparent` field of W3C Trace Context (level 2, section 3.2).
///
/// Only for the log: the server creates no spans and does not propagate it.
package struct TraceContext: Equatable, Sendable {
    /// `trace-id`: 32 hexadecimal digits in lower case.
    package let traceID: String
    /// `parent-id`: the caller's span, 16 hexadecimal digits in lower case.
    package let spanID: String

    /// Length of version 00, and of what a later version has in the same places.
    private static let length = 55

    /// - Returns: `nil` when there is none, more than one, or one that must be ignored.
    package init?(_ headers: HTTPHeaders) {
        let fields = headers.values(for: .traceparent)
        guard fields.count == 1 else { return nil }
        self.init(fields[0])
    }

    /// Reads a field value; a version that is not known yet by what version 00 has of it (section 4.3).
    package init?(_ field: String) {
        let bytes = Array(field.utf8.prefix(Self.length + 1))
        guard bytes.count >= Self.length, Self.isHexadecimal(bytes[0..<2]), Self.isHexadecimal(bytes[3..<35]),
            Self.isHexadecimal(bytes[36..<52]), Self.isHexadecimal(bytes[53..<55]),
            [2, 35, 52].allSatisfy({ bytes[$0] == Self.dash }),
            // Identifiers of zeros alone, and the version 255, are invalid.
            bytes[3..<35].contains(where: { $0 != Self.zero }), bytes[36..<52].contains(where: { $0 != Self.zero }),
            !bytes[0..<2].elementsEqual("ff".utf8)
        else { return nil }
        if bytes.count > Self.length {
            let isVersion00 = bytes[0..<2].elementsEqual("00".utf8)
            guard !isVersion00, bytes[Self.length] == Self.dash else { return nil }
        }
        traceID = String(decoding: bytes[3..<35], as: UTF8.self)
        spanID = String(decoding: bytes[36..<52], as: UTF8.self)
    }

    private static let dash = UInt8(ascii: "-")
    private static let zero = UInt8(ascii: "0")

    private static func isHexadecimal(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { $0.hexadecimalValue != nil && !$0.isUppercaseLetter }
    }
}
