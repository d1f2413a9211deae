/// The web hook of the message provider, `POST /callbacks/alimtalk/{provider}/{secret}`: a hint that results have changed.
///
/// No provider signs its body, so the body is not used: a client that knows the secret can only trigger a poll. An
/// immutable value that all loops share.
package struct MessageCallback: Sendable {
    /// As the log and the metrics name it, without the secret.
    static let route = prefix + "{provider}/{secret}"
    private static let prefix = "/callbacks/alimtalk/"

    private let end: [UInt8]
    let onHint: @Sendable () -> Void

    /// - Parameter onHint: called on any loop.
    package init(provider: String, secret: String, onHint: @escaping @Sendable () -> Void) {
        end = Array("\(provider)/\(secret)".utf8)
        self.onHint = onHint
    }

    /// Whether a path is that of a callback, with the right secret or not.
    static func isCallback(_ path: String) -> Bool { path.hasPrefix(prefix) }

    /// Whether provider and secret are right, in a time that depends on the length of the path alone.
    func accepts(_ path: String) -> Bool {
        let given = Array(path.utf8.dropFirst(Self.prefix.utf8.count))
        var difference: UInt8 = given.count == end.count ? 0 : 1
        for index in given.indices { difference |= given[index] ^ end[index % end.count] }
        return difference == 0
    }
}
