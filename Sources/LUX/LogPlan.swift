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
    ///
    /// - Parameter stored: may concern other uploads too.
    package init(_ upload: LogUpload, stored: StoredLogs) {
        var state = State(stored, recordCount: upload.records.count)
        for place in upload.records.indices {
            if upload.records[place].isTemporary {
                state.addTemporary(upload.records[place], at: place)
            } else {
                state.addComplete(upload.records[place], at: place)
            }
        }
        counts = state.counts
        for slot in state.slots {
            guard let place = slot.record else { continue }
            let record = upload.records[place]
            if let logID = slot.logID {
                updates.append(Update(logID: logID, record: record, completed: slot.completed))
            } else {
                inserts.append(record)
            }
        }
        updates.sort { $0.logID < $1.logID }
        for (id, numbers) in zip(state.devices.keys, state.devices.values) {
            let counter = numbers.counter
            if numbers.holes.isLeft(below: counter.last) { counts.holes += 1 }
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
        /// The place of the last record of this log.
        var record: Int?
    }

    private struct PairState {
        /// The slot of its temporary log.
        var temporary: Int?
        /// Whether a record of it was neither a repeat nor a late repeat.
        var isChanged = false
    }

    private struct DeviceNumbers {
        var counter: LogCounter
        var holes: NumberHoles
    }

    private struct State {
        let stored: StoredLogs
        var slots: [Slot] = []
        /// The slots of complete logs, once a record has named them.
        var completes: [CompleteLogKey: Int] = [:]
        var completedTemporaries: [TemporaryStart: CompletedTemporary]
        var pairs = RunMap<LogPair, PairState>()
        /// Of the devices with a complete record that has a number.
        var devices = RunMap<Int64, DeviceNumbers>()
        var counts = Counts()

        init(_ stored: StoredLogs, recordCount: Int) {
            self.stored = stored
            completedTemporaries = stored.completedTemporaries
            slots.reserveCapacity(recordCount)
            completes.reserveCapacity(recordCount)
        }

        /// The place of a pair's state.
        private mutating func place(of pair: LogPair) -> Int {
            if let place = pairs.place(of: pair) { return place }
            var state = PairState()
            if let log = stored.temporaryLogs[pair] {
                state.temporary = slots.count
                slots.append(Slot(logID: log.id, childID: pair.childID, temporary: log))
            }
            return pairs.add(state, for: pair)
        }

        /// The slot of a complete log that is stored or that an earlier record has created.
        private mutating func slot(of key: CompleteLogKey) -> Int? {
            if let index = completes[key] { return index }
            guard let log = stored.completeLogs[key] else { return nil }
            completes[key] = slots.count
            slots.append(Slot(logID: log.id, childID: log.childID))
            return slots.count - 1
        }

        mutating func addTemporary(_ record: DeviceLogRecord, at place: Int) {
            let start = TemporaryStart(pair: record.pair, start: record.start)
            if completedTemporaries[start]?.makesLate(record) ?? false {
                counts.repeated += 1
                return
            }
            let pair = self.place(of: record.pair)
            pairs.values[pair].isChanged = true
            if let index = pairs.values[pair].temporary {
                slots[index].record = place
                counts.temporaryUpdated += 1
            } else {
                pairs.values[pair].temporary = slots.count
                slots.append(Slot(childID: record.childID, record: place))
                counts.temporaryMade += 1
            }
        }

        mutating func addComplete(_ record: DeviceLogRecord, at place: Int) {
            let key = record.completeKey
            if let index = slot(of: key) {
                // Another child's log is never touched, though the device is this child's now.
                if slots[index].childID == record.childID { slots[index].record = place }
                counts.repeated += 1
                count(record, isRepeat: true)
                return
            }
            let pair = self.place(of: record.pair)
            let isFirstChange = !pairs.values[pair].isChanged
            pairs.values[pair].isChanged = true
            if isFirstChange, let index = pairs.values[pair].temporary {
                pairs.values[pair].temporary = nil
                completes[key] = index
                slots[index].record = place
                complete(index, with: record)
                counts.completed += 1
            } else {
                completes[key] = slots.count
                slots.append(Slot(childID: record.childID, record: place))
                counts.new += 1
            }
            count(record, isRepeat: false)
        }

        /// The temporary log is a stored one: a record of this upload that wrote it would have been the first change.
        private mutating func complete(_ index: Int, with record: DeviceLogRecord) {
            guard let temporary = slots[index].temporary else { return }
            slots[index].completed = temporary
            let completed = CompletedTemporary(
                temporaryStart: temporary.start, start: record.start, treatmentTime: temporary.treatmentTime)
            let key = TemporaryStart(pair: record.pair, start: temporary.start)
            completedTemporaries[key, default: completed].add(completed)
        }

        private mutating func count(_ record: DeviceLogRecord, isRepeat: Bool) {
            guard let number = record.logFileID else { return }
            let place = devices.place(of: record.deviceID) ?? addDevice(record.deviceID)
            if isRepeat {
                devices.values[place].counter.countRepeat(number, start: record.start)
            } else if devices.values[place].counter.countLog(number, start: record.start) {
                counts.restarts += 1
                devices.values[place].holes.restart(at: number)
            }
            if devices.values[place].counter.includes(record.start) { devices.values[place].holes.add(number) }
        }

        private mutating func addDevice(_ id: Int64) -> Int {
            let counter = stored.devices[id]?.counter ?? LogCounter()
            return devices.add(DeviceNumbers(counter: counter, holes: NumberHoles(counter)), for: id)
        }
    }
}
