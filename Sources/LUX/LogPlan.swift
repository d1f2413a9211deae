/// What an upload changes in the stored logs: the state machine of temporary and complete logs.
///
/// A pure, total function of the upload and of what is stored. All records of one log are folded into its final state, so
/// that an upload that is sent again changes nothing.
package struct LogPlan: Sendable {
    /// A stored log that gets other values.
    package struct Update: Sendable {
        package var logID: Int64
        package var record: DeviceLogRecord
        /// The temporary log that the update completes.
        package var completed: StoredLogs.TemporaryLog?
    }

    /// How many records did what, for metrics.
    package struct Counts: Sendable, Equatable {
        /// Records that created a temporary log.
        package var temporaryMade = 0
        /// Records that updated a temporary log.
        package var temporaryUpdated = 0
        /// Records that completed a temporary log.
        package var completed = 0
        /// Records that were a new complete log.
        package var new = 0
        /// Records that had been stored before, and late ones.
        package var repeated = 0
        /// Records that showed that a device's counter has restarted.
        package var restarts = 0
        /// Devices for which the upload left a number out.
        package var holes = 0

        package init() {}

        /// Adds those of another upload.
        package mutating func add(_ other: Counts) {
            temporaryMade += other.temporaryMade
            temporaryUpdated += other.temporaryUpdated
            completed += other.completed
            new += other.new
            repeated += other.repeated
            restarts += other.restarts
            holes += other.holes
        }
    }

    /// Stored logs to change, each once, in ascending order of their ids.
    package private(set) var updates: [Update] = []
    /// New logs, in the order in which they first appeared.
    package private(set) var inserts: [DeviceLogRecord] = []
    /// The counters that change.
    package private(set) var counters: [Int64: LogCounter] = [:]
    package private(set) var counts = Counts()

    /// Adds the plan of another upload, one that concerns no log and no device of this plan.
    package mutating func add(_ other: LogPlan) {
        updates += other.updates
        inserts += other.inserts
        counters.merge(other.counters) { own, _ in own }
        counts.add(other.counts)
    }

    /// Plans the records in order.
    package init(_ upload: LogUpload, stored: StoredLogs) {
        var state = State(stored)
        for record in upload.records {
            if record.isTemporary { state.addTemporary(record) } else { state.addComplete(record) }
        }
        counts = state.counts
        for slot in state.slots {
            guard let record = slot.record else { continue }
            if let logID = slot.logID {
                updates.append(Update(logID: logID, record: record, completed: slot.completed))
            } else {
                inserts.append(record)
            }
        }
        updates.sort { $0.logID < $1.logID }
        for (id, counter) in state.counters {
            if state.holes[id]?.isLeft(below: counter.last) ?? false { counts.holes += 1 }
            guard let before = stored.devices[id]?.counter,
                (before.last, before.restart) != (counter.last, counter.restart)
            else { continue }
            counters[id] = counter
        }
    }

    /// Working state of one log while records are folded.
    private struct Slot {
        var logID: Int64?
        var childID: Int64
        /// What is stored of a temporary log.
        var temporary: StoredLogs.TemporaryLog?
        /// The temporary log that has become this complete one.
        var completed: StoredLogs.TemporaryLog?
        /// The last record of this log.
        var record: DeviceLogRecord?
    }

    private struct State {
        var slots: [Slot] = []
        var temporaries: [LogPair: Int] = [:]
        var completes: [CompleteLogKey: Int] = [:]
        var completedTemporaries: [TemporaryStart: CompletedTemporary]
        /// The pairs of which a record was neither a repeat nor a late repeat.
        var changedPairs: Set<LogPair> = []
        let devices: [Int64: StoredLogs.Device]
        /// Of the devices with a complete record that has a number.
        var counters: [Int64: LogCounter] = [:]
        var holes: [Int64: NumberHoles] = [:]
        var counts = Counts()

        init(_ stored: StoredLogs) {
            completedTemporaries = stored.completedTemporaries
            devices = stored.devices
            for (pair, log) in stored.temporaryLogs {
                temporaries[pair] = slots.count
                slots.append(Slot(logID: log.id, childID: pair.childID, temporary: log))
            }
            for (key, log) in stored.completeLogs {
                completes[key] = slots.count
                slots.append(Slot(logID: log.id, childID: log.childID))
            }
        }

        mutating func addTemporary(_ record: DeviceLogRecord) {
            let start = TemporaryStart(pair: record.pair, start: record.start)
            if completedTemporaries[start]?.makesLate(record) ?? false {
                counts.repeated += 1
                return
            }
            changedPairs.insert(record.pair)
            if let index = temporaries[record.pair] {
                slots[index].record = record
                counts.temporaryUpdated += 1
            } else {
                temporaries[record.pair] = slots.count
                slots.append(Slot(childID: record.childID, record: record))
                counts.temporaryMade += 1
            }
        }

        mutating func addComplete(_ record: DeviceLogRecord) {
            if let index = completes[record.completeKey] {
                // Another child's log is never touched, though the device is this child's now.
                if slots[index].childID == record.childID { slots[index].record = record }
                counts.repeated += 1
                count(record, isRepeat: true)
                return
            }
            let isFirstChange = changedPairs.insert(record.pair).inserted
            if isFirstChange, let index = temporaries.removeValue(forKey: record.pair) {
                complete(index, with: record)
                counts.completed += 1
            } else {
                completes[record.completeKey] = slots.count
                slots.append(Slot(childID: record.childID, record: record))
                counts.new += 1
            }
            count(record, isRepeat: false)
        }

        /// The temporary log is a stored one: a record of this upload that wrote it would have been the first change.
        private mutating func complete(_ index: Int, with record: DeviceLogRecord) {
            completes[record.completeKey] = index
            slots[index].record = record
            guard let temporary = slots[index].temporary else { return }
            slots[index].completed = temporary
            let completed = CompletedTemporary(
                temporaryStart: temporary.start, start: record.start, treatmentTime: temporary.treatmentTime)
            let key = TemporaryStart(pair: record.pair, start: temporary.start)
            completedTemporaries[key, default: completed].add(completed)
        }

        private mutating func count(_ record: DeviceLogRecord, isRepeat: Bool) {
            guard let number = record.logFileID else { return }
            var counter = counters[record.deviceID] ?? devices[record.deviceID]?.counter ?? LogCounter()
            var holes = holes[record.deviceID] ?? NumberHoles(counter)
            if isRepeat {
                counter.countRepeat(number, start: record.start)
            } else if counter.countLog(number, start: record.start) {
                counts.restarts += 1
                holes.restart(at: number)
            }
            if counter.includes(record.start) { holes.add(number) }
            counters[record.deviceID] = counter
            self.holes[record.deviceID] = holes
        }
    }
}
