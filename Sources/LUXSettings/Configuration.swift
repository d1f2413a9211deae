import EventLoop
import Foundation
import HTTP
import LUXAPI
import TLS

/// What the environment says, read once. Nothing else in the program looks at it.
package struct Configuration: Sendable {
    /// How log lines are written.
    package enum LogFormat: String, Sendable { case json, text }

    package var databaseURL: String
    package var host: String
    package var port: Int
    package var tokenKeys: TokenKeys
    package var jwtIssuer: String?
    package var jwtAudience: String?
    package var jwtLeeway: Int
    package var jwtUserClaim: String
    package var timeZone: String
    package var databasePool: Int
    package var migrations: String
    package var logLevel: String
    package var logFormat: LogFormat
    package var logColors: Bool
    /// From which duration on requests and statements are logged as slow; `nil` for never.
    package var slow: Duration?
    package var alimtalk: AlimtalkConfiguration
    package var requestTimeout: Duration
    package var loops: Int
    package var limits: HTTPLimits
    package var trustedProxies: TrustedProxies
    /// Time after SIGTERM in which requests are served as before and `/readyz` is 503.
    package var shutdownDelay: Duration
    package var tls: TLSFiles?
    package var redirectPort: Int?
    package var strictTransportSecurity: String?
    package var rateLimit: RateLimiter.Rate?
    package var metricsPort: Int?
    package var metricsHost: String
    /// Made here, as what the folder of its assets lacks is a fault.
    package var documentation: APIDocumentation?
    package var cors: CORSPolicy?

    /// Where certificate and key are, for the start and for each reload.
    package struct TLSFiles: Equatable {
        package var certificate: String
        package var key: String

        /// - Throws: `TLSError`.
        package func credentials() throws(TLSError) -> TLSCredentials {
            try TLSCredentials(certificateFile: certificate, keyFile: key)
        }
    }

    /// A variable that is wrong, and why. Never holds the value of a secret.
    package struct Fault: Equatable, CustomStringConvertible {
        package init(variable: String, reason: String) {
            self.variable = variable
            self.reason = reason
        }

        package var variable: String
        package var reason: String

        package var description: String { "\(variable): \(reason)" }
    }

    /// All configuration errors, so that they are reported together.
    package struct Faults: Error, Equatable {
        package init(faults: [Fault]) {
            self.faults = faults
        }

        package var faults: [Fault]
    }

    /// The log levels of swift-log by their names.
    package static let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

    /// Reads the variables.
    ///
    /// - Parameter isTerminal: whether standard output is one; it decides how logs look.
    /// - Throws: ``Faults``.
    package init(environment: [String: String], isTerminal: Bool) throws(Faults) {
        try self.init(EnvironmentReader(environment: environment), isTerminal: isTerminal)
    }

    /// Reads the variables that a reader has.
    package init(_ reader: EnvironmentReader, isTerminal: Bool) throws(Faults) {
        var reader = reader
        databaseURL = reader.connectionString("DATABASE_URL")
        host = reader.text("LUX_HOST") ?? "0.0.0.0"
        port = reader.integer("LUX_PORT", in: 0...65_535) ?? 8_080
        tokenKeys = reader.tokenKeys()
        jwtIssuer = reader.text("LUX_JWT_ISSUER")
        jwtAudience = reader.text("LUX_JWT_AUDIENCE")
        jwtLeeway = reader.integer("LUX_JWT_LEEWAY", in: 0...86_400) ?? 0
        jwtUserClaim = reader.text("LUX_JWT_USER_CLAIM") ?? "sub"
        timeZone = reader.timeZone("LUX_TIMEZONE") ?? "Asia/Seoul"
        databasePool = reader.integer("LUX_DB_POOL", in: 1...1_000) ?? 8
        migrations = reader.migrationsFolder()
        logLevel = reader.oneOf(Self.logLevels, "LUX_LOG_LEVEL") ?? "info"
        logFormat =
            reader.oneOf(["json", "text"], "LUX_LOG_FORMAT").flatMap(LogFormat.init) ?? (isTerminal ? .text : .json)
        logColors = isTerminal && reader.text("NO_COLOR") == nil && reader.text("TERM") != "dumb"
        slow = reader.slow()
        requestTimeout = reader.seconds("LUX_REQUEST_TIMEOUT") ?? .seconds(10)
        alimtalk = reader.alimtalk(timeZone: timeZone, requestTimeout: requestTimeout)
        loops = reader.integer("LUX_LOOPS", in: 1...200) ?? ProcessInfo.processInfo.activeProcessorCount
        limits = reader.limits()
        trustedProxies = reader.trustedProxies()
        shutdownDelay = .seconds(reader.integer("LUX_SHUTDOWN_DELAY", in: 0...3_600) ?? 0)
        tls = reader.tlsFiles()
        redirectPort = reader.integer("LUX_TLS_REDIRECT_PORT", in: 0...65_535)
        strictTransportSecurity = reader.integer("LUX_TLS_HSTS", in: 0...63_072_000).map { "max-age=\($0)" }
        rateLimit = reader.rateLimit()
        metricsPort = reader.integer("LUX_METRICS_PORT", in: 0...65_535)
        metricsHost = reader.text("LUX_METRICS_HOST") ?? host
        documentation = reader.documentation(metrics: metricsPort == nil, limits: limits)
        cors = reader.cors()
        if tls == nil {
            for name in ["LUX_TLS_REDIRECT_PORT", "LUX_TLS_HSTS"] where reader.text(name) != nil {
                reader.fault(name, "has no effect unless LUX_TLS_CERT and LUX_TLS_KEY are set")
            }
        }
        if metricsPort == nil, reader.text("LUX_METRICS_HOST") != nil {
            reader.fault("LUX_METRICS_HOST", "has no effect unless LUX_METRICS_PORT is set")
        }
        guard reader.faults.isEmpty else { throw Faults(faults: reader.faults) }
    }
}
