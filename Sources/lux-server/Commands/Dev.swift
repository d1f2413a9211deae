import ArgumentParser
import FoundationEssentials
import Glibc
import JWT
import LogOutput
import LUXDevelopment
import LUXServer
import LUXSettings
import Postgres

/// `lux-server dev`
struct Dev: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve with a private PostgreSQL, demo data and a token; nothing to configure.")

    @Option(help: "The port on 127.0.0.1; 0 for any that is free.")
    var port = 8_080

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        do {
            let folder = URL(fileURLWithPath: FileManager.default.currentDirectoryPath).appendingPathComponent(".lux")
            let database = try DevelopmentDatabase(folder: folder)
            try database.start()
            defer { database.stop() }
            let secret = try database.keptSecret("jwt-secret")
            let configuration = try options.configuration(overriding: [
                "DATABASE_URL": database.connectionString, "DATABASE_URL_FILE": "", "LUX_HOST": "127.0.0.1",
                "LUX_PORT": String(port),
                "LUX_JWT_SECRET": secret, "LUX_JWT_SECRET_FILE": "", "LUX_JWT_PUBLIC_KEY": "", "LUX_JWT_JWKS_URL": "",
                "LUX_ALIMTALK_PROVIDER": "log",
            ])
            let session = try PostgresSession(connectionString: database.connectionString)
            _ = try Migrator(session: session, migrations: try Migration.all(in: configuration.migrations)).apply()
            try DemoData.insert(session)
            let token = try TokenCommand.token(
                user: 1, ttl: 86_400, secret: configuration.tokenKeys.signingSecret(),
                claim: configuration.jwtUserClaim, issuer: configuration.tokenRequirements.issuers.first,
                audience: configuration.tokenRequirements.audiences.first)
            let log = Environment.log(configuration)
            var server = Server(configuration: configuration, log: log)
            // A closed terminal must not leave the database running.
            server.stopSignals.append(SIGHUP)
            server.onListening = { port in
                log.write(text: Self.banner(port: port, token: token, database: database.connectionString) + "\n")
            }
            try server.run(migrate: false)
        } catch {
            throw Environment.failure(error)
        }
    }
}
