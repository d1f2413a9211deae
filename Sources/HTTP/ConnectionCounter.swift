import Concurrency

/// Counts connections, in total and for each client network, across all loops. May be used from any thread.
final class ConnectionCounter: Sendable {
    /// Why a connection is rejected.
    enum Rejection: String, Sendable {
        case total = "too many connections"
        case address = "too many connections of one client"
    }

    private struct Counts {
        var total = 0
        var clients: [ClientAddress.Network: Int] = [:]
    }

    private let counts = Locked(Counts())
    private let limits: HTTPLimits

    init(limits: HTTPLimits) {
        self.limits = limits
    }

    /// Counts a connection; each that is not rejected must be released with ``remove(_:)``.
    ///
    /// - Parameter client: `nil` for a trusted proxy, which has no share of its own.
    func add(_ client: ClientAddress?) -> Rejection? {
        counts.withLock { counts in
            guard counts.total < limits.connections else { return .total }
            guard Self.add(client, to: &counts, limits) else { return .address }
            counts.total += 1
            return nil
        }
    }

    /// Counts an open connection of a trusted proxy for the client behind it.
    ///
    /// - Returns: whether the client's share allows it.
    func assign(_ client: ClientAddress) -> Bool {
        counts.withLock { Self.add(client, to: &$0, limits) }
    }

    func remove(_ client: ClientAddress?) {
        counts.withLock { counts in
            counts.total -= 1
            guard let network = client?.network else { return }
            let count = counts.clients[network, default: 0] - 1
            counts.clients[network] = count > 0 ? count : nil
        }
    }

    private static func add(_ client: ClientAddress?, to counts: inout Counts, _ limits: HTTPLimits) -> Bool {
        guard let network = client?.network else { return true }
        let count = counts.clients[network, default: 0]
        guard count < limits.connectionsPerClient else { return false }
        counts.clients[network] = count + 1
        return true
    }
}
