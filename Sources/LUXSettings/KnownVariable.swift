import LUXNotify

/// The variables that the program reads, in the order of the README's tables.
package struct KnownVariable {
    package var name: String
    /// Default value, as text.
    package var otherwise: String
    /// Whether it is never shown.
    package var isSecret = false
    /// Whether `NAME_FILE` is read in its place when the program starts.
    package var hasFile = false

    package static let all: [KnownVariable] =
        [
            KnownVariable(name: "DATABASE_URL", otherwise: "required", isSecret: true, hasFile: true),
            KnownVariable(name: "LUX_HOST", otherwise: "0.0.0.0"), KnownVariable(name: "LUX_PORT", otherwise: "8080"),
            KnownVariable(name: "LUX_JWT_SECRET", otherwise: "unset", isSecret: true),
            KnownVariable(name: "LUX_JWT_SECRET_FILE", otherwise: "unset"),
            KnownVariable(name: "LUX_JWT_PUBLIC_KEY", otherwise: "unset"),
            KnownVariable(name: "LUX_JWT_ISSUER", otherwise: "unset"),
            KnownVariable(name: "LUX_JWT_AUDIENCE", otherwise: "unset"),
            KnownVariable(name: "LUX_JWT_LEEWAY", otherwise: "0"),
            KnownVariable(name: "LUX_JWT_USER_CLAIM", otherwise: "sub"),
            KnownVariable(name: "LUX_TIMEZONE", otherwise: "Asia/Seoul"),
            KnownVariable(name: "LUX_DB_POOL", otherwise: "8"), KnownVariable(name: "LUX_LOOPS", otherwise: "cores"),
            KnownVariable(name: "LUX_REQUEST_TIMEOUT", otherwise: "10"),
            KnownVariable(name: "LUX_MIGRATIONS", otherwise: "Migrations/"),
            KnownVariable(name: "LUX_LOG_LEVEL", otherwise: "info"),
            KnownVariable(name: "LUX_LOG_FORMAT", otherwise: "json, on a terminal text"),
            KnownVariable(name: "LUX_SLOW_MS", otherwise: "1000"),
            KnownVariable(name: "LUX_DOCS", otherwise: "on"),
            KnownVariable(name: "LUX_DOCS_ASSETS", otherwise: "unset"),
            KnownVariable(name: "LUX_CORS_ORIGINS", otherwise: "unset"),
            KnownVariable(name: "LUX_METRICS_PORT", otherwise: "unset"),
            KnownVariable(name: "LUX_METRICS_HOST", otherwise: "that of LUX_HOST"),
            KnownVariable(name: "LUX_ALIMTALK_PROVIDER", otherwise: "log"),
            KnownVariable(name: "LUX_ALIMTALK_BASE_URL", otherwise: "the provider's own"),
            KnownVariable(name: "LUX_ALIMTALK_TIMEOUT", otherwise: "5"),
            KnownVariable(name: "LUX_ALIMTALK_CONCURRENCY", otherwise: "16"),
            KnownVariable(name: "LUX_ALIMTALK_USER_LIMIT", otherwise: "20"),
            KnownVariable(name: "LUX_ALIMTALK_COOLDOWN", otherwise: "0"),
            KnownVariable(name: "LUX_ALIMTALK_SMS_FALLBACK", otherwise: "unset"),
            KnownVariable(name: "LUX_ALIMTALK_VARIABLES", otherwise: "{}"),
            KnownVariable(name: "LUX_TLS_CERT", otherwise: "unset"),
            KnownVariable(name: "LUX_TLS_KEY", otherwise: "unset"),
            KnownVariable(name: "LUX_TLS_REDIRECT_PORT", otherwise: "unset"),
            KnownVariable(name: "LUX_TLS_HSTS", otherwise: "unset"),
            KnownVariable(name: "LUX_RATE_LIMIT", otherwise: "off"),
            KnownVariable(name: "LUX_RATE_LIMIT_BURST", otherwise: "twice the rate"),
        ]
        + AlimtalkProviders.all.flatMap { provider in
            provider.variables.map {
                KnownVariable(
                    name: "LUX_ALIMTALK_\(provider.name.uppercased())_\($0.name)", otherwise: "unset",
                    isSecret: $0.isSecret, hasFile: $0.hasFile)
            }
        }
        + limits.map { KnownVariable(name: $0, otherwise: $1) }

    /// Names that are still read where the current one is not set.
    package static let oldNames = ["LUX_MAX_REQUESTS_IN_FLIGHT": "LUX_MAX_REQUESTS_UNDER_WAY"]

    private static let limits = [
        ("LUX_MAX_TARGET_BYTES", "8192"), ("LUX_MAX_HEADER_BYTES", "16384"), ("LUX_MAX_HEADER_FIELDS", "100"),
        ("LUX_MAX_BODY_BYTES", "1048576"), ("LUX_MAX_CONNECTIONS", "16384"),
        ("LUX_MAX_CONNECTIONS_PER_CLIENT", "4096"), ("LUX_MAX_REQUESTS_PER_CONNECTION", "10000"),
        ("LUX_MAX_REQUESTS_IN_FLIGHT", "4096"),
        ("LUX_MAX_BUFFERED_BYTES", "268435456"),
        ("LUX_HANDSHAKE_TIMEOUT", "10"), ("LUX_HEADER_TIMEOUT", "10"), ("LUX_BODY_TIMEOUT", "60"),
        ("LUX_BODY_STALL_TIMEOUT", "15"), ("LUX_IDLE_TIMEOUT", "60"), ("LUX_WRITE_TIMEOUT", "30"),
        ("LUX_DRAIN_TIMEOUT", "10"), ("LUX_SHUTDOWN_DELAY", "0"), ("LUX_TRUSTED_PROXIES", "unset"),
    ]
}
