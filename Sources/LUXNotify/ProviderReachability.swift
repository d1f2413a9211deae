import CCurl

/// Whether a provider takes connections.
public enum ProviderReachability {
    /// Connects as a message would, HTTPS with its handshake, and sends nothing (CURLOPT_CONNECT_ONLY(3)). Blocks.
    ///
    /// - Parameter baseURL: scheme, host and port.
    /// - Returns: what stood in the way; `nil` for nothing.
    public static func fault(baseURL: String, timeout: Duration) -> String? {
        guard lux_curl_global_init() == CURLE_OK, let curl = curl_easy_init() else { return "libcurl cannot be used" }
        defer { curl_easy_cleanup(curl) }
        let milliseconds = Int(timeout.components.seconds) * 1_000
        lux_curl_set_string(curl, CURLOPT_URL, baseURL)
        lux_curl_set_string(curl, CURLOPT_PROTOCOLS_STR, "http,https")
        lux_curl_set_string(curl, CURLOPT_PROXY, "")
        lux_curl_set_long(curl, CURLOPT_CONNECT_ONLY, 1)
        lux_curl_set_long(curl, CURLOPT_TIMEOUT_MS, milliseconds)
        lux_curl_set_long(curl, CURLOPT_CONNECTTIMEOUT_MS, milliseconds)
        lux_curl_set_long(curl, CURLOPT_NOSIGNAL, 1)
        let code = curl_easy_perform(curl)
        return code == CURLE_OK ? nil : String(cString: curl_easy_strerror(code))
    }
}
