import EventLoop
import HTTP
import JWT
import TimeZones
import TLS

/// The settings of the server, read once from the variables of ``SettingsTable``. An immutable value.
package struct Configuration: Sendable {
    /// How log lines are written.
    package enum LogFormat: String, Sendable { case json, text }

    package var databaseAddress: DatabaseAddress
    package var host: String
    package var port: Int
    package var tokenKeys: TokenKeys
    package var tokenRequirements: JWTVerifier.Requirements
    package var jwtUserClaim: String
    /// The clock of the zone in `LUX_TIMEZONE`.
    package var clock: WallClock
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
    /// `nil` where `/docs` is switched off.
    package var documentation: DocumentationSettings?
    package var cors: CORSPolicy?

    /// The paths of certificate and key, read at the start and at each reload.
    package struct TLSFiles: Equatable {
        package var certificate: String
        package var key: String

        package var paths: [String] { [certificate, key] }

        /// - Throws: `TLSError`.
        package func credentials() throws(TLSError) -> TLSCredentials {
            try TLSCredentials(certificateFile: certificate, keyFile: key)
        }
    }

    /// An error in one variable, or a warning about it. Never contains the value of a secret. A value.
    package struct VariableError: Equatable, CustomStringConvertible {
        package init(variable: String, reason: String) {
            self.variable = variable
            self.reason = reason
        }

        package var variable: String
        package var reason: String

        package var description: String { "\(variable): \(reason)" }
    }

    /// All configuration errors, so that they are reported together.
    package struct VariableErrors: Error, Equatable {
        package init(_ errors: [VariableError]) {
            self.errors = errors
        }

        package var errors: [VariableError]
    }

    /// The log levels of swift-log by their names.
    package static let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

    /// Reads the variables.
    ///
    /// - Parameter isTerminal: whether standard output is one; it decides how logs look.
    /// - Throws: ``VariableErrors``.
    package init(environment: [String: String], isTerminal: Bool) throws(VariableErrors) {
        try self.init(EnvironmentReader(environment: environment), isTerminal: isTerminal)
    }

    /// Reads the variables that a reader has.
    package init(_ reader: EnvironmentReader, isTerminal: Bool) throws(VariableErrors) {
        var reader = reader
        databaseAddress = reader.databaseAddress()
        host = reader.read(\.server.host)
        port = reader.read(\.server.port)
        tokenKeys = reader.tokenKeys()
        tokenRequirements = reader.tokenRequirements()
        jwtUserClaim = reader.read(\.tokens.userClaim)
        clock = reader.clock()
        databasePool = reader.read(\.database.pool)
        migrations = reader.migrationsFolder()
        logLevel = reader.read(\.logs.level)
        logFormat = reader.read(\.logs.format) ?? (isTerminal ? .text : .json)
        logColors =
            isTerminal && reader.read(\.standard.noColor) == nil && reader.read(\.standard.terminal) != "dumb"
        slow = reader.slow()
        requestTimeout = reader.read(\.server.requestTimeout)
        alimtalk = reader.alimtalk(clock: clock, requestTimeout: requestTimeout)
        loops = reader.read(\.server.loops)
        limits = reader.limits()
        trustedProxies = reader.read(\.server.trustedProxies) ?? TrustedProxies()
        shutdownDelay = reader.read(\.server.shutdownDelay)
        tls = reader.tlsFiles()
        redirectPort = reader.read(\.tls.redirectPort)
        strictTransportSecurity = reader.read(\.tls.strictTransportSecurity).map { "max-age=\($0)" }
        rateLimit = reader.rateLimit()
        metricsPort = reader.read(\.logs.metricsPort)
        metricsHost = reader.read(\.logs.metricsHost) ?? host
        documentation = reader.documentation()
        cors = reader.read(\.pages.origins)
        _ = reader.retention()
        reader.rejectWithoutEffect(tls: tls != nil, metrics: metricsPort != nil)
        guard reader.errors.isEmpty else { throw VariableErrors(reader.errors) }
    }
}

extension EnvironmentReader {
    /// Records variables that need another one which is not set.
    fileprivate mutating func rejectWithoutEffect(tls: Bool, metrics: Bool) {
        if !tls {
            let reason = "has no effect unless LUX_TLS_CERT and LUX_TLS_KEY are set"
            if isSet(\.tls.redirectPort) { reject(\.tls.redirectPort, reason) }
            if isSet(\.tls.strictTransportSecurity) { reject(\.tls.strictTransportSecurity, reason) }
        }
        if !metrics, isSet(\.logs.metricsHost) {
            reject(\.logs.metricsHost, "has no effect unless LUX_METRICS_PORT is set")
        }
    }
}
