import CCurl

/// The options of every connection to a provider, whether a request goes over it or not.
enum CurlConnection {
    /// Seconds for which a handle caches the roots.
    private static let rootsLifetime = 600

    /// Sets address, limits and trusted roots.
    ///
    /// - Parameters:
    ///   - milliseconds: for everything.
    ///   - connect: milliseconds for name, connection and TLS.
    static func configure(
        _ curl: UnsafeMutableRawPointer, url: String, roots: TrustedRoots, milliseconds: Int, connect: Int
    ) {
        lux_curl_set_string(curl, CURLOPT_URL, url)
        lux_curl_set_string(curl, CURLOPT_PROTOCOLS_STR, "http,https")
        // No connection is kept, so no name is either: an address that a provider has left would be used for a minute.
        lux_curl_set_long(curl, CURLOPT_DNS_CACHE_TIMEOUT, 0)
        // Not even what `https_proxy` and its like name.
        lux_curl_set_string(curl, CURLOPT_PROXY, "")
        lux_curl_set_long(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        if roots.file != nil || roots.folder != nil {
            lux_curl_set_string(curl, CURLOPT_CAINFO, roots.file)
            lux_curl_set_string(curl, CURLOPT_CAPATH, roots.folder)
        } else if lux_curl_has_string(curl, CURLINFO_CAINFO) {
            // The system's folder contains the same as its file, and libcurl caches certificates only without a folder.
            lux_curl_set_string(curl, CURLOPT_CAPATH, nil)
        }
        lux_curl_set_long(curl, CURLOPT_CA_CACHE_TIMEOUT, rootsLifetime)
        lux_curl_set_long(curl, CURLOPT_TIMEOUT_MS, milliseconds)
        lux_curl_set_long(curl, CURLOPT_CONNECTTIMEOUT_MS, connect)
        // Without signals, as other threads run (libcurl-thread(3)).
        lux_curl_set_long(curl, CURLOPT_NOSIGNAL, 1)
        // Otherwise the end of a name's look-up is awaited beyond every deadline.
        lux_curl_set_long(curl, CURLOPT_QUICK_EXIT, 1)
    }
}
