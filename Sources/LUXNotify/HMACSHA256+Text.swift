import Bytes
import OpenSSL

extension HMACSHA256 {
    /// The code of a text; empty when OpenSSL fails, which is a signature that no provider accepts.
    static func code(of text: String, key: String) -> [UInt8] {
        (try? HMACSHA256(key: Array(key.utf8)).authenticationCode(Array(text.utf8))) ?? []
    }

    /// The code in lower-case hexadecimal digits.
    static func hexadecimal(of text: String, key: String) -> String {
        var digits: [UInt8] = []
        for byte in code(of: text, key: key) { digits.append(hexadecimal: byte) }
        return String(decoding: digits, as: UTF8.self)
    }
}
