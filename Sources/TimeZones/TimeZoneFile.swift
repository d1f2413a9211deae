/// The offsets of a time zone, read from a file in the Time Zone Information Format (RFC 9636), without leap seconds.
struct TimeZoneFile {
    /// From a time on, in seconds since the Unix epoch, clocks are ahead of UTC by `offset` seconds.
    struct Transition: Equatable {
        var time: Int64
        var offset: Int64
    }

    /// The offset before the first transition.
    let firstOffset: Int64
    /// In order of time.
    let transitions: [Transition]
    /// What applies after the last transition; `nil` when its offset does.
    let rule: TimeZoneRule?

    /// RFC 9636, section 4, allows none before.
    private static let earliest: Int64 = -1 << 59

    /// - Returns: `nil` for a file that is invalid, counts leap seconds, which no other clock here does, or is of version 1,
    ///   which has no rule for the future.
    init?(_ file: [UInt8]) {
        var reader = Reader(rest: file[...])
        guard let first = Header(&reader), first.version >= UInt8(ascii: "2"),
            reader.skip(first.blockLength(ofTimes: 4)), let header = Header(&reader), header.isValid(after: first),
            let times = reader.take(header.times, of: 8), let indexes = reader.take(header.times, of: 1),
            let types = reader.take(header.types, of: 6),
            reader.skip(header.blockLength(ofTimes: 8) - header.times * 9 - header.types * 6)
        else { return nil }
        let offsets = types.map { Int64(Int32(truncatingIfNeeded: $0 >> 16)) }
        guard offsets.allSatisfy({ abs($0) < 86_400 * 2 }), indexes.allSatisfy({ $0 < offsets.count }),
            zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }),
            times.allSatisfy({ (Self.earliest...(-Self.earliest)).contains($0) })
        else { return nil }
        firstOffset = offsets[0]
        transitions = zip(times, indexes).map { Transition(time: $0, offset: offsets[Int($1)]) }

        guard reader.rest.popFirst() == UInt8(ascii: "\n"), let end = reader.rest.firstIndex(of: UInt8(ascii: "\n"))
        else { return nil }
        let footer = reader.rest[..<end]
        rule = TimeZoneRule(footer)
        guard rule != nil || footer.isEmpty else { return nil }
    }

    /// The counts in front of a block of data (RFC 9636, section 3.1).
    private struct Header {
        let version: UInt8
        let utIndicators: Int
        let standardIndicators: Int
        let leapSeconds: Int
        let times: Int
        let types: Int
        let characters: Int

        init?(_ reader: inout Reader) {
            guard reader.rest.starts(with: Array("TZif".utf8)), reader.skip(4), let version = reader.rest.popFirst(),
                reader.skip(15), let counts = reader.take(6, of: 4), counts.allSatisfy({ (0...65_536).contains($0) })
            else { return nil }
            self.version = version
            (utIndicators, standardIndicators) = (Int(counts[0]), Int(counts[1]))
            (leapSeconds, times) = (Int(counts[2]), Int(counts[3]))
            (types, characters) = (Int(counts[4]), Int(counts[5]))
        }

        /// Whether the block after this header is one that is read.
        func isValid(after first: Header) -> Bool {
            version == first.version && leapSeconds == 0 && types > 0 && characters > 0
                && [utIndicators, standardIndicators].allSatisfy { $0 == 0 || $0 == types }
        }

        /// - Parameter size: bytes of a time.
        func blockLength(ofTimes size: Int) -> Int {
            times * (size + 1) + types * 6 + characters + leapSeconds * (size + 4) + standardIndicators + utIndicators
        }
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func skip(_ count: Int) -> Bool {
            guard count >= 0, count <= rest.count else { return false }
            rest.removeFirst(count)
            return true
        }

        /// Reads numbers of `size` bytes each, most significant byte first; sign-extended if they have 8 bytes.
        mutating func take(_ count: Int, of size: Int) -> [Int64]? {
            guard count * size <= rest.count else { return nil }
            return (0..<count).map { _ in
                let bytes = rest.prefix(size)
                rest.removeFirst(size)
                return Int64(bitPattern: bytes.reduce(0) { $0 << 8 | UInt64($1) })
            }
        }
    }
}
