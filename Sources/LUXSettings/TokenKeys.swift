import FoundationEssentials
import Glibc
import JWT

/// Why the keys of access tokens cannot be loaded. Never contains a secret, nor a path, which may be a secret put in the
/// wrong place.
package struct TokenKeyError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Where the keys of access tokens come from, for the start and for each reload.
package enum TokenKeys: Equatable, Sendable {
    /// Shared secrets from the environment.
    case secrets([[UInt8]])
    /// A file of shared secrets, one per line.
    case secretFile(String)
    /// A file with a public key as PEM, or a JWKS.
    case publicKeyFile(String)
    /// A JWKS that is fetched while the server runs.
    case keySetURL(KeySetSource)

    /// The minimum that RFC 7518 section 3.2 allows for HS256, in bytes.
    private static let minimum = 32

    /// Much more than any set of keys needs.
    private static let maximumFileSize = 1_048_576

    /// The file that may change while the server runs.
    package var file: String? {
        switch self {
        case .secrets, .keySetURL: nil
        case .secretFile(let path), .publicKeyFile(let path): path
        }
    }

    /// Where they are fetched from, if they are.
    package var keySet: KeySetSource? {
        if case .keySetURL(let source) = self { source } else { nil }
    }

    /// Whether they are a set that somebody else publishes, for several services perhaps.
    package var isKeySet: Bool {
        if keySet != nil { return true }
        guard case .publicKeyFile(let path) = self, let contents = try? Self.contents(path) else { return false }
        return VerificationKeys.isJSON(contents)
    }

    /// Reads and checks the keys; those of a URL are fetched later.
    ///
    /// - Parameter warn: receives each key of a JWKS that is left out.
    package func load(warn: (KeySetWarning) -> Void = { _ in }) throws(TokenKeyError) -> VerificationKeys {
        switch self {
        case .secrets(let secrets): return try Self.keys(secrets)
        case .keySetURL: return .notLoaded
        case .secretFile(let path): return try Self.keys(Self.secrets(inFile: Self.contents(path)))
        case .publicKeyFile(let path):
            let contents = try Self.contents(path)
            do throws(KeyError) {
                return try VerificationKeys(publicKeyFile: contents, warn: warn)
            } catch {
                throw TokenKeyError("the file \(error)")
            }
        }
    }

    /// The secret that tokens for development are signed with: the first.
    package func signingSecret() throws(TokenKeyError) -> [UInt8] {
        switch self {
        case .secrets(let secrets): return secrets.first ?? []
        case .secretFile(let path): return try Self.secrets(inFile: Self.contents(path)).first ?? []
        case .publicKeyFile, .keySetURL: throw TokenKeyError("a public key signs no tokens; set LUX_JWT_SECRET")
        }
    }

    /// The secrets of a variable, separated by commas.
    package static func secrets(inVariable text: String) throws(TokenKeyError) -> [[UInt8]] {
        if let reason = SecretText.error(in: Array(text.utf8)) { throw TokenKeyError(reason) }
        let parts = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { Array($0) }
        // A blank next to a comma would become part of a secret, and nothing would show why no token is accepted.
        let blanks: [UInt8?] = [0x20, 0x09, 0x0A, 0x0D]
        let isBlank = parts.contains { blanks.contains($0.first) || blanks.contains($0.last) }
        guard parts.count == 1 || !isBlank else {
            throw TokenKeyError("white space beside the commas between secrets is not allowed")
        }
        return try checked(parts)
    }

    /// The secrets of a file, one per line; empty lines are ignored.
    package static func secrets(inFile bytes: [UInt8]) throws(TokenKeyError) -> [[UInt8]] {
        // Of the whole file first: a PEM key has several lines.
        if let reason = SecretText.error(inFile: bytes) { throw TokenKeyError(reason) }
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map { line in
            Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
        }
        let secrets = lines.filter { !$0.isEmpty }
        guard !secrets.isEmpty else { throw TokenKeyError("the file contains no secret") }
        return try checked(secrets)
    }

    private static func checked(_ secrets: [[UInt8]]) throws(TokenKeyError) -> [[UInt8]] {
        for (index, secret) in secrets.enumerated() {
            guard let reason = SecretText.error(in: secret) else { continue }
            throw TokenKeyError(
                secrets.count == 1 ? reason : "number \(index + 1) of the \(secrets.count) secrets \(reason)")
        }
        guard let short = secrets.firstIndex(where: { $0.count < minimum }) else { return secrets }
        let which = secrets.count == 1 ? "" : ": number \(short + 1) of the \(secrets.count) secrets is shorter"
        throw TokenKeyError("must have at least \(minimum) bytes\(which)")
    }

    private static func keys(_ secrets: [[UInt8]]) throws(TokenKeyError) -> VerificationKeys {
        do throws(JWTError) {
            return try VerificationKeys(hs256Secrets: secrets)
        } catch {
            throw TokenKeyError("\(error)")
        }
    }

    private static func contents(_ path: String) throws(TokenKeyError) -> [UInt8] {
        guard !path.hasPrefix("-----BEGIN") else {
            throw TokenKeyError("must be the path of a file, not its content")
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw TokenKeyError("the file cannot be read: \(String(cString: strerror(errno)))")
        }
        // Reading a pipe or a device might never end.
        guard status.st_mode & S_IFMT == S_IFREG else { throw TokenKeyError("is not a file") }
        guard status.st_size <= maximumFileSize else {
            throw TokenKeyError("the file has more than \(maximumFileSize) bytes")
        }
        do {
            return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw TokenKeyError("the file cannot be read")
        }
    }
}
