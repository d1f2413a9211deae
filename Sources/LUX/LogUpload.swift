/// The records of one request, and the keys by which the stored rows that they concern are found. A value; never throws.
package struct LogUpload: Sendable {
    /// How many records one upload may have.
    package static let maximumRecords = 5_000

    /// The records in the order of the request.
    package let records: [DeviceLogRecord]

    package init(_ records: [DeviceLogRecord]) {
        self.records = records
    }

    /// Whether every record is temporary; the response's wording depends on it.
    package var isTemporary: Bool { records.allSatisfy(\.isTemporary) }

    /// The bytes of `detail_data` of all records.
    package var detailBytes: Int { records.reduce(0) { $0 + $1.detailData.count } }

    /// The places of the records whose date cannot be right: before 2015, or more than a day ahead. They are stored all the same.
    package func implausibleDates(now: Timestamp) -> [Int] {
        let first = Timestamp(microseconds: 1_420_070_400_000_000)  // 2015-01-01T00:00:00Z
        let last = now.adding(seconds: 86_400)
        return records.indices.filter { records[$0].date < first || records[$0].date > last }
    }

    /// The children named, each once, in ascending order.
    package var childIDs: [Int64] { distinct(records.column { $0.childID }) }

    /// The devices named, each once, in ascending order: the order in which they are locked.
    package var deviceIDs: [Int64] { distinct(records.column { $0.deviceID }) }

    /// The devices with a complete record that has a number, in ascending order.
    package var numberedDeviceIDs: [Int64] {
        distinct(records.column { $0.isTemporary || $0.logFileID == nil ? nil : $0.deviceID }.lazy.compactMap { $0 })
    }

    /// The keys of the complete records, in order; a key that occurs twice is included twice.
    package var completeKeys: [CompleteLogKey] {
        records.column { $0.isTemporary ? nil : $0.completeKey }.compactMap { $0 }
    }

    /// The starts of the temporary records, in order; a start that occurs twice is included twice.
    package var temporaryStarts: [TemporaryStart] {
        records.column { $0.isTemporary ? TemporaryStart(pair: $0.pair, start: $0.start) : nil }.compactMap { $0 }
    }
}

/// Each value once, in ascending order. Runs of equal values cost a comparison each.
package func distinct(_ values: some Sequence<Int64>) -> [Int64] {
    var sorted: [Int64] = []
    for value in values where value != sorted.last { sorted.append(value) }
    sorted.sort()
    var distinct: [Int64] = []
    for value in sorted where value != distinct.last { distinct.append(value) }
    return distinct
}

extension Array {
    /// As `map`, but reads the elements in place: a copy of a record counts its references, which for an upload of 50 records was a tenth of
    /// the server's time.
    @inlinable package func column<Value>(_ read: (borrowing Element) -> Value) -> [Value] {
        withUnsafeBufferPointer { elements in
            var values: [Value] = []
            values.reserveCapacity(elements.count)
            for index in elements.indices { values.append(read(elements[index])) }
            return values
        }
    }
}
