import OpenSSL

extension HMACSHA256 {
    /// The code of a text; empty when OpenSSL fails, which is a signature that no provider accepts.
    static func code(of text: String, key: String) -> [UInt8] {
        (try? HMACSHA256(key: Array(key.utf8)).authenticationCode(Array(text.utf8))) ?? []
    }

    /// The code in lower-case hexadecimal digits.
    static func hexadecimal(of text: String, key: String) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: code(of: text, key: key).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
