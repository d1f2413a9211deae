import Glibc

/// Standard output, written in large pieces; a slow reader slows the writer down. Owned by its command and used on its thread.
package final class StandardOutput {
    /// It could not be written to.
    package struct Failure: Error, CustomStringConvertible {
        package var errorNumber: Int32

        package var description: String { "standard output: \(String(cString: strerror(errorNumber)))" }
    }

    private static let pieceSize = 65_536
    private var piece: [UInt8] = []

    package init() {}

    /// - Throws: ``Failure``.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        piece.append(contentsOf: bytes)
        if piece.count >= Self.pieceSize { try flush() }
    }

    /// Writes what is left; to be called at the end.
    ///
    /// - Throws: ``Failure``.
    package func flush() throws {
        var rest = piece[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure(errorNumber: errno) }
            rest = rest.dropFirst(count)
        }
        piece.removeAll(keepingCapacity: true)
    }
}
