import LUX
import Testing

/// The rows of the tables of devices and logs, in memory: applies plans as the store's SQL does.
struct MemoryLogs: Equatable {
    struct Log: Equatable {
        var id: Int64
        var pair: LogPair
        var logFileID: Int64?
        var start: Timestamp
        var finishFlag: Int16?
        var lastIntensity: Int32
        var treatmentTime: Int32
        var detailData: [UInt8]
        var completedStart: Timestamp?
        var completedTime: Int32?

        /// Everything but the id and the start of the temporary log that it was.
        mutating func take(_ record: DeviceLogRecord) {
            logFileID = record.isTemporary ? nil : record.logFileID
            start = record.start
            finishFlag = record.finishFlag
            lastIntensity = record.lastIntensity
            treatmentTime = record.treatmentTime
            detailData = record.detailData
        }

        init(id: Int64, record: DeviceLogRecord) {
            self.id = id
            pair = LogPair(deviceID: record.deviceID, childID: record.childID)
            start = record.start
            lastIntensity = 0
            treatmentTime = 0
            detailData = []
            take(record)
        }
    }

    struct Device: Equatable {
        var uniqueID: String
        var childID: Int64?
        var lastLogFileID: Int64 = 0
        var counterRestart: Timestamp?
    }

    var rootUserIDs: [Int64: Int64] = [:]
    var devices: [Int64: Device] = [:]
    var logs: [Log] = []

    /// What the store reads for an upload, and no more.
    func read(_ upload: LogUpload) -> StoredLogs {
        var stored = StoredLogs()
        for id in upload.childIDs { stored.rootUserIDs[id] = rootUserIDs[id] }
        for id in upload.deviceIDs {
            guard let device = devices[id] else { continue }
            let numbered = logs.filter { $0.pair.deviceID == id && $0.finishFlag != nil && $0.logFileID != nil }
            stored.devices[id] = StoredLogs.Device(
                uniqueID: device.uniqueID, realUserID: device.childID,
                counter: LogCounter(
                    last: device.lastLogFileID, restart: device.counterRestart,
                    latestStart: numbered.map(\.start).max()))
        }
        let named = Set(upload.deviceIDs)
        let keys = Set(upload.completeKeys)
        let starts = Set(upload.temporaryStarts)
        for log in logs where named.contains(log.pair.deviceID) {
            guard log.finishFlag != nil else {
                stored.temporaryLogs[log.pair] = StoredLogs.TemporaryLog(
                    id: log.id, start: log.start, treatmentTime: log.treatmentTime)
                continue
            }
            let key = CompleteLogKey(deviceID: log.pair.deviceID, logFileID: log.logFileID, start: log.start)
            if keys.contains(key) { stored.completeLogs[key] = (log.id, log.pair.childID) }
            guard let completedStart = log.completedStart else { continue }
            let start = TemporaryStart(pair: log.pair, start: completedStart)
            guard starts.contains(start) else { continue }
            // As the store's aggregates have it.
            let before = stored.completedTemporaries[start]
            let distance = abs(log.start.microseconds - completedStart.microseconds)
            stored.completedTemporaries[start] = CompletedTemporary(
                isSameTreatment: distance <= 120_000_000 || before?.isSameTreatment ?? false,
                treatmentTime: [log.completedTime, before?.treatmentTime].compactMap { $0 }.max())
        }
        return stored
    }

    /// Updates, then inserts, then sets the counters, with the unique indexes watched after each.
    mutating func apply(_ plan: LogPlan) {
        #expect(Set(plan.updates.map(\.logID)).count == plan.updates.count, "a log is updated once")
        for update in plan.updates {
            guard let index = logs.firstIndex(where: { $0.id == update.logID }) else {
                Issue.record("an update of log \(update.logID), which is not stored")
                continue
            }
            var log = logs[index]
            log.take(update.record)
            guard log != logs[index] else { continue }
            if let completed = update.completed {
                log.completedStart = completed.start
                log.completedTime = completed.treatmentTime
            }
            logs[index] = log
        }
        expectUnique()
        for record in plan.inserts { logs.append(Log(id: Int64(logs.count + 1), record: record)) }
        expectUnique()
        for (id, counter) in plan.counters {
            devices[id]?.lastLogFileID = counter.last
            devices[id]?.counterRestart = counter.restart
        }
    }

    /// The whole of `POST devlog` after its body is read.
    mutating func save(_ upload: LogUpload, userID: Int64) throws(RejectedRecord) -> LogPlan {
        let stored = read(upload)
        try stored.authorize(upload, userID: userID)
        let plan = LogPlan(upload, stored: stored)
        apply(plan)
        return plan
    }

    private func expectUnique() {
        var pairs: Set<LogPair> = []
        var keys: Set<CompleteLogKey> = []
        for log in logs {
            if log.finishFlag == nil {
                #expect(pairs.insert(log.pair).inserted, "a second temporary log of \(log.pair)")
            } else {
                let key = CompleteLogKey(deviceID: log.pair.deviceID, logFileID: log.logFileID, start: log.start)
                #expect(keys.insert(key).inserted, "a second complete log of \(key)")
            }
        }
    }
}
