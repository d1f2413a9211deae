import Bytes
import HTTP

/// Suggests the closest known route for an unknown path, for the log: a response never reveals what exists. An immutable value.
///
/// Nothing of the path itself is logged, as it may contain personal data.
struct NearestRoute: Sendable {
    /// Longer paths get no hint.
    private static let longest = 96
    /// Paths that differ in more characters are not considered similar.
    private static let mostDifference = 3

    private struct Entry {
        /// `GET /path`, as in the log.
        var description: String
        /// The path, and each of its ends that begins with a slash: a client may omit a prefix.
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

    /// The reason for a 404, with the hint.
    func cause(for path: String) -> String {
        guard let nearest = nearest(to: path) else { return "no such path" }
        return "no such path; nearest is \(nearest)"
    }

    private func nearest(to path: String) -> String? {
        guard path.utf8.count <= Self.longest else { return nil }
        let path = Self.normalized(path)
        // Shorter paths are similar to everything.
        guard path.count > 3 else { return nil }
        var best: (difference: Int, description: String)?
        for entry in entries {
            // A prefix before a whole path, or more segments after it.
            if let whole = entry.ends.first, path.count > whole.count,
                path.reversed().starts(with: whole.reversed())
                    || (path.starts(with: whole) && path[whole.count] == UInt8(ascii: "/"))
            {
                if best.map({ $0.difference > 2 }) ?? true { best = (2, entry.description) }
            }
            for end in entry.ends {
                let difference = Self.difference(between: path, and: end)
                let most = min(Self.mostDifference, min(end.count, path.count) / 4)
                if difference <= most, difference < best?.difference ?? .max {
                    best = (difference, entry.description)
                }
            }
        }
        return best?.description
    }

    /// In lower case, with hyphens for underscores, single slashes and none at the end.
    private static func normalized(_ path: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "_"): bytes.append(UInt8(ascii: "-"))
            case UInt8(ascii: "/") where bytes.last == UInt8(ascii: "/"): break
            default: bytes.append(byte.lowercased)
            }
        }
        if bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return bytes
    }

    /// The length of the part between the common prefix and the common suffix of two paths.
    static func difference(between one: [UInt8], and other: [UInt8]) -> Int {
        let shorter = min(one.count, other.count)
        let start = zip(one, other).prefix { $0 == $1 }.count
        let end = zip(one.reversed(), other.reversed()).prefix(shorter - start).prefix { $0 == $1 }.count
        return max(one.count, other.count) - start - end
    }
}
