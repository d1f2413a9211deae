import Bytes

/// What a request is for (RFC 9112 section 3.2): origin-form, absolute-form, or `*` for OPTIONS.
struct RequestTarget {
    let path: String
    let query: HTTPQuery

    init(_ target: ArraySlice<UInt8>, method: HTTPMethod) throws(HTTPParseError) {
        var rest = target
        if method == .options, target.elementsEqual("*".utf8) {
            path = "*"
        } else {
            if rest.first != UInt8(ascii: "/") { rest = try Self.afterAuthority(target) }
            let rawPath = rest.prefix { $0 != UInt8(ascii: "?") }
            rest = rest[rawPath.endIndex...]
            path = try Self.decode(rawPath.isEmpty ? ArraySlice("/".utf8) : rawPath)
        }
        guard let query = HTTPQuery(path == "*" ? [] : rest.dropFirst()) else { throw .malformed("a bad query") }
        self.query = query
    }

    /// Path and query of an absolute-form target.
    private static func afterAuthority(_ target: ArraySlice<UInt8>) throws(HTTPParseError) -> ArraySlice<UInt8> {
        for scheme in ["http://", "https://"] {
            let prefix = target.prefix(scheme.utf8.count)
            guard prefix.elementsEqual(scheme.utf8, by: { $0 == $1 || $0 | 0x20 == $1 && $1 >= UInt8(ascii: "a") })
            else {
                continue
            }
            let authority = target[prefix.endIndex...].prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
            guard isAuthority(authority) else { throw .malformed("a bad authority in the target") }
            return target[authority.endIndex...]
        }
        throw .malformed("a target of a form that is not served")
    }

    /// An encoded slash is part of a segment and not a separator, so a path that contains one stays as it was sent and
    /// matches no route.
    private static func decode(_ path: ArraySlice<UInt8>) throws(HTTPParseError) -> String {
        guard path.contains(UInt8(ascii: "%")) else { return String(decoding: path, as: UTF8.self) }
        guard let decoded = PercentDecoding.decode(path, plusIsSpace: false), !decoded.utf8.contains(0) else {
            throw .malformed("a bad path")
        }
        let raw = String(decoding: path, as: UTF8.self)
        return raw.lowercased().utf8.contains(sequence: "%2f".utf8) ? raw : decoded
    }

    /// Host and optional port (RFC 3986 section 3.2), without user information; not empty.
    static func isAuthority(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        if rest.first == UInt8(ascii: "[") {
            guard let end = rest.firstIndex(of: UInt8(ascii: "]")), end > rest.startIndex + 1,
                rest[(rest.startIndex + 1)..<end].allSatisfy({
                    $0.hexadecimalValue != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
                })
            else { return false }
            rest = rest[(end + 1)...]
        } else {
            let host = rest.prefix { $0 != UInt8(ascii: ":") }
            guard !host.isEmpty, host.allSatisfy(isRegisteredName), hasValidEscapes(host) else { return false }
            rest = rest[host.endIndex...]
        }
        guard let colon = rest.first else { return true }
        let port = rest.dropFirst()
        return colon == UInt8(ascii: ":") && port.count <= 5 && port.allSatisfy(\.isDigit)
    }

    /// A percent sign begins an escape of two hexadecimal digits (RFC 3986 section 2.1).
    private static func hasValidEscapes(_ host: ArraySlice<UInt8>) -> Bool {
        !host.contains(UInt8(ascii: "%"))
            || host.indices.allSatisfy { index in
                host[index] != UInt8(ascii: "%")
                    || host[index...].dropFirst().prefix(2).filter { $0.hexadecimalValue != nil }.count == 2
            }
    }

    private static func isRegisteredName(_ byte: UInt8) -> Bool { registeredName[Int(byte)] }

    private static let registeredName: [Bool] = {
        var table = [Bool](repeating: false, count: 256)
        for byte in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=%".utf8 {
            table[Int(byte)] = true
        }
        return table
    }()
}

extension Sequence<UInt8> {
    fileprivate func contains(sequence: some Collection<UInt8>) -> Bool {
        let bytes = Array(self)
        guard bytes.count >= sequence.count else { return false }
        return (0...(bytes.count - sequence.count)).contains { bytes[$0...].starts(with: sequence) }
    }
}
