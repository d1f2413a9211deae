import FoundationEssentials
import LUXNotify

/// Every environment variable of the program, once: its name, parser, default, unit, secrecy and help. A value without state.
///
/// A variable that is not here cannot be read, and one that is here is documented, checked and tested: all four walk
/// ``descriptions``. The reader takes a value by key path: `reader.read(\.server.port)`.
package struct SettingsTable: Sendable {
    package static let shared = SettingsTable()

    package let database = Database()
    package let server = Server()
    package let tokens = Tokens()
    package let logs = Logs()
    package let pages = Pages()
    package let alimtalk = Alimtalk()
    package let tls = TLS()
    package let limits = LimitVariables()
    package let retention = Retention()
    package let standard = Standard()

    package struct Database: Sendable {
        package let url = Variable(
            "DATABASE_URL", .connectionString, required: "a libpq connection string or URI", placeholder: "",
            isSecret: true, hasFile: true, "The database; several hosts are allowed.")
        package let pool = Variable(
            "LUX_DB_POOL", .integer(1...1_000, .connections), default: 8,
            "Connections to the database, of the whole process.")
        package let migrations = Variable(
            "LUX_MIGRATIONS", .folder, otherwise: "`Migrations` in the working directory, else beside the executable",
            "Folder of the SQL files.")
        package let timeZone = Variable(
            "LUX_TIMEZONE", .timeZone, default: "Asia/Seoul",
            "Applies to times without an offset, in uploads and commands, and to `{time}` in messages.")
    }

    package struct Server: Sendable {
        package let host = Variable("LUX_HOST", .text, default: "0.0.0.0", "Address to listen on.")
        package let port = Variable(
            "LUX_PORT", .port, default: 8_080, "Port to listen on; 0 picks a free one, which the log reports.")
        package let loops = Variable(
            "LUX_LOOPS", .integer(1...200, .loops), default: ProcessInfo.processInfo.activeProcessorCount, as: "cores",
            "Event loops; never more than a third of the connections to the database.")
        package let requestTimeout = Variable(
            "LUX_REQUEST_TIMEOUT", .seconds, default: .seconds(10), "Time for a request; after it, 503.")
        package let shutdownDelay = Variable(
            "LUX_SHUTDOWN_DELAY", .wholeSeconds(0...3_600), default: .zero,
            "Time after SIGTERM in which `/readyz` is 503 and everything else is served as before, for load balancers.")
        package let rateLimit = Variable(
            "LUX_RATE_LIMIT", .integer(1...1_000_000, .requestsPerSecond), otherwise: "off",
            "Rate for each user; more: 429 with `Retry-After`.")
        package let rateLimitBurst = Variable(
            "LUX_RATE_LIMIT_BURST", .integer(1...1_000_000, .requests), otherwise: "twice the rate",
            "How many requests of a user may come in a burst.")
        package let trustedProxies = Variable(
            "LUX_TRUSTED_PROXIES", .proxies,
            "Proxies whose `X-Forwarded-For` or PROXY protocol header (v1, v2) names the client, for limits and logs.")
    }

    package struct Tokens: Sendable {
        package let secret = Variable(
            "LUX_JWT_SECRET", .text, isSecret: true,
            """
            HS256 secrets of at least 32 bytes, separated by commas; a secret that contains a comma belongs in a file. \
            Exactly one of this and the next three variables is set.
            """)
        package let secretFile = Variable(
            "LUX_JWT_SECRET_FILE", .path, "A file with such secrets, one per line, which may contain commas.")
        package let publicKey = Variable(
            "LUX_JWT_PUBLIC_KEY", .path, "A file with a public key as PEM, or a JWKS.")
        package let keySetURL = Variable(
            "LUX_JWT_JWKS_URL", .url,
            "A JWKS that is fetched at the start, every five minutes and when a token names an unknown key.")
        package let issuer = Variable(
            "LUX_JWT_ISSUER", .list, default: [], as: "unset", "The values of which `iss` of a token must be one.")
        package let audience = Variable(
            "LUX_JWT_AUDIENCE", .list, default: [], as: "unset", "The values of which `aud` must contain one.")
        package let maximumLifetime = Variable(
            "LUX_JWT_MAX_LIFETIME", .integer(1...315_360_000, .seconds),
            """
            How far ahead `exp` may lie; tokens that are valid for longer are rejected. Recommended: an `exp` in \
            milliseconds would otherwise never pass.
            """)
        package let leeway = Variable(
            "LUX_JWT_LEEWAY", .integer(0...86_400, .seconds), default: 0, "How far clocks may differ.")
        package let userClaim = Variable(
            "LUX_JWT_USER_CLAIM", .text, default: "sub", "The claim with the user: an integer, or a string of digits.")
    }

    package struct Logs: Sendable {
        package let level = Variable(
            "LUX_LOG_LEVEL", .oneOf(Configuration.logLevels), default: "info", "The least severe level that is logged.")
        package let format = Variable(
            "LUX_LOG_FORMAT", .logFormat, otherwise: "json, on a terminal text", "How lines look: [below](#logs).")
        package let slow = Variable(
            "LUX_SLOW_MS", .milliseconds(0...86_400_000), default: .seconds(1),
            "From which duration on a request or a database statement is logged as slow; 0 for never.")
        package let metricsPort = Variable(
            "LUX_METRICS_PORT", .port, "A port of its own for `/metrics`, which the other port then does not serve.")
        package let metricsHost = Variable(
            "LUX_METRICS_HOST", .text, otherwise: "that of LUX_HOST",
            "The address of that port: `127.0.0.1` for a Prometheus on the same machine.")
    }

    package struct Pages: Sendable {
        package let docs = Variable("LUX_DOCS", .onOff, default: true, "Whether `/openapi.json` and `/docs` exist.")
        package let assets = Variable(
            "LUX_DOCS_ASSETS", .path,
            """
            Folder with `swagger-ui.css` and `swagger-ui-bundle.js` of swagger-ui-dist 5 (4 knows no OpenAPI 3.1), served \
            instead of the pinned files of the CDN.
            """)
        package let origins = Variable(
            "LUX_CORS_ORIGINS", .origins, "Origins whose pages may call the API; never with credentials.")
    }

    package struct TLS: Sendable {
        package let certificate = Variable(
            "LUX_TLS_CERT", .path, "PEM file of the certificate chain. With certificate and key the port speaks HTTPS.")
        package let key = Variable("LUX_TLS_KEY", .path, "PEM file of the private key.")
        package let redirectPort = Variable(
            "LUX_TLS_REDIRECT_PORT", .port, "A second, plain port that redirects every request to HTTPS (308).")
        package let strictTransportSecurity = Variable(
            "LUX_TLS_HSTS", .integer(0...63_072_000, .seconds), "The `max-age` of `Strict-Transport-Security`.")
    }

    /// How long `lux-server retention run` keeps data.
    package struct Retention: Sendable {
        package let logs = Variable(
            "LUX_RETENTION_LOGS", .integer(1...36_500, .days), otherwise: "forever",
            "Age of a treatment at which `lux-server retention run` deletes its log.")
        package let messages = Variable(
            "LUX_RETENTION_MESSAGES", .integer(1...36_500, .days), otherwise: "forever",
            "Age at which it deletes rows of `alimtalks`; those that are not settled at 30 days or more.")
        package let audit = Variable(
            "LUX_RETENTION_AUDIT", .integer(1...36_500, .days), otherwise: "forever",
            "Age at which it deletes support actions and access records.")
        package let keys = Variable(
            "LUX_RETENTION_KEYS", .integer(2...36_500, .days), otherwise: "forever",
            "Age at which it clears idempotency keys, which have effect for 24 hours.")
    }

    /// Variables that programs on Unix have in common.
    package struct Standard: Sendable {
        package let certificateFile = Variable(
            "SSL_CERT_FILE", .readablePath, otherwise: "OpenSSL's own",
            "Root certificates that a message provider's certificate must come from.")
        package let certificateFolder = Variable(
            "SSL_CERT_DIR", .readablePath, otherwise: "OpenSSL's own", "The same, as a folder.")
        package let noColor = Variable("NO_COLOR", .text, "Set to anything: logs on a terminal have no colors.")
        package let terminal = Variable("TERM", .text, "`dumb`: logs on a terminal have no colors.")
    }

    /// All variables with the title of their group, in the order of declaration.
    ///
    /// Found by reflection, so that a variable which is declared above cannot be missing.
    package var groups: [(title: String, variables: [VariableDescription])] {
        [
            ("Database", Self.descriptions(in: database)), ("Server", Self.descriptions(in: server)),
            ("Access tokens", Self.descriptions(in: tokens)), ("Logs and metrics", Self.descriptions(in: logs)),
            ("Documentation and browsers", Self.descriptions(in: pages)), ("TLS", Self.descriptions(in: tls)),
            ("Alimtalk", Self.descriptions(in: alimtalk)), ("Limits", Self.descriptions(in: limits)),
            ("Retention", Self.descriptions(in: retention)), ("Common variables", Self.descriptions(in: standard)),
        ]
    }

    package var descriptions: [VariableDescription] { groups.flatMap(\.variables) }

    /// For the test that ``groups`` lacks none.
    static func descriptions(in part: Any) -> [VariableDescription] {
        if let variable = part as? any DescribedVariable { return [variable.description] }
        return Mirror(reflecting: part).children.flatMap { descriptions(in: $0.value) }
    }
}
