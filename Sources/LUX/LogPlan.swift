/// What an upload makes of the stored logs: the state machine of temporary and complete logs.
///
/// A pure, total function of the upload and of what is stored. All records of one log are folded into its final state, so
/// that an upload that is sent again finds everything as it wants it and changes nothing.
package struct LogPlan: Sendable {
    /// A stored log that gets other values.
    package struct Update: Sendable {
        /// The log.
        package var logID: Int64
        /// Its values.
        package var record: DeviceLogRecord
        /// When this update completes a temporary log: the start that it had.
        package var completedStart: Timestamp?
    }

    /// How many records did what, for metrics.
    package struct Counts: Sendable, Equatable {
        /// Records that made a temporary log.
        package var temporaryMade = 0
        /// Records that updated a temporary log.
        package var temporaryUpdated = 0
        /// Records that completed a temporary log.
        package var completed = 0
        /// Records that were a new complete log.
        package var new = 0
        /// Records that had been stored before.
        package var repeated = 0

        /// None.
        package init() {}

        /// Adds those of another upload.
        package mutating func add(_ other: Counts) {
            temporaryMade += other.temporaryMade
            temporaryUpdated += other.temporaryUpdated
            completed += other.completed
            new += other.new
            repeated += other.repeated
        }
    }

    /// Stored logs to change, each once.
    package private(set) var updates: [Update] = []
    /// New logs, in the order in which they first appeared.
    package private(set) var inserts: [DeviceLogRecord] = []
    /// The highest `log_file_id` among the complete records of each device.
    package private(set) var lastLogFileIDs: [Int64: Int64] = [:]
    /// How many records did what.
    package private(set) var counts = Counts()

    /// A log, stored or new, while the records pass by.
    private struct Slot {
        var logID: Int64?
        var childID: Int64
        var start: Timestamp
        var completedStart: Timestamp?
        var record: DeviceLogRecord?
    }

    /// Adds the plan of another upload, one that concerns no log of this plan.
    package mutating func add(_ other: LogPlan) {
        updates += other.updates
        inserts += other.inserts
        lastLogFileIDs.merge(other.lastLogFileIDs, uniquingKeysWith: max)
        counts.add(other.counts)
    }

    /// Handles the records in order.
    package init(_ upload: LogUpload, stored: StoredLogs) {
        var slots: [Slot] = []
        var temporaries: [LogPair: Int] = [:]
        var completes: [CompleteLogKey: Int] = [:]
        var completedTemporaries = stored.completedTemporaries
        for (pair, log) in stored.temporaryLogs {
            temporaries[pair] = slots.count
            slots.append(Slot(logID: log.id, childID: pair.childID, start: log.start))
        }
        for (key, log) in stored.completeLogs {
            completes[key] = slots.count
            slots.append(Slot(logID: log.id, childID: log.childID, start: key.start))
        }

        var seenPairs: Set<LogPair> = []
        for record in upload.records {
            let pair = record.pair
            let isFirstOfPair = seenPairs.insert(pair).inserted
            if record.isTemporary {
                if completedTemporaries.contains(TemporaryStart(pair: pair, start: record.start)) {
                    counts.repeated += 1
                } else if let index = temporaries[pair] {
                    slots[index].start = record.start
                    slots[index].record = record
                    counts.temporaryUpdated += 1
                } else {
                    temporaries[pair] = slots.count
                    slots.append(Slot(childID: pair.childID, start: record.start, record: record))
                    counts.temporaryMade += 1
                }
                continue
            }
            if let logFileID = record.logFileID {
                lastLogFileIDs[record.deviceID] = max(logFileID, lastLogFileIDs[record.deviceID] ?? 0)
            }
            if let index = completes[record.completeKey] {
                // Another child's log is never touched, though the device is this child's now.
                if slots[index].childID == record.childID { slots[index].record = record }
                counts.repeated += 1
            } else if isFirstOfPair, let index = temporaries.removeValue(forKey: pair) {
                completedTemporaries.insert(TemporaryStart(pair: pair, start: slots[index].start))
                slots[index].completedStart = slots[index].start
                slots[index].record = record
                completes[record.completeKey] = index
                counts.completed += 1
            } else {
                completes[record.completeKey] = slots.count
                slots.append(Slot(childID: record.childID, start: record.start, record: record))
                counts.new += 1
            }
        }

        for slot in slots {
            guard let record = slot.record else { continue }
            if let logID = slot.logID {
                updates.append(Update(logID: logID, record: record, completedStart: slot.completedStart))
            } else {
                inserts.append(record)
            }
        }
        updates.sort { $0.logID < $1.logID }
    }
}
