import LUX
import LUXTestSupport
import Testing

/// Plans of random uploads against the rules carried out record by record.
@Suite struct LogPlanRandomTests {
    @Test func `equals the rules carried out one record at a time`() throws {
        var random = SplitMix64(state: 0x1CE_B00DA)
        var total = [0, 0, 0, 0, 0]
        for world in 0..<2_000 {
            var memory = MemoryLogs.ruleWorld
            for number in 0..<10 {
                if Int.random(in: 0..<6, using: &random) == 0 {
                    memory.devices[101]?.childID = [11, 12, 21].randomElement(using: &random)
                }
                let userID: Int64 = memory.devices[101]?.childID == 21 ? 2 : 1
                let records = try records(for: memory, userID: userID, using: &random)
                let (expected, counts) = oneByOne(records, from: memory)
                let before = memory
                let plan = try memory.save(LogUpload(records), userID: userID)
                guard memory == expected, plan.counts.list == counts else {
                    Issue.record("world \(world), upload \(number): \(records) on \(before.logs) gave \(memory.logs)")
                    return
                }
                // The store reads what several uploads need together.
                let others = try self.records(for: before, userID: userID, using: &random)
                let wide = LogPlan(LogUpload(records), stored: before.read(LogUpload(records + others)))
                #expect(wide.counts == plan.counts && wide.counters == plan.counters)
                #expect(wide.updates.map(\.logID) == plan.updates.map(\.logID) && wide.inserts == plan.inserts)
                let stored = memory
                _ = try memory.save(LogUpload(records), userID: userID)
                #expect(memory == stored, "world \(world), upload \(number), repeated: \(records) on \(before.logs)")
                for (index, count) in counts.enumerated() { total[index] += count }
            }
        }
        #expect(total.allSatisfy { $0 > 2_000 }, "each rule was walked often: \(total)")
    }

    /// Few starts, file ids and values, so that uploads collide in every way.
    private func records(
        for memory: MemoryLogs, userID: Int64, using random: inout SplitMix64
    ) throws -> [DeviceLogRecord] {
        let pairs = memory.devices.keys.sorted().compactMap { id -> (device: Int64, child: Int64)? in
            guard let child = memory.devices[id]?.childID, memory.rootUserIDs[child] == userID else { return nil }
            return (id, child)
        }
        return try (0..<Int.random(in: 1...6, using: &random)).map { _ in
            let pair = try #require(pairs.randomElement(using: &random))
            // Up to 180 seconds apart, so that the complete log of a temporary one is within 120 seconds of it or not.
            let second = Int64.random(in: 0..<4, using: &random) * 60 + Int64.random(in: 0...1, using: &random) * 30
            let isTemporary = Int.random(in: 0..<5, using: &random) < 2
            return DeviceLogRecord(
                childID: pair.child, deviceID: pair.device, uniqueID: "unit-\(pair.device)",
                logFileID: [nil, 0, 1, 2].randomElement(using: &random) ?? nil,
                date: Timestamp(microseconds: second * 1_000_000),
                finishFlag: isTemporary ? nil : Int16.random(in: 1...2, using: &random),
                lastIntensity: Int32.random(in: 0..<3, using: &random),
                treatmentTime: Int32.random(in: 1...3, using: &random) * 30,
                detailData: [UInt8.random(in: 0..<2, using: &random)])
        }
    }

    /// The rules as they are written, with every log looked at for every record.
    private func oneByOne(_ records: [DeviceLogRecord], from before: MemoryLogs) -> (MemoryLogs, [Int]) {
        var memory = before
        var (created, updated, completed, new, repeated) = (0, 0, 0, 0, 0)
        var changed: [(device: Int64, child: Int64)] = []
        for record in records {
            func isOfPair(_ log: MemoryLogs.Log) -> Bool {
                log.pair.deviceID == record.deviceID && log.pair.childID == record.childID
            }
            let temporary = memory.logs.firstIndex { isOfPair($0) && $0.finishFlag == nil }
            let log = MemoryLogs.Log(id: Int64(memory.logs.count + 1), record: record)
            guard record.finishFlag != nil else {
                let start = record.date.microseconds - 30_000_000
                let isLate = memory.logs.contains {
                    isOfPair($0) && $0.finishFlag != nil && $0.completedStart?.microseconds == start
                        && (abs($0.start.microseconds - start) <= 120_000_000
                            || record.treatmentTime <= $0.completedTime ?? -1)
                }
                if isLate {
                    repeated += 1
                    continue
                }
                changed.append((record.deviceID, record.childID))
                if let temporary {
                    memory.logs[temporary].take(record)
                    updated += 1
                } else {
                    memory.logs.append(log)
                    created += 1
                }
                continue
            }
            let same = memory.logs.firstIndex {
                $0.finishFlag != nil && $0.pair.deviceID == record.deviceID && $0.logFileID == record.logFileID
                    && $0.start == record.date
            }
            count(record, isRepeat: same != nil, in: &memory)
            let isFirst = !changed.contains { $0 == (record.deviceID, record.childID) }
            if let same {
                if isOfPair(memory.logs[same]) { memory.logs[same].take(record) }
                repeated += 1
                continue
            }
            changed.append((record.deviceID, record.childID))
            if isFirst, let temporary {
                memory.logs[temporary].completedStart = memory.logs[temporary].start
                memory.logs[temporary].completedTime = memory.logs[temporary].treatmentTime
                memory.logs[temporary].take(record)
                completed += 1
            } else {
                memory.logs.append(log)
                new += 1
            }
        }
        return (memory, [created, updated, completed, new, repeated])
    }

    /// The rules of `last_log_file_id`, carried out before the record is stored.
    private func count(_ record: DeviceLogRecord, isRepeat: Bool, in memory: inout MemoryLogs) {
        guard let file = record.logFileID, let device = memory.devices[record.deviceID] else { return }
        let numbered = memory.logs.filter {
            $0.pair.deviceID == record.deviceID && $0.finishFlag != nil && $0.logFileID != nil
        }
        let isLatest = !numbered.isEmpty && numbered.allSatisfy { $0.start < record.date }
        if !isRepeat, isLatest, file < device.lastLogFileID {
            memory.devices[record.deviceID]?.lastLogFileID = file
            memory.devices[record.deviceID]?.counterRestart = record.date
        } else if device.counterRestart.map({ $0 <= record.date }) ?? true, file > device.lastLogFileID {
            memory.devices[record.deviceID]?.lastLogFileID = file
        }
    }
}
