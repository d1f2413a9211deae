import CCurl

/// Whether a provider accepts connections.
package enum ProviderReachability {
    /// Connects as a message would, HTTPS with its handshake, and sends nothing (CURLOPT_CONNECT_ONLY(3)). Blocks.
    ///
    /// - Parameters:
    ///   - baseURL: scheme, host and port.
    ///   - roots: what the provider's certificate must come from.
    /// - Returns: why not, and what an operator can do; `nil` if it does.
    package static func error(
        baseURL: String, roots: TrustedRoots, timeout: Duration
    ) -> (reason: String, advice: String)? {
        guard lux_curl_global_init() == CURLE_OK, let curl = curl_easy_init() else {
            return ("libcurl cannot be used", "install libcurl4 again")
        }
        defer { curl_easy_cleanup(curl) }
        let milliseconds = Int(timeout.components.seconds) * 1_000
        CurlConnection.configure(
            curl, url: baseURL, roots: roots, milliseconds: milliseconds, connect: milliseconds)
        lux_curl_set_long(curl, CURLOPT_CONNECT_ONLY, 1)
        let code = curl_easy_perform(curl)
        guard code != CURLE_OK else { return nil }
        return (ConnectionError.text(code, detail: "", isSent: false), ConnectionError.advice(code).rawValue)
    }
}
