/// The counters of a server, at most a tick old.
package struct HTTPStatistics: Sendable {
    /// Open connections.
    package var connections = 0
    /// Requests in flight.
    package var inFlight = 0
    /// TLS handshakes that were completed.
    package var handshakes = 0

    static func + (one: HTTPStatistics, other: HTTPStatistics) -> HTTPStatistics {
        HTTPStatistics(
            connections: one.connections + other.connections, inFlight: one.inFlight + other.inFlight,
            handshakes: one.handshakes + other.handshakes)
    }
}
