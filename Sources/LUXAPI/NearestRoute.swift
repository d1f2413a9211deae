import HTTP

/// Suggests the closest known route for an unknown path. For the log: a response never reveals what exists.
///
/// Nothing of the path itself is logged, as it may contain personal data.
struct NearestRoute: Sendable {
    /// Longer paths are not looked at.
    private static let longest = 96
    /// Of two paths that differ more nobody would say that they are alike.
    private static let mostEdits = 3

    private struct Entry {
        /// `GET /path`, as the log has it.
        var description: String
        /// The path, and each of its ends that begins with a slash: a prefix may have been forgotten.
        var ends: [[UInt8]]
    }

    private let entries: [Entry]

    init(_ routes: [Route]) {
        entries = routes.map { route in
            let path = Self.normalized(route.path)
            let starts = path.indices.filter { path[$0] == UInt8(ascii: "/") }
            return Entry(
                description: "\(route.method.rawValue) \(route.path)", ends: starts.map { Array(path[$0...]) })
        }
    }

    /// Why there is nothing at a path.
    func cause(for path: String) -> String {
        guard let nearest = nearest(to: path) else { return "no such path" }
        return "no such path; nearest is \(nearest)"
    }

    private func nearest(to path: String) -> String? {
        guard path.utf8.count <= Self.longest else { return nil }
        let path = Self.normalized(path)
        // A slash and two characters are like everything.
        guard path.count > 3 else { return nil }
        var best: (edits: Int, description: String)?
        for entry in entries {
            // Something in front of a whole path or behind it.
            if let whole = entry.ends.first, path.count > whole.count,
                path.reversed().starts(with: whole.reversed())
                    || (path.starts(with: whole) && path[whole.count] == UInt8(ascii: "/"))
            {
                if best.map({ $0.edits > 2 }) ?? true { best = (2, entry.description) }
            }
            for end in entry.ends {
                let most = min(Self.mostEdits, min(end.count, path.count) / 4, (best?.edits ?? .max) - 1)
                guard let edits = Self.edits(from: path, to: end, atMost: most) else { continue }
                best = (edits, entry.description)
            }
        }
        return best?.description
    }

    /// In lower case, with hyphens for underscores, single slashes and none at the end.
    private static func normalized(_ path: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): bytes.append(byte | 0x20)
            case UInt8(ascii: "_"): bytes.append(UInt8(ascii: "-"))
            case UInt8(ascii: "/") where bytes.last == UInt8(ascii: "/"): break
            default: bytes.append(byte)
            }
        }
        if bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return bytes
    }

    /// Levenshtein's distance, if it is not larger than `limit`: only the diagonals that near are worked out.
    static func edits(from one: [UInt8], to other: [UInt8], atMost limit: Int) -> Int? {
        guard limit >= 0, abs(one.count - other.count) <= limit else { return nil }
        var row = Array(0...other.count)
        var next = [Int](repeating: 0, count: other.count + 1)
        for (i, byte) in one.enumerated() {
            let first = max(1, i + 1 - limit)
            let last = min(other.count, i + 1 + limit)
            next[first - 1] = first == 1 ? i + 1 : limit + 1
            if last < other.count { next[last + 1] = limit + 1 }
            var least = next[first - 1]
            for j in stride(from: first, through: last, by: 1) {
                let change = row[j - 1] + (byte == other[j - 1] ? 0 : 1)
                next[j] = min(change, row[j] + 1, next[j - 1] + 1)
                least = min(least, next[j])
            }
            guard least <= limit else { return nil }
            swap(&row, &next)
        }
        return row[other.count] <= limit ? row[other.count] : nil
    }
}
