import Foundation

/// A file that contains one secret, as Docker and systemd mount secrets.
enum SecretFile {
    private static let maximumSize = 65_536

    /// - Returns: the content without the line ends at its end, which editors and echo(1) write; `nil` when the file cannot be
    ///   read or is not UTF-8 text without NUL.
    static func text(at path: String) -> String? {
        guard let handle = FileHandle(forReadingAtPath: path),
            let bytes = try? handle.read(upToCount: maximumSize),
            var secret = String(validating: bytes, as: UTF8.self), !secret.contains("\0")
        else { return nil }
        // CR LF is one Character.
        while secret.last?.isNewline == true { secret.removeLast() }
        return secret
    }
}
