import Glibc

/// The bytes of a file, a pipe or standard input, piece by piece. Owned by its command and used on its thread; closes what it opened.
package final class ProvisioningInput {
    /// It cannot be read; the description is the reason.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        fileprivate init(_ number: Int32) {
            description = String(cString: strerror(number))
        }
    }

    private static let pieceSize = 65_536

    /// In bytes; `nil` where it is not known.
    package let size: Int?
    private let descriptor: Int32
    private let isOwned: Bool

    /// - Parameter path: a path, or `-` for standard input.
    /// - Throws: ``Failure``.
    package init(path: String) throws(Failure) {
        isOwned = path != "-"
        descriptor = isOwned ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO
        guard descriptor >= 0 else { throw Failure(errno) }
        var status = stat()
        let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        size = isFile ? Int(status.st_size) : nil
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// The next bytes; empty at the end.
    ///
    /// - Throws: ``Failure``.
    package func next() throws(Failure) -> [UInt8] {
        var failure: Int32 = 0
        let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, count in
            var result = 0
            repeat {
                result = read(descriptor, buffer.baseAddress, buffer.count)
            } while result < 0 && errno == EINTR
            if result < 0 { failure = errno }
            count = max(0, result)
        }
        guard failure == 0 else { throw Failure(failure) }
        return piece
    }
}
