import ArgumentParser
import Foundation
import Glibc
import LogOutput
import LUXDevelopment
import LUXServer
import LUXSettings
import Postgres

/// `lux-server dev`
struct Dev: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve with a private PostgreSQL, demo data and a token; nothing to set up.")

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
                "LUX_JWT_SECRET": secret, "LUX_JWT_SECRET_FILE": "", "LUX_JWT_PUBLIC_KEY": "",
                "LUX_ALIMTALK_PROVIDER": "log",
            ])
            let session = try PostgresSession(connectionString: database.connectionString)
            _ = try Migrator(session: session, migrations: try Migration.all(in: configuration.migrations)).apply()
            try DemoData.insert(session)
            let token = try TokenCommand.token(
                user: 1, ttl: 86_400, secret: configuration.tokenKeys.signingSecret(),
                claim: configuration.jwtUserClaim, issuer: configuration.jwtIssuer, audience: configuration.jwtAudience)
            let log = Environment.log(configuration)
            var server = Server(configuration: configuration, log: log)
            // A closed terminal must not leave the database behind.
            server.stopSignals.append(SIGHUP)
            server.onListening = { port in
                log.write(text: Self.banner(port: port, token: token, database: database.connectionString) + "\n")
            }
            try server.run(migrate: false)
        } catch {
            throw Environment.failure(error)
        }
    }

    /// One line for each endpoint. In this order, and in any number of rounds, each works.
    static func banner(port: Int, token: String, database: String) -> String {
        let base = "http://127.0.0.1:\(port)/api/v1/lux/device"
        let authorization = "-H 'Authorization: Bearer \(token)'"
        let log = """
            {"log_arrays":[{"real_user_id":1,"device_id":1,"unique_id":"lux-demo-1","detail_data":{"treatment_date":\
            "2025-02-21T15:48:49","finish_flag":null,"last_intensity":2,"treatment_time":30}}]}
            """
        return """

            LUX is ready. Database: psql "\(database)"
            Access token of user 1, for 24 hours: \(token)

            curl \(authorization) '\(base)/child-device?real_user_id=1'
            curl \(authorization) '\(base)/get-all-device'
            curl -X POST \(authorization) '\(base)/set-my-device?serial_code=SN-0003&mac_id=41AF&unique_id=lux-demo-3&real_user_id=2'
            curl -X PATCH \(authorization) '\(base)/un-connect?unique_id=lux-demo-3&real_user_id=2'
            curl \(authorization) '\(base)/check-device?unique_id=lux-demo-1'
            curl -X PATCH \(authorization) '\(base)/update-alias' -d '{"device_id":1,"real_user_id":1,"device_alias":"Bedroom"}'
            curl -X POST \(authorization) '\(base)/devlog' -d '\(log)'
            curl \(authorization) '\(base)/usage-logs?real_user_id=1&limit=10'
            curl -X POST \(authorization) '\(base)/alimtalk'

            Ctrl-C stops the server and its database; the data stays in .lux/
            """
    }
}
