import HTTP
import LUXAPI
import TLS

/// The variables of the HTTP server.
extension EnvironmentReader {
    /// `HTTPLimits` with what the environment changes of them.
    package mutating func limits() -> HTTPLimits {
        var limits = HTTPLimits()
        let times: [(String, WritableKeyPath<HTTPLimits, Duration>)] = [
            ("LUX_HEADER_TIMEOUT", \.headerTime), ("LUX_BODY_TIMEOUT", \.bodyTime),
            ("LUX_BODY_STALL_TIMEOUT", \.bodyStall), ("LUX_IDLE_TIMEOUT", \.idleTime),
            ("LUX_WRITE_TIMEOUT", \.writeTime), ("LUX_HANDSHAKE_TIMEOUT", \.handshakeTime),
            ("LUX_DRAIN_TIMEOUT", \.drainTime),
        ]
        for (name, path) in times {
            if let time = seconds(name) { limits[keyPath: path] = time }
        }
        let sizes: [(String, WritableKeyPath<HTTPLimits, Int>, ClosedRange<Int>)] = [
            ("LUX_MAX_TARGET_BYTES", \.targetBytes, 1_024...65_536),
            ("LUX_MAX_HEADER_BYTES", \.headerBytes, 1_024...1_048_576),
            ("LUX_MAX_HEADER_FIELDS", \.headerFields, 10...10_000),
            ("LUX_MAX_BODY_BYTES", \.bodyBytes, 1_024...16_777_216),
            ("LUX_MAX_CONNECTIONS", \.connections, 1...1_000_000),
            ("LUX_MAX_CONNECTIONS_PER_CLIENT", \.connectionsPerClient, 1...1_000_000),
            ("LUX_MAX_REQUESTS_PER_CONNECTION", \.requestsPerConnection, 1...1_000_000_000),
            ("LUX_MAX_REQUESTS_IN_FLIGHT", \.requestsInFlight, 1...1_000_000),
            ("LUX_MAX_BUFFERED_BYTES", \.bufferedBytes, 1_048_576...1_099_511_627_776),
        ]
        for (name, path, range) in sizes {
            if let size = integer(name, in: range) { limits[keyPath: path] = size }
        }
        return limits
    }

    /// `LUX_TRUSTED_PROXIES`: addresses and networks in CIDR notation, separated by commas.
    package mutating func trustedProxies() -> TrustedProxies {
        guard let text = text("LUX_TRUSTED_PROXIES") else { return TrustedProxies() }
        if let proxies = TrustedProxies(text) { return proxies }
        fault(
            "LUX_TRUSTED_PROXIES", "must be IP addresses or networks such as 10.0.0.0/8, separated by commas")
        return TrustedProxies()
    }

    /// Certificate and key, tried out, so that a bad pair is reported at the start.
    package mutating func tlsFiles() -> Configuration.TLSFiles? {
        let (certificate, key) = (text("LUX_TLS_CERT"), text("LUX_TLS_KEY"))
        guard let certificate, let key else {
            if certificate != nil {
                fault("LUX_TLS_KEY", "is required beside LUX_TLS_CERT: the private key as a PEM file")
            }
            if key != nil {
                fault("LUX_TLS_CERT", "is required beside LUX_TLS_KEY: the certificate chain as a PEM file")
            }
            return nil
        }
        let files = Configuration.TLSFiles(certificate: certificate, key: key)
        do throws(TLSError) {
            _ = try TLSContext(files.credentials())
        } catch {
            fault(error.description.hasPrefix(certificate) ? "LUX_TLS_CERT" : "LUX_TLS_KEY", error.description)
        }
        return files
    }

    /// `LUX_SLOW_MS` milliseconds; 0 for never.
    package mutating func slow() -> Duration? {
        let milliseconds = integer("LUX_SLOW_MS", in: 0...86_400_000) ?? 1_000
        return milliseconds == 0 ? nil : .milliseconds(milliseconds)
    }

    /// `LUX_RATE_LIMIT` requests per second for each user, `LUX_RATE_LIMIT_BURST` at once.
    package mutating func rateLimit() -> RateLimiter.Rate? {
        let burst = integer("LUX_RATE_LIMIT_BURST", in: 1...1_000_000)
        guard let limit = integer("LUX_RATE_LIMIT", in: 1...1_000_000) else {
            if burst != nil { fault("LUX_RATE_LIMIT_BURST", "has no effect unless LUX_RATE_LIMIT is set") }
            return nil
        }
        return RateLimiter.Rate(perSecond: Double(limit), burst: Double(burst ?? limit * 2))
    }
}
