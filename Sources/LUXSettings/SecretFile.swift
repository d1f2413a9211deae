import Glibc

/// A file that contains one secret, as Docker and systemd mount secrets.
enum SecretFile {
    private static let maximumSize = 65_536

    /// - Returns: the content without the line ends at its end, which editors and echo(1) write; `nil` when the file cannot be
    ///   read, is empty or is not UTF-8 text without NUL.
    static func text(at path: String) -> String? {
        guard let bytes = bytes(at: path), !bytes.isEmpty, var secret = String(validating: bytes, as: UTF8.self),
            !secret.contains("\0")
        else { return nil }
        // CR LF is one Character.
        while secret.last?.isNewline == true { secret.removeLast() }
        return secret
    }

    private static func bytes(at path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while bytes.count < maximumSize {
            var chunk = [UInt8](repeating: 0, count: maximumSize - bytes.count)
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }
}
