import ArgumentParser
import Foundation
import JSON
import JWT
import LUXSettings

/// `lux-server token`
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Print an access token for development (HS256).")

    @Option(help: "The id of the user.")
    var user: Int64

    @Option(help: "Seconds for which it is valid.")
    var ttl: Int = 3_600

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let token = try options.read { reader in
            let secret = reader.signingSecret()
            guard reader.faults.isEmpty else { return "" }
            return try Self.token(
                user: user, ttl: ttl, secret: secret, claim: reader.read(\.tokens.userClaim),
                issuer: reader.read(\.tokens.issuer), audience: reader.read(\.tokens.audience))
        }
        print(token)
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
