import LUX
import LUXTestSupport
import Testing
import TimeZones

/// The rules of the upload, through the plan alone.
@Suite struct LogPlanTests {
    @Test(arguments: LogRuleCase.all) func `keeps the rule`(_ rule: LogRuleCase) throws {
        var memory = MemoryLogs.ruleWorld
        for (number, step) in rule.steps.enumerated() {
            switch step {
            case .connect(let device, let child):
                memory.devices[device.id]?.childID = child?.id
            case .upload(let records, let user, let response):
                let upload = LogUpload(try records.map { try DeviceLogRecord($0) })
                #expect(memory.save(upload, of: user.id) == response, "step \(number)")
                let stored = memory
                #expect(memory.save(upload, of: user.id) == response, "step \(number), repeated")
                #expect(memory == stored, "step \(number), repeated")
            }
        }
        #expect(memory.logs.map(\.inWords) == rule.logs.map(\.inWords))
        #expect(LogRuleCase.Device.stored.map { memory.devices[$0.id]?.lastLogFileID } == rule.lastLogFileIDs)
    }

    @Test func `counts what its records did`() throws {
        var memory = MemoryLogs.ruleWorld
        func counts(_ records: [(time: String, flag: Int16?, file: Int64?)]) throws -> [Int] {
            let records = try records.map { try DeviceLogRecord(time: $0.time, flag: $0.flag, file: $0.file) }
            return try memory.save(LogUpload(records), userID: 1).counts.list
        }
        #expect(
            try counts([("10:00:30", nil, nil), ("10:01:30", nil, nil), ("10:02:30", nil, nil)]) == [1, 2, 0, 0, 0])
        #expect(
            try counts([
                ("10:02:00", 1, 1), ("11:00:00", 1, 2), ("11:00:00", 1, 2), ("10:02:30", nil, nil),
                ("12:00:30", nil, nil), ("13:00:00", 2, nil),
            ]) == [1, 0, 1, 2, 2])
    }

    @Test(
        arguments: [
            ([1, 2, 3], 0), ([7], 0), ([7, 9], 1), ([1, 3, 2], 0), ([5, 3], 1), ([4, nil, 5], 0),
        ] as [([Int64?], Int)])
    func `counts a hole in the numbers of a device`(_ numbers: [Int64?], _ holes: Int) throws {
        var memory = MemoryLogs.ruleWorld
        // The later number has the earlier start, so that none shows a restart.
        let records = try numbers.enumerated().map {
            try DeviceLogRecord(time: "1\(9 - $0.offset):00:00", flag: 1, file: $0.element)
        }
        #expect(try memory.save(LogUpload(records), userID: 1).counts.holes == holes)
    }

    @Test func `counts holes above the stored number, and restarts, and neither for a repeat`() throws {
        var memory = MemoryLogs.ruleWorld
        func counts(_ time: String, _ file: Int64) throws -> [Int] {
            let counts = try memory.save(LogUpload([.init(time: time, flag: 1, file: file)]), userID: 1).counts
            return [counts.holes, counts.restarts]
        }
        #expect(try counts("10:00:00", 5) == [0, 0])
        #expect(try counts("11:00:00", 6) == [0, 0])
        #expect(try counts("12:00:00", 8) == [1, 0])
        #expect(try counts("12:00:00", 8) == [0, 0])
        #expect(try counts("13:00:00", 1) == [0, 1])
        #expect(try counts("13:00:00", 1) == [0, 0])
        #expect(try counts("10:30:00", 500) == [0, 0])
        #expect(try counts("14:00:00", 3) == [1, 0])
    }

    @Test func `without the time of the temporary log only the 120 seconds decide`() throws {
        for (time, isLate) in [("10:02:00", true), ("10:02:01", false)] {
            var stored = StoredLogs()
            let pair = LogPair(deviceID: 101, childID: 11)
            let start = try DeviceLogRecord(time: "10:00:00", flag: 1, file: nil).start
            stored.temporaryLogs[pair] = .init(id: 1, start: start, treatmentTime: nil)
            let upload = LogUpload([
                try .init(time: time, flag: 1, file: nil),
                try .init(time: "10:00:30", flag: nil, file: nil, seconds: 0),
            ])
            let counts = LogPlan(upload, stored: stored).counts
            #expect(counts.list == (isLate ? [0, 0, 1, 0, 1] : [1, 0, 1, 0, 0]))
        }
    }

    @Test func `names the record that may not be stored`() throws {
        let upload = LogUpload([
            try .init(time: "10:00:00", flag: 1, file: 1),
            try .init(time: "10:00:30", flag: nil, file: nil, deviceID: 9),
        ])
        let error = #expect(throws: RejectedRecord.self) {
            try MemoryLogs.ruleWorld.read(upload).authorize(upload, userID: 1)
        }
        #expect(error?.description == "log_arrays[1] (temporary): Not Found Device")
    }

    @Test func `folds 5,000 records of one log into one write`() throws {
        var memory = MemoryLogs.ruleWorld
        for flag in [Int16?.none, 1] {
            let records = try (1...5_000).map {
                try DeviceLogRecord(time: "10:00:30", flag: flag, file: 7, intensity: Int32($0))
            }
            let plan = try memory.save(LogUpload(records), userID: 1)
            #expect(plan.updates.count + plan.inserts.count == 1)
            #expect(memory.logs.last?.lastIntensity == 5_000)
            #expect(memory.logs.count == 1)
        }
    }

    @Test func `stops a start at the end of the range`() {
        let record = DeviceLogRecord(
            childID: 1, deviceID: 1, uniqueID: "", logFileID: nil, date: Timestamp(microseconds: .min + 5),
            finishFlag: nil, lastIntensity: 0, treatmentTime: 0, detailData: [])
        #expect(record.start.microseconds == .min)
    }
}

extension LogPlan.Counts {
    /// Created and updated temporary logs, completed and new complete logs, repeats.
    var list: [Int] { [temporaryMade, temporaryUpdated, completed, new, repeated] }
}

extension MemoryLogs {
    static let ruleWorld: MemoryLogs = {
        var memory = MemoryLogs()
        memory.rootUserIDs = [11: 1, 12: 1, 21: 2]
        memory.devices = [
            101: Device(uniqueID: "unit-101", childID: 11), 102: Device(uniqueID: "unit-102", childID: 12),
        ]
        return memory
    }()

    fileprivate mutating func save(_ upload: LogUpload, of userID: Int64) -> LogRuleCase.Response {
        do {
            _ = try save(upload, userID: userID)
            return upload.isTemporary ? .temporary : .complete
        } catch {
            switch error.error {
            case .notFoundUser, .notFoundDevice: return .rejected(404, error.error.detail)
            case .notAuthorizedUser: return .rejected(401, error.error.detail)
            default: return .rejected(409, error.error.detail)
            }
        }
    }
}

extension LogRuleCase.User {
    fileprivate var id: Int64 { self == .parent ? 1 : 2 }
}

extension LogRuleCase.Child {
    fileprivate var id: Int64 {
        switch self {
        case .first: 11
        case .second: 12
        case .stranger: 21
        case .absent: 99
        }
    }
}

extension LogRuleCase.Device {
    fileprivate static let stored: [LogRuleCase.Device] = [.first, .second]

    fileprivate var id: Int64 {
        switch self {
        case .first: 101
        case .second: 102
        case .absent: 199
        }
    }
}

extension DeviceLogRecord {
    init(_ record: LogRuleCase.Record) throws {
        try self.init(
            time: record.time, flag: record.flag, file: record.file, intensity: record.intensity,
            seconds: record.seconds, childID: record.child.id, deviceID: record.device.id,
            uniqueID: record.hasRightUniqueID ? "unit-\(record.device.id)" : "another")
    }

    /// A record of the first pair, or of another, on the day of the rules.
    init(
        time: String, flag: Int16?, file: Int64?, intensity: Int32 = 2, seconds: Int32 = 60, childID: Int64 = 11,
        deviceID: Int64 = 101, uniqueID: String = "unit-101"
    ) throws {
        let utc = try #require(WallClock(identifier: "UTC"))
        self.init(
            childID: childID, deviceID: deviceID, uniqueID: uniqueID, logFileID: file,
            date: try #require(Timestamp.parseISO8601("2025-03-01T\(time)Z".utf8, zone: utc)), finishFlag: flag,
            lastIntensity: intensity, treatmentTime: seconds,
            detailData: Array("{\"last_intensity\":\(intensity)}".utf8))
    }
}

extension MemoryLogs.Log {
    fileprivate var inWords: String {
        LogRuleCase.words(
            childID: pair.childID, deviceID: pair.deviceID, file: logFileID, start: start.text, flag: finishFlag,
            intensity: lastIntensity, temporaryStart: completedStart?.text)
    }
}

extension LogRuleCase.Log {
    fileprivate var inWords: String {
        func full(_ time: String) -> String { "2025-03-01T\(time).000Z" }
        return LogRuleCase.words(
            childID: child.id, deviceID: device.id, file: file, start: full(start), flag: flag, intensity: intensity,
            temporaryStart: temporaryStart.map(full))
    }
}

extension LogRuleCase {
    fileprivate static func words(
        childID: Int64, deviceID: Int64, file: Int64?, start: String, flag: Int16?, intensity: Int32,
        temporaryStart: String?
    ) -> String {
        let file = file.map { String($0) } ?? "-"
        let flag = flag.map { String($0) } ?? "-"
        return "\(deviceID) of \(childID): \(file) at \(start), \(flag), \(intensity), was \(temporaryStart ?? "-")"
    }
}

extension Timestamp {
    var text: String {
        var bytes: [UInt8] = []
        appendISO8601(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
