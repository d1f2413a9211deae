import HTTP
import TLS

/// The settings of the HTTP server that take several variables.
extension EnvironmentReader {
    /// `HTTPLimits` with the changes of the environment.
    package mutating func limits() -> HTTPLimits {
        var limits = HTTPLimits()
        let variables = SettingsTable.shared.limits
        for size in variables.sizes { limits[keyPath: size.limit] = read(size.variable) }
        for time in variables.times { limits[keyPath: time.limit] = read(time.variable) }
        return limits
    }

    /// Certificate and key, tried out, so that a bad pair is reported at the start.
    package mutating func tlsFiles() -> Configuration.TLSFiles? {
        let (certificate, key) = (read(\.tls.certificate), read(\.tls.key))
        guard let certificate, let key else {
            if certificate != nil {
                reject(\.tls.key, "is required beside LUX_TLS_CERT: the private key as a PEM file")
            }
            if key != nil {
                reject(\.tls.certificate, "is required beside LUX_TLS_KEY: the certificate chain as a PEM file")
            }
            return nil
        }
        let files = Configuration.TLSFiles(certificate: certificate, key: key)
        do throws(TLSError) {
            _ = try TLSContext(files.credentials())
        } catch {
            reject(error.file == .key ? \.tls.key : \.tls.certificate, error.description)
        }
        return files
    }

    /// From which duration on requests and statements are slow; `nil` for never.
    package mutating func slow() -> Duration? {
        let slow = read(\.logs.slow)
        return slow == .zero ? nil : slow
    }

    /// The rate of each user, and how many requests a burst may contain.
    package mutating func rateLimit() -> RateLimiter.Rate? {
        let burst = read(\.server.rateLimitBurst)
        guard let limit = read(\.server.rateLimit) else {
            if burst != nil { reject(\.server.rateLimitBurst, "has no effect unless LUX_RATE_LIMIT is set") }
            return nil
        }
        return RateLimiter.Rate(perSecond: Double(limit), burst: Double(burst ?? limit * 2))
    }
}
