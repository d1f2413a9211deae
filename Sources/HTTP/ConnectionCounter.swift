import Concurrency
import Glibc

/// Counts connections, in all and for each client, across all loops.
final class ConnectionCounter: Sendable {
    /// Why a connection is not taken.
    enum Refusal: String, Sendable {
        case total = "too many connections"
        case address = "too many connections of one client"
    }

    private struct Counts {
        var total = 0
        var clients: [ClientAddress: Int] = [:]
    }

    private let counts = Locked(Counts())
    private let limits: HTTPLimits

    init(limits: HTTPLimits) {
        self.limits = limits
    }

    /// Counts a connection; each that is not refused has to be given back with ``remove(_:)``.
    func add(_ client: ClientAddress) -> Refusal? {
        counts.withLock { counts in
            guard counts.total < limits.connections else { return .total }
            let count = counts.clients[client, default: 0]
            guard count < limits.connectionsPerClient else { return .address }
            counts.total += 1
            counts.clients[client] = count + 1
            return nil
        }
    }

    func remove(_ client: ClientAddress) {
        counts.withLock { counts in
            counts.total -= 1
            let count = counts.clients[client, default: 0] - 1
            counts.clients[client] = count > 0 ? count : nil
        }
    }
}

/// Who is at the other end: an IPv4 address, or the /64 network of an IPv6 one, which is what one customer gets.
struct ClientAddress: Hashable, Sendable {
    private let network: UInt64

    init(_ address: sockaddr_storage) {
        let family = Int32(address.ss_family)
        network = withUnsafeBytes(of: address) { bytes in
            switch family {
            case AF_INET:
                return UInt64(bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            case AF_INET6:
                let high = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                let low = bytes.loadUnaligned(fromByteOffset: 20, as: UInt32.self)
                // An IPv4 address in an IPv6 socket: ::ffff:0:0/96.
                return high == 0 ? UInt64(low) : high
            default:
                return 0
            }
        }
    }
}
