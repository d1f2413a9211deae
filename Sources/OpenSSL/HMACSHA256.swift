import COpenSSL

/// HMAC-SHA256 (RFC 2104) with one key, by EVP_MAC(3): keyed once, duplicated for each computation.
///
/// May be used from any thread. `@unchecked Sendable`: the template is only ever read, by `EVP_MAC_CTX_dup`.
package final class HMACSHA256: @unchecked Sendable {
    private let template: OpaquePointer

    /// - Throws: ``OpenSSLError`` when the key is empty or OpenSSL provides no HMAC.
    package init(key: [UInt8]) throws(OpenSSLError) {
        guard !key.isEmpty else { throw OpenSSLError("the key is empty") }
        guard let mac = EVP_MAC_fetch(nil, "HMAC", nil) else { throw .last() }
        defer { EVP_MAC_free(mac) }
        guard let context = EVP_MAC_CTX_new(mac) else { throw .last() }
        // OSSL_PARAM keeps pointers to its key and its value: both strings have to live until the call is over.
        var digest = Array("SHA256".utf8CString)
        let started = OSSL_MAC_PARAM_DIGEST.withCString { parameter in
            digest.withUnsafeMutableBufferPointer { name in
                let parameters = [
                    OSSL_PARAM_construct_utf8_string(parameter, name.baseAddress, 0), OSSL_PARAM_construct_end(),
                ]
                return EVP_MAC_init(context, key, key.count, parameters)
            }
        }
        guard started == 1 else {
            EVP_MAC_CTX_free(context)
            throw .last()
        }
        template = context
    }

    deinit {
        EVP_MAC_CTX_free(template)
    }

    /// The 32 bytes of the code.
    ///
    /// - Throws: ``OpenSSLError`` when OpenSSL runs out of memory.
    package func authenticationCode(_ bytes: [UInt8]) throws(OpenSSLError) -> [UInt8] {
        guard let context = EVP_MAC_CTX_dup(template) else { throw .last() }
        defer { EVP_MAC_CTX_free(context) }
        var code = [UInt8](repeating: 0, count: 32)
        var length = 0
        guard EVP_MAC_update(context, bytes, bytes.count) == 1,
            EVP_MAC_final(context, &code, &length, code.count) == 1, length == code.count
        else { throw .last() }
        return code
    }

    /// Compares in a time that depends on the lengths only (CRYPTO_memcmp(3)).
    package static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}
