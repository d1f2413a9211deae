import LUX
import Testing
import TimeZones

@testable import LUXAPI

/// Every error that a `devlog` body can have, and the order in which errors are reported.
@Suite struct DevlogBodyTests {
    private func zone() throws -> WallClock { try #require(WallClock(identifier: "Asia/Seoul")) }

    private func read(_ body: String) throws -> [DeviceLogRecord] {
        try DevlogBody.read(Array(body.utf8), zone: zone())
    }

    private func detail(_ body: String) throws -> String {
        do {
            return "\(try read(body).count) records"
        } catch let error as FieldError {
            return error.detail
        }
    }

    /// A record whose members are the usual ones, with some replaced (or, with `nil`, left out).
    private static func record(_ changes: [String: String?] = [:], detail: [String: String?] = [:]) -> String {
        func object(_ members: [(String, String)], _ changes: [String: String?]) -> String {
            var members = members
            for (name, value) in changes.sorted(by: { $0.key < $1.key }) {
                members.removeAll { $0.0 == name }
                if let value { members.append((name, value)) }
            }
            return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
        }
        let inner = object(
            [
                ("treatment_date", #""2025-02-14T15:48:49Z""#), ("finish_flag", "1"), ("last_intensity", "3"),
                ("treatment_time", "600"),
            ], detail)
        return object(
            [
                ("real_user_id", "1"), ("device_id", "2"), ("unique_id", #""U""#), ("detail_data", inner),
                ("log_file_id", "5"),
            ], changes)
    }

    private static func body(_ records: String...) -> String { "{\"log_arrays\":[\(records.joined(separator: ","))]}" }

    struct Case: Sendable, CustomTestStringConvertible {
        var body: String
        var detail: String
        var testDescription: String { detail }

        init(_ body: String, _ detail: String) {
            self.body = body
            self.detail = detail
        }
    }

    private static let outOfRange =
        "must be within the range of a double, with at most 400 characters and an exponent of at most 400"

    static let wholeBodies = [
        Case("", "body: must be valid JSON (it is not at byte 0)"),
        Case("{", "body: must be valid JSON (it is not at byte 1)"),
        Case("[]", "body: must be a JSON object"), Case("null", "body: must be a JSON object"),
        Case(#""x""#, "body: must be a JSON object"), Case("7", "body: must be a JSON object"),
        Case("{}", "log_arrays: is required"), Case(#"{"log_arrays":null}"#, "log_arrays: is required"),
        Case(#"{"log_arrays":{}}"#, "log_arrays: must be an array"),
        Case(#"{"log_arrays":"[]"}"#, "log_arrays: must be an array"),
        Case(#"{"log_arrays":[]}"#, "log_arrays: must contain 1 to 5000 records"),
        Case(#"{"log_arrays":[null]}"#, "log_arrays[0]: must be an object"),
        Case(#"{"log_arrays":[[]]}"#, "log_arrays[0]: must be an object"),
        Case(body(record(), "7"), "log_arrays[1]: must be an object"),
        Case(body(record(["device_id": "0"]), "7"), "log_arrays[0].device_id: must be 1 or more"),
        Case(#"{"log_arrays":[],"log_arrays":[\#(record())]}"#, "log_arrays: must be given once"),
        Case(#"{"log_arrays":[\#(record())],"log_arrays":null}"#, "log_arrays: must be given once"),
        Case(#"{"log_arrays":[\#(record())],"log_\u0061rrays":[\#(record())]}"#, "log_arrays: must be given once"),
        Case(#"{"log_arrays":[\#(record())],"x":{"y":1e309}}"#, "x.y: \(outOfRange)"),
        Case(#"{"other":1,"log_arrays":[\#(record())],"more":{"x":[]}}"#, "1 records"),
        Case(#"{"log_arrays":[\#(record())],"x":"\u0000"}"#, "body: must not contain a NUL character"),
        Case(#"{"log_arrays":[\#(record())],"\u0000":1}"#, "body: must not contain a NUL character"),
        Case(body(record(["x": #""\u0000""#])), "body: must not contain a NUL character"),
        Case(
            "{\"log_arrays\":[\(record())],\"x\":" + String(repeating: "[", count: 64)
                + String(repeating: "]", count: 64)
                + "}", "body: must not be nested deeper than 64 levels"),
    ]

    /// A member of a record: its values with the error of each.
    private static func errors(_ name: String, _ values: [(String?, String)], inDetail: Bool = false) -> [Case] {
        let path = inDetail ? "detail_data.\(name)" : name
        return values.map { value, error in
            let changed = inDetail ? record(detail: [name: value]) : record([name: value])
            return Case(body(changed), error.isEmpty ? "1 records" : "log_arrays[0].\(path): \(error)")
        }
    }

    private static let notIntegers: [(String?, String)] = ["\"1\"", "1.0", "1e3", "true", "[]", "{}"].map {
        ($0, "must be an integer")
    }
    private static let notInInt64: [(String?, String)] = [
        ("9223372036854775808", "must be an integer"), ("-9223372036854775809", "must be an integer"),
    ]
    private static let absent: [(String?, String)] = [(nil, "is required"), ("null", "is required")]
    private static let counter: [(String?, String)] = [
        ("-1", "must be 0 or more"), ("2147483648", "must be at most 2147483647"), ("0", ""), ("2147483647", ""),
    ]
    private static let identifier: [(String?, String)] = [
        ("0", "must be 1 or more"), ("-1", "must be 1 or more"), ("9223372036854775807", ""),
    ]
    private static let notDates = [
        #""""#, #""2025-02-14""#, #""20250214T154849""#, #""2025-02-30T00:00:00Z""#, #""2025-02-14T24:00:00Z""#,
        #""2025-02-14T15""#, #""9999-12-31T23:59:60Z""#, "0", "[]", "true",
    ].map { ($0 as String?, "must be an ISO 8601 date-time") }

    static let members =
        errors("real_user_id", absent + notIntegers + notInInt64 + identifier)
        + errors("device_id", absent + notIntegers + notInInt64 + identifier)
        + errors(
            "unique_id",
            absent + [
                ("7", "must be a string"), ("[]", "must be a string"), (#""""#, "must not be empty"),
                (#""a\u0000""#, "must not contain a NUL character"), (#"" ""#, ""),
            ])
        + errors(
            "detail_data",
            absent + [("7", "must be an object"), ("[]", "must be an object"), (#""{}""#, "must be an object")])
        + errors(
            "log_file_id",
            notIntegers + notInInt64 + counter + [(nil, ""), ("null", "")])
        + errors(
            "treatment_date",
            absent + notDates + [
                (#""\u0000""#, "must not contain a NUL character"), (#""2025-02-14 15:48:49,5+0900""#, ""),
                (#""2025-02-14T15:48""#, ""), (#""0001-01-01T00:00:00Z""#, ""),
            ], inDetail: true)
        + errors(
            "finish_flag",
            ["0", "7", "-1", "9223372036854775807", "\"1\"", "1.0", "true", "[]"].map { ($0, "must be null or 1 to 6") }
                + [(nil, ""), ("null", ""), ("1", ""), ("6", "")], inDetail: true)
        + errors("last_intensity", absent + notIntegers + notInInt64 + counter, inDetail: true)
        + errors("treatment_time", absent + notIntegers + notInInt64 + counter, inDetail: true)

    @Test(arguments: wholeBodies + members) func `reports an error with its field`(_ test: Case) throws {
        #expect(try detail(test.body) == test.detail, "\(test.body)")
    }

    @Test func `a temporary record starts in year 1 or later`() throws {
        func body(_ date: String) -> String {
            Self.body(Self.record(detail: ["treatment_date": "\"\(date)\"", "finish_flag": nil]))
        }
        #expect(try detail(body("0001-01-01T00:00:30Z")) == "1 records")
        #expect(
            try detail(body("0001-01-01T00:00:29.999Z"))
                == "log_arrays[0].detail_data.treatment_date: must be 30 seconds after year 1 has begun, or later")
    }

    @Test(arguments: [
        "1e309", "-1e309", "1e-400", "1e-330", "1e131071", "1e131072", "1e-16384", "0e-16383", "0e401", "0.0e-401",
        "2.2e99999999999999999999", String(repeating: "9", count: 309), String(repeating: "1", count: 131_073),
        "0." + String(repeating: "0", count: 399), "0." + String(repeating: "0", count: 330) + "1",
        "1e0000000000401",
    ]) func `reports a number outside of the limits with record and key`(_ number: String) throws {
        let good = Self.record()
        func place(_ detail: [String: String?]) throws -> String {
            try self.detail(Self.body(good, Self.record(detail: detail), good))
        }
        #expect(try place(["note": number]) == "log_arrays[1].detail_data.note: \(Self.outOfRange)")
        #expect(
            try place(["note": #"{"a":[1,{"b":\#(number)}]}"#])
                == "log_arrays[1].detail_data.note.a[1].b: \(Self.outOfRange)")
        #expect(
            try detail(Self.body(good, Self.record(["note": number]))) == "log_arrays[1].note: \(Self.outOfRange)")
    }

    @Test(arguments: [
        "1e308", "1.7976931348623157e308", "-1e308", "5e-324", "2.5e-324", "0e400", "0e-400", "0.000e-400", "-0.0",
        String(repeating: "9", count: 308), "0." + String(repeating: "0", count: 398),
        "0." + String(repeating: "3", count: 398), "100000000000000000000000000000000000000000000",
        "1E+000000000000000308",
    ]) func `a number within the limits is kept`(_ number: String) throws {
        #expect(try detail(Self.body(Self.record(["note": number], detail: ["note": number]))) == "1 records")
    }

    @Test func `detail_data takes at most 64 KiB as stored, to the byte`() throws {
        let size = 64 << 10
        let rest =
            #"{"note": "", "finish_flag": 1, "last_intensity": 3, "treatment_date": "2025-02-14T15:48:49Z", "#
            + #""treatment_time": 600}"#
        func detail(_ count: Int) throws -> String {
            let note = "\"" + String(repeating: "x", count: count - rest.utf8.count) + "\""
            return try self.detail(Self.body(Self.record(), Self.record(detail: ["note": note])))
        }
        #expect(try detail(size) == "2 records")
        #expect(try detail(size + 1) == "log_arrays[1].detail_data: must take at most 65536 bytes as stored")
        // Numbers of 308 digits each.
        func numbers(_ count: Int) -> String {
            "[" + Array(repeating: "1e307", count: count).joined(separator: ",") + "]"
        }
        #expect(try self.detail(Self.body(Self.record(detail: ["n": numbers(210)]))) == "1 records")
        #expect(
            try self.detail(Self.body(Self.record(detail: ["n": numbers(212)])))
                == "log_arrays[0].detail_data: must take at most 65536 bytes as stored")
        // Of a member twice only the last one is stored.
        let twice =
            #"{"n":\#(numbers(150)),"n":\#(numbers(150)),"treatment_date":"2025-02-14T15:48:49Z","#
            + #""last_intensity":1,"treatment_time":1}"#
        #expect(try self.detail(Self.body(Self.record(["detail_data": twice]))) == "1 records")
    }

    @Test func `all of an upload takes at most 4 MiB as stored`() throws {
        let numbers = "[" + Array(repeating: "1e307", count: 200).joined(separator: ",") + "]"
        let record = Self.record(detail: ["n": numbers])
        func body(_ count: Int) -> String {
            "{\"log_arrays\":[" + Array(repeating: record, count: count).joined(separator: ",") + "]}"
        }
        #expect(try detail(body(67)) == "67 records")
        #expect(try detail(body(68)) == "log_arrays: must take at most 4194304 bytes as stored in all detail_data")
    }

    @Test func `reports a NUL anywhere in detail_data`() throws {
        for value in [#""\u0000""#, #"{"\u0000":1}"#, #"["a",["\u0000"]]"#] {
            #expect(
                try detail(Self.body(Self.record(detail: ["note": value])))
                    == "log_arrays[0].detail_data: must not contain a NUL character")
        }
    }

    @Test func `reports the first error in the order of the page, whatever the order of the bytes`() throws {
        let order = [
            "real_user_id", "device_id", "unique_id", "detail_data", "detail_data.treatment_date",
            "detail_data.finish_flag", "detail_data.last_intensity", "detail_data.treatment_time", "log_file_id",
        ]
        // Each member wrong from `first` on; the body names them backwards.
        for (first, name) in order.enumerated() {
            func value(_ index: Int, _ good: String) -> String { index >= first ? "true" : good }
            let detail =
                first <= 3
                ? "true"
                : """
                {"treatment_time":\(value(7, "1")),"last_intensity":\(value(6, "1")),\
                "finish_flag":\(value(5, "1")),"treatment_date":\(value(4, "\"2025-02-14T15:48:49Z\""))}
                """
            let record = """
                {"log_file_id":\(value(8, "1")),"detail_data":\(detail),"unique_id":\(value(2, "\"U\"")),\
                "device_id":\(value(1, "1")),"real_user_id":\(value(0, "1"))}
                """
            #expect(try self.detail(Self.body(record)).hasPrefix("log_arrays[0].\(name): "), "\(record)")
        }
        let (early, late) = (Self.record(["log_file_id": "true"]), Self.record(["real_user_id": "true"]))
        #expect(try detail(Self.body(early, late)) == "log_arrays[0].log_file_id: must be an integer")
    }

    @Test func `accepts 5,000 records and not one more`() throws {
        let record = Self.record(["unique_id": #""U""#])
        func body(_ count: Int) -> String {
            "{\"log_arrays\":[" + Array(repeating: record, count: count).joined(separator: ",") + "]}"
        }
        #expect(try detail(body(5_000)) == "5000 records")
        #expect(try detail(body(5_001)) == "log_arrays: must contain 1 to 5000 records")
        #expect(try detail(body(6_000)) == "log_arrays: must contain 1 to 5000 records")
    }

    @Test func `a large body, read beside the loop, is read to the same records`() async throws {
        let records = (1...3_000).map { Self.record(["log_file_id": "\($0)"]) }
        let body = Array("{\"log_arrays\":[\(records.joined(separator: ","))]}".utf8)
        #expect(body.count > 256 << 10)
        let read = try await DevlogBody.records(in: body, zone: zone())
        #expect(read.map(\.logFileID) == (1...3_000).map { $0 })
        await #expect(throws: FieldError.self) {
            try await DevlogBody.records(in: Array(body.dropLast()), zone: zone())
        }
    }

    @Test func `detail_data keeps the bytes that were sent, and of a member twice the last counts`() throws {
        let detail =
            #"{ "treatment_date":"x", "treatment_date" : "2025-02-14T15:48:49Z","last_intensity":1,"#
            + #""treatment_time":2, "extra":{"a":[1.50,"é\n"]} }"#
        let record = try #require(
            try read(Self.body(Self.record(["detail_data": detail]))).first)
        #expect(String(decoding: record.detailData, as: UTF8.self) == detail)
        #expect(record.finishFlag == nil)
        #expect(record.lastIntensity == 1)
        #expect(record.treatmentTime == 2)
        let twice = #"{"real_user_id":1,"device_id":2,"unique_id":"U","detail_data":\#(detail),"detail_data":{}}"#
        #expect(try self.detail(Self.body(twice)) == "log_arrays[0].detail_data.treatment_date: is required")
    }
}
