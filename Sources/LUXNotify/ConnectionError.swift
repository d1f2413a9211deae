import CCurl

/// Why a request had no reply, in words for rows and logs.
enum ConnectionError {
    /// - Parameters:
    ///   - detail: libcurl's own text; empty for that of the code.
    ///   - isSent: whether the request was sent, at least in part.
    static func reason(_ code: CURLcode, detail: String, isSent: Bool) -> String {
        let text = text(code, detail: detail, isSent: isSent)
        return isSent ? text : "\(text); \(advice(code).rawValue)"
    }

    /// The reason without advice.
    static func text(_ code: CURLcode, detail: String, isSent: Bool) -> String {
        switch code {
        case CURLE_OK: "the response was cut off"
        case CURLE_OPERATION_TIMEDOUT: isSent ? "no response in time" : "no connection in time"
        default: detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        }
    }

    /// What libcurl's codes mean to an operator, in the order of the documents.
    static let rules: [(words: String, codes: [CURLcode], advice: Advice)] = [
        (
            "the certificate is not trusted",
            [CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR], .untrusted
        ),
        ("the host is unknown", [CURLE_COULDNT_RESOLVE_HOST], .unknownHost),
        ("connection refused", [CURLE_COULDNT_CONNECT], .connectionRefused),
        ("no connection in time", [CURLE_OPERATION_TIMEDOUT], .unreachable),
        ("no TLS handshake", [CURLE_SSL_CONNECT_ERROR], .noTLS),
    ]

    /// What an operator can do about a connection that failed.
    static func advice(_ code: CURLcode) -> Advice {
        rules.first { $0.codes.contains(code) }?.advice ?? .baseURL
    }
}
