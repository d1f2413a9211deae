import Dispatch
import JSON
import LUX
import TimeZones

/// The body of `POST devlog`.
enum DevlogBody {
    /// Maximum size in bytes of one `detail_data`, and of all in an upload, as PostgreSQL writes them as text.
    static let maximumDetail = 64 << 10
    static let maximumDetails = 4 << 20

    /// From this size on, reading takes longer than the loop's other connections should wait (about a millisecond).
    private static let largeBody = 256 << 10

    /// The records of a body.
    ///
    /// - Parameter zone: the time zone of a `treatment_date` without an offset.
    /// - Throws: ``FieldError`` for the first error in the order of the API page's tables.
    static func records(in body: [UInt8], zone: WallClock) async throws(FieldError) -> [DeviceLogRecord] {
        guard body.count > largeBody else { return try read(body, zone: zone) }
        return try await withUnsafeContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: Result { () throws(FieldError) in try read(body, zone: zone) })
            }
        }.get()
    }

    static func read(_ body: [UInt8], zone: WallClock) throws(FieldError) -> [DeviceLogRecord] {
        var sent: [SentRecord?] = []
        var isObject = false
        var arrays = JSONField<Void>.absent
        var arraysCount = 0
        var hasNUL = false
        var hasExponents = false
        var badNumber: Int?
        do throws(JSONError) {
            try JSONReader.read(body) { (reader) throws(JSONError) in
                guard try reader.kind() == .object else { return try reader.skipValue() }
                isObject = true
                try reader.object { (key, reader) throws(JSONError) in
                    guard key == "log_arrays" else { return try reader.skipValue() }
                    sent = []
                    arraysCount += 1
                    switch try reader.kind() {
                    case .array: arrays = .value(())
                    case .null: return arrays = try reader.skipped(.null)
                    default: return arrays = try reader.skipped(.wrongType)
                    }
                    try reader.array { (reader) throws(JSONError) in
                        // One over the limit is enough to know; the rest is only checked.
                        guard sent.count <= LogUpload.maximumRecords else { return try reader.skipValue() }
                        sent.append(try SentRecord(&reader))
                    }
                }
                hasNUL = reader.nulCount > 0
                hasExponents = reader.exponentCount > 0
                badNumber = reader.badNumber
            }
        } catch {
            throw FieldError(error)
        }
        guard isObject else { throw FieldError(field: "body", message: "must be a JSON object") }
        guard arraysCount <= 1 else { throw FieldError(field: "log_arrays", message: "must be given once") }
        try arrays.required("log_arrays", "an array")
        guard (1...LogUpload.maximumRecords).contains(sent.count) else {
            throw FieldError(field: "log_arrays", message: "must contain 1 to \(LogUpload.maximumRecords) records")
        }
        var records: [DeviceLogRecord] = []
        records.reserveCapacity(sent.count)
        var size = 0
        for index in sent.indices {
            // In place: a copy would count the references of each record.
            guard let checked = try sent[index]?.checked(at: index, in: body, zone: zone, hasExponents: hasExponents)
            else { throw FieldError(field: "log_arrays[\(index)]", message: "must be an object") }
            records.append(checked.record)
            size += checked.size
            guard size <= maximumDetails else {
                throw FieldError(
                    field: "log_arrays",
                    message: "must take at most \(maximumDetails) bytes as stored in all detail_data")
            }
        }
        // In an ignored member, or one that a later member of the same name has replaced.
        guard !hasNUL else { throw .nul(in: "body") }
        if let badNumber { throw .number(at: badNumber, in: body) }
        return records
    }
}

/// A record as it was sent.
private struct SentRecord {
    var childID = JSONField<Int64>.absent
    var deviceID = JSONField<Int64>.absent
    var uniqueID = JSONField<String>.absent
    var detailData = JSONField<Range<Int>>.absent
    var date = JSONField<String>.absent
    var finishFlag = JSONField<Int64>.absent
    var lastIntensity = JSONField<Int64>.absent
    var treatmentTime = JSONField<Int64>.absent
    var logFileID = JSONField<Int64>.absent
    var detailHasNUL = false
    /// The offset of the first number that is outside the limits.
    var badNumber: Int?

    /// `nil` when it is not an object.
    init?(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return nil
        }
        // A local copy: the closures may not capture an instance that is not complete.
        var record = SentRecord()
        let badNumberBefore = reader.badNumber
        reader.badNumber = nil
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "real_user_id": record.childID = try reader.integerField()
            case "device_id": record.deviceID = try reader.integerField()
            case "unique_id": record.uniqueID = try reader.stringField()
            case "detail_data": try record.readDetailData(&reader)
            case "log_file_id": record.logFileID = try reader.integerField()
            default: try reader.skipValue()
            }
        }
        record.badNumber = reader.badNumber
        reader.badNumber = badNumberBefore
        self = record
    }

    private init() {}

    private mutating func readDetailData(_ reader: inout JSONReader) throws(JSONError) {
        // Of two `detail_data` the last one counts, with nothing left of the first.
        (date, finishFlag, lastIntensity, treatmentTime) = (.absent, .absent, .absent, .absent)
        switch try reader.kind() {
        case .object: break
        case .null:
            detailData = try reader.skipped(.null)
            return
        default:
            detailData = try reader.skipped(.wrongType)
            return
        }
        let start = reader.offset
        let nulsBefore = reader.nulCount
        var record = self
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "treatment_date": record.date = try reader.stringField()
            case "finish_flag": record.finishFlag = try reader.integerField()
            case "last_intensity": record.lastIntensity = try reader.integerField()
            case "treatment_time": record.treatmentTime = try reader.integerField()
            default: try reader.skipValue()
            }
        }
        record.detailData = .value(start..<reader.offset)
        record.detailHasNUL = reader.nulCount > nulsBefore
        self = record
    }

    /// - Returns: the record, and the size of its `detail_data` as stored, or an upper bound where that suffices.
    func checked(
        at index: Int, in body: [UInt8], zone: WallClock, hasExponents: Bool
    ) throws(FieldError) -> (record: DeviceLogRecord, size: Int) {
        func name(_ member: String) -> String { "log_arrays[\(index)].\(member)" }
        let childID = try childID.required(name("real_user_id"), in: 1...Int64.max)
        let deviceID = try deviceID.required(name("device_id"), in: 1...Int64.max)
        let uniqueID = try uniqueID.required(name("unique_id"), "a string")
        guard !uniqueID.isEmpty else { throw FieldError(field: name("unique_id"), message: "must not be empty") }
        let range = try detailData.required(name("detail_data"), "an object")
        let text = try date.required(name("detail_data.treatment_date"), "an ISO 8601 date-time")
        guard let date = Timestamp.parseISO8601(text.utf8, zone: zone) else {
            throw FieldError(
                field: name("detail_data.treatment_date"), message: "must be an ISO 8601 date-time")
        }
        let flag = try finishFlag.optional(name("detail_data.finish_flag"), "null or 1 to 6")
        guard flag.map({ (1...6).contains($0) }) ?? true else {
            throw FieldError(field: name("detail_data.finish_flag"), message: "must be null or 1 to 6")
        }
        let counter = 0...Int64(Int32.max)
        let intensity = try lastIntensity.required(name("detail_data.last_intensity"), in: counter)
        let seconds = try treatmentTime.required(name("detail_data.treatment_time"), in: counter)
        if flag == nil, !date.adding(seconds: -30).isRepresentable {
            throw FieldError(
                field: name("detail_data.treatment_date"),
                message: "must be 30 seconds after year 1 has begun, or later")
        }
        guard !detailHasNUL else { throw .nul(in: name("detail_data")) }
        if let badNumber { throw .number(at: badNumber, in: body) }
        let detail = Array(body[range])
        let size = Self.storedSize(of: detail, hasExponents: hasExponents)
        guard size <= DevlogBody.maximumDetail else {
            throw FieldError(
                field: name("detail_data"), message: "must take at most \(DevlogBody.maximumDetail) bytes as stored")
        }
        let logFileID = try logFileID.optional(name("log_file_id"), in: counter)
        let record = DeviceLogRecord(
            childID: childID, deviceID: deviceID, uniqueID: uniqueID, logFileID: logFileID, date: date,
            finishFlag: flag.map { Int16(truncatingIfNeeded: $0) },
            lastIntensity: Int32(truncatingIfNeeded: intensity), treatmentTime: Int32(truncatingIfNeeded: seconds),
            detailData: detail)
        return (record, size)
    }

    /// Without exponents a text at most doubles (a space after each colon and comma), and is measured only when that matters.
    private static func storedSize(of detail: [UInt8], hasExponents: Bool) -> Int {
        guard hasExponents || detail.count > DevlogBody.maximumDetail / 2 else { return 2 * detail.count }
        return (try? JSONReader.read(detail) { (reader) throws(JSONError) in try reader.storedSize() }) ?? .max
    }
}
