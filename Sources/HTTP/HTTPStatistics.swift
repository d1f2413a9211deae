/// What a server has and has had, at most a tick old.
public struct HTTPStatistics: Sendable {
    /// Open connections.
    public var connections = 0
    /// Requests that are being answered.
    public var underWay = 0
    /// TLS handshakes that were completed.
    public var handshakes = 0

    static func + (one: HTTPStatistics, other: HTTPStatistics) -> HTTPStatistics {
        HTTPStatistics(
            connections: one.connections + other.connections, underWay: one.underWay + other.underWay,
            handshakes: one.handshakes + other.handshakes)
    }
}
