import FoundationEssentials
import JWT
import LUXNotify
import LUXSettings
import Postgres
import TimeZones
import TLS

/// Checks everything that the server depends on and reports how to fix each error. A value; blocks while it checks.
package struct Doctor {
    /// The result of one check.
    package struct Finding: Equatable, CustomStringConvertible {
        package var subject: String
        package var detail: String
        /// How to fix it; `nil` when nothing is wrong.
        package var advice: String?

        package var description: String {
            "\(advice == nil ? "ok   " : "error")  \(subject): \(detail)" + (advice.map { "\n       -> \($0)" } ?? "")
        }
    }

    package let variables: Variables

    package init(variables: Variables) {
        self.variables = variables
    }

    /// How far the clocks of server and database may be apart, in seconds: tokens expire by one, logs are dated by the other.
    private static let allowedSkew = 2.0

    /// Within which a provider has to accept a connection.
    private static let providerTimeout = Duration.seconds(5)

    /// How long before its end a certificate has to be replaced, in days.
    private static let renewal = 14.0

    /// Runs all checks, in the order in which errors should be fixed.
    package func findings() -> [Finding] {
        let report = ConfigurationReport(variables: variables)
        var findings = report.errors.map {
            Finding(subject: "configuration", detail: $0.description, advice: "change it; see lux-server config check")
        }
        findings += variables.warnings.map {
            Finding(subject: "file rights", detail: $0.description, advice: "let only the owner read it")
        }
        findings += accessTokens()
        if findings.isEmpty { findings.append(Finding(subject: "configuration", detail: "no error")) }
        findings += keySet()
        findings += lifetime()
        findings += MachineChecks(variables: variables).findings()
        findings += database()
        var reader = EnvironmentReader(variables)
        if let path = reader.read(\.tls.certificate) { findings.append(certificate(path)) }
        findings += alimtalk()
        return findings
    }

    // MARK: Access tokens

    private func accessTokens() -> [Finding] {
        var reader = EnvironmentReader(variables)
        return reader.tokenWarnings().map {
            Finding(
                subject: "access tokens", detail: $0.description,
                advice: "set LUX_JWT_AUDIENCE, LUX_JWT_ISSUER or both to what this service's tokens have")
        }
    }

    /// Fetches the keys once, as the server would.
    private func keySet() -> [Finding] {
        var reader = EnvironmentReader(variables)
        let keys = reader.tokenKeys()
        guard reader.errors.isEmpty, let source = keys.keySet else { return [] }
        let subject = "JWKS"
        do throws(TokenKeyError) {
            let keys = try KeySetSource.keys(try source.fetch())
            return [Finding(subject: subject, detail: "\(source.url): \(keys.count) keys")]
        } catch {
            return [
                Finding(
                    subject: subject, detail: "\(source.url): \(error)",
                    advice: "correct LUX_JWT_JWKS_URL, name resolution, the firewall (outgoing), SSL_CERT_FILE or"
                        + " SSL_CERT_DIR")
            ]
        }
    }

    /// A recommendation, not an error.
    private func lifetime() -> [Finding] {
        var reader = EnvironmentReader(variables)
        let lifetime = reader.read(\.tokens.maximumLifetime)
        let detail =
            lifetime.map { "exp may lie \($0) seconds ahead" }
            ?? "exp may lie any time ahead; LUX_JWT_MAX_LIFETIME, for example 86400, is recommended"
        return [Finding(subject: "token lifetime", detail: detail)]
    }

    // MARK: The provider of messages

    /// Nothing is sent: a connection and, with HTTPS, a handshake show whether name, firewall and certificate work.
    private func alimtalk() -> [Finding] {
        var reader = EnvironmentReader(variables)
        let alimtalk = reader.alimtalk(clock: .utc, requestTimeout: .seconds(86_400))
        let subject = "alimtalk"
        // Reported with the configuration already.
        guard reader.errors.isEmpty else { return [] }
        guard alimtalk.provider != nil else {
            return [Finding(subject: subject, detail: "log: each message is a log line, and none is sent")]
        }
        let provider = "\(alimtalk.name) at \(alimtalk.baseURL)"
        let error = ProviderReachability.error(
            baseURL: alimtalk.baseURL, roots: alimtalk.roots, timeout: Self.providerTimeout)
        if let error {
            return [
                Finding(subject: subject, detail: "\(provider): \(error.reason)", advice: error.advice)
            ]
        }
        return [
            Finding(
                subject: subject,
                detail: "\(provider) is configured and in reach; lux-server alimtalk test --to NUMBER tries the keys")
        ]
    }

    // MARK: The database

    private func database() -> [Finding] {
        var reader = EnvironmentReader(variables)
        let databaseURL = reader.read(\.database.url)
        let pool = reader.read(\.database.pool)
        let folder = reader.migrationsFolder()
        // An invalid one is reported with the configuration already.
        guard !databaseURL.isEmpty else { return [] }
        let session: PostgresSession
        do {
            session = try PostgresSession(connectionString: databaseURL)
        } catch {
            return [
                Finding(
                    subject: "database", detail: error.description,
                    advice: "start PostgreSQL, or correct DATABASE_URL, pg_hba.conf or the firewall")
            ]
        }
        let checks = DatabaseChecks(session: session)
        let all: [(String, () throws -> [Finding])] = [
            ("database version", { [checks.version()] }), ("database settings", checks.settings),
            ("connections", { [try checks.connections(pool: pool)] }),
            ("connection pooler", { pool > 1 ? [try pooler(databaseURL)] : [] }),
            ("clock skew", { [try checks.clock(allowed: Self.allowedSkew)] }),
            ("migrations", { try migrations(folder, session) }), ("rights", checks.rights),
            ("indexes", { [try checks.indexes(try Migration.all(in: folder))] }),
            ("triggers", { [try checks.triggers()] }),
        ]
        return all.flatMap { subject, check in
            do {
                return try check()
            } catch {
                return [Finding(subject: subject, detail: "\(error)", advice: "fix the findings above first")]
            }
        }
    }

    /// With sessions of its own: a pooler in statement mode ends them.
    private func pooler(_ databaseURL: String) throws -> Finding {
        let session = try PostgresSession(connectionString: databaseURL)
        return DatabaseChecks.finding(sharing: try .detect(databaseURL, beside: session))
    }

    private func migrations(_ folder: String, _ session: PostgresSession) throws -> [Finding] {
        let subject = "migrations"
        do {
            let migrations = try Migration.all(in: folder)
            try Migrator(session: session, migrations: migrations).verify()
            return [Finding(subject: subject, detail: "all \(migrations.count) are applied")]
        } catch let error as MigrationError {
            let advice =
                switch error {
                case .pending: "run lux-server migrate"
                case .changed, .missing: "restore the file that was applied; put changes into a new one"
                default: "set LUX_MIGRATIONS to the folder that came with this program"
                }
            return [Finding(subject: subject, detail: error.description, advice: advice)]
        }
    }

    // MARK: The certificate

    private func certificate(_ path: String) -> Finding {
        let subject = "certificate"
        let validity: CertificateValidity
        do throws(TLSError) {
            validity = try CertificateValidity(certificateFile: path)
        } catch {
            return Finding(subject: subject, detail: error.description, advice: "set LUX_TLS_CERT to the chain as PEM")
        }
        let now = Date()
        let until = validity.notAfter.formatted(.iso8601)
        let days = validity.notAfter.timeIntervalSince(now) / 86_400
        if validity.notBefore > now {
            return Finding(
                subject: subject, detail: "not valid before \(validity.notBefore.formatted(.iso8601))",
                advice: "correct the clock, or use the previous certificate")
        }
        let advice = "renew it and send the server SIGHUP"
        if days < 0 { return Finding(subject: subject, detail: "ended on \(until)", advice: advice) }
        return Finding(
            subject: subject, detail: "valid until \(until), \(Int(days)) more days",
            advice: days < Self.renewal ? advice : nil)
    }
}
