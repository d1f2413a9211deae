/// The client that is charged for memory: the address of a client, and the account once its token was verified.
struct MemoryOwner: Hashable {
    /// `nil` for a trusted proxy, which has no share of its own.
    var client: ClientAddress.Network?
    var account: Int64?
}

/// Bytes of unfinished requests and unsent responses on one loop: in total, by client address and by account.
///
/// Each of them has a share, so that a client that exceeds one is rejected alone. Confined to its loop.
struct MemoryShares {
    /// Bytes of one connection that are not counted.
    static let uncountedBytes = 4 << 10

    private let limit: Int
    private let clientLimit: Int
    private let accountLimit: Int
    private(set) var total = 0
    /// The largest total since it was last 0 and ``takePeak()`` was called.
    private var peak = 0
    private var ofClient: [ClientAddress.Network: Int] = [:]
    private var ofAccount: [Int64: Int] = [:]

    /// - Parameter limit: bytes in total. A client address has a quarter of it, an account an eighth, but each at least one
    ///   request of the largest size.
    init(limit: Int, limits: HTTPLimits) {
        self.limit = limit
        let largest = min(limit, limits.bodyBytes + limits.headerBytes)
        clientLimit = max(limit / 4, largest)
        accountLimit = max(limit / 8, largest)
    }

    /// - Parameter change: bytes; negative to release them.
    mutating func charge(_ change: Int, to owner: MemoryOwner) {
        total += change
        peak = max(peak, total)
        if let client = owner.client { Self.add(change, to: client, in: &ofClient) }
        if let account = owner.account { Self.add(change, to: account, in: &ofAccount) }
        assert(total >= 0)
    }

    /// The largest total, once all of it was released; 0 before that.
    mutating func takePeak() -> Int {
        guard total == 0 else { return 0 }
        defer { peak = 0 }
        return peak
    }

    /// - Returns: the reason why the owner may use no more; `nil` when it may.
    func excess(of owner: MemoryOwner) -> String? {
        if let client = owner.client, ofClient[client, default: 0] > clientLimit {
            return "too many bytes of unfinished requests from one address"
        }
        if let account = owner.account, ofAccount[account, default: 0] > accountLimit {
            return "too many bytes of unfinished requests of one account"
        }
        return total > limit ? "too many bytes of unfinished requests" : nil
    }

    private static func add<Key>(_ change: Int, to key: Key, in table: inout [Key: Int]) {
        let value = table[key, default: 0] + change
        table[key] = value == 0 ? nil : value
    }
}
