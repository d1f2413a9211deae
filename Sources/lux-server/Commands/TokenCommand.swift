import ArgumentParser
import FoundationEssentials
import JSON
import JWT
import LUXOperations
import LUXSettings
import LUXStore
import Postgres

/// `lux-server token`
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Print an access token for development (HS256).",
        discussion: """
            Where a database is configured the token opens an account of it: --yes is required, and an access record is left.
            """)

    @Option(help: "The id of the user.")
    var user: Int64

    @Option(help: "Seconds for which it is valid.")
    var ttl: Int = 3_600

    @Flag(help: "Print it although a database is configured.")
    var yes = false

    @OptionGroup var actor: ActorOptions

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let databaseURL: String? = try options.read { reader in
            reader.isSet(\.database.url) ? reader.read(\.database.url) : nil
        }
        let token = try options.read { reader in
            let secret = reader.signingSecret()
            guard reader.errors.isEmpty else { return "" }
            return try Self.token(
                user: user, ttl: ttl, secret: secret, claim: reader.read(\.tokens.userClaim),
                issuer: reader.read(\.tokens.issuer).first, audience: reader.read(\.tokens.audience).first)
        }
        if let databaseURL {
            guard yes else {
                Environment.printError(
                    "this configuration has a database, and the token opens the account \(user) of it: add --yes")
                throw ExitCode.failure
            }
            try record(databaseURL)
        }
        print(token)
    }

    private func record(_ databaseURL: String) throws {
        let actor = try actor.actor()
        do {
            let records = actor.records(try PostgresSession(connectionString: databaseURL))
            try records.finish(records.begin("token", AccessSubject("user \(user)", userID: user), count: 1))
        } catch {
            throw Environment.failure(error)
        }
    }

    static func token(
        user: Int64, ttl: Int, secret: [UInt8], claim: String = "sub", issuer: String? = nil, audience: String? = nil
    ) throws -> String {
        let now = Int(Date().timeIntervalSince1970)
        let (expiry, overflow) = now.addingReportingOverflow(ttl)
        var claims: [UInt8] = Array("{".utf8)
        JSONWriter.append(string: claim, to: &claims)
        claims.append(contentsOf: ":\"\(user)\",\"iat\":\(now),\"exp\":\(overflow ? Int.max : expiry)".utf8)
        for (name, value) in [("iss", issuer), ("aud", audience)] {
            guard let value else { continue }
            claims.append(contentsOf: ",\"\(name)\":".utf8)
            JSONWriter.append(string: value, to: &claims)
        }
        claims.append(UInt8(ascii: "}"))
        return try JWTSigner(hs256Secret: secret).sign(claims: String(decoding: claims, as: UTF8.self))
    }
}
