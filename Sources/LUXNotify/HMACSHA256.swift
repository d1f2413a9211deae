import COpenSSL

/// HMAC-SHA256 (RFC 2104) of a text.
enum HMACSHA256 {
    /// The 32 bytes of the code; empty when OpenSSL refuses, which makes a signature that no provider takes.
    static func code(of text: String, key: String) -> [UInt8] {
        let (key, text) = (Array(key.utf8), Array(text.utf8))
        var code = [UInt8](repeating: 0, count: 32)
        var length = 0
        let done = EVP_Q_mac(
            nil, "HMAC", nil, "SHA256", nil, key, key.count, text, text.count, &code, code.count, &length)
        return done != nil && length == code.count ? code : []
    }

    /// The code in lower-case hexadecimal digits.
    static func hexadecimal(of text: String, key: String) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: code(of: text, key: key).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
