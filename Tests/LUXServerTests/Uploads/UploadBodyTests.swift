import LUXTestSupport
import Testing

/// POST devlog: bodies that are rejected before anything is looked up.
@Suite struct UploadBodyTests {
    let world: World

    init() throws { world = try World() }

    private static let good: [(name: String, text: String)] = [
        ("real_user_id", "1"), ("device_id", "1"), ("unique_id", #""u""#),
        ("detail_data", detail([:])), ("log_file_id", "1"),
    ]

    private static func detail(_ changes: [String: String?]) -> String {
        let members: [(String, String)] = [
            ("treatment_date", #""2025-02-14T15:48:49""#), ("finish_flag", "1"), ("last_intensity", "1"),
            ("treatment_time", "1"),
        ]
        let texts = members.compactMap { name, text in (changes[name] ?? text).map { "\"\(name)\":\($0)" } }
        return "{\(texts.joined(separator: ","))}"
    }

    private static func record(_ changes: [String: String?]) -> String {
        let texts = good.compactMap { name, text in (changes[name] ?? text).map { "\"\(name)\":\($0)" } }
        return "{\(texts.joined(separator: ","))}"
    }

    private static let notIntegers = [#""1""#, "1.0", "1e3", "1.5", "true", "[]", "{}", "9223372036854775808"]

    private static let recordErrors: [(field: String, values: [String?])] = [
        ("real_user_id", notIntegers + [nil, "null", "0", "-1"]),
        ("device_id", notIntegers + [nil, "null", "0", "-1"]),
        ("unique_id", [nil, "null", "1", "[]"]),
        ("detail_data", [nil, "null", "[]", "1", #""{}""#]),
        ("log_file_id", notIntegers + ["-1", "2147483648"]),
    ]

    private static let detailErrors: [(field: String, values: [String?])] = [
        ("treatment_date", [nil, "null", "1", "{}", #""""#, #""x""#]),
        ("finish_flag", notIntegers + ["0", "7", "-1"]),
        ("last_intensity", notIntegers + [nil, "null", "-1", "2147483648"]),
        ("treatment_time", notIntegers + [nil, "null", "-1", "2147483648"]),
    ]

    @Test func `names the field of a record that is wrong`() throws {
        let user = try world.user()
        for (field, values) in Self.recordErrors {
            for value in values {
                let record = Self.record([field: value])
                expectInvalid(try world.upload([record], as: user), at: "log_arrays[0].\(field)", record)
            }
        }
        for (field, values) in Self.detailErrors {
            for value in values {
                let record = Self.record(["detail_data": Self.detail([field: value])])
                expectInvalid(
                    try world.upload([Self.record([:]), record], as: user), at: "log_arrays[1].detail_data.\(field)",
                    record)
            }
        }
    }

    @Test func `reports the first error in the order of the tables, records in the order of the array`() throws {
        let user = try world.user()
        let cases: [(records: [String], field: String)] = [
            (["{}"], "log_arrays[0].real_user_id"),
            ([#"{"log_file_id":-1,"unique_id":1,"device_id":0,"real_user_id":1}"#], "log_arrays[0].device_id"),
            ([Self.record(["detail_data": "{}"])], "log_arrays[0].detail_data.treatment_date"),
            (
                [
                    Self.record([
                        "detail_data": #"{"treatment_time":-1,"finish_flag":9,"treatment_date":"2025-02-14T15:48:49"}"#
                    ])
                ],
                "log_arrays[0].detail_data.finish_flag"
            ),
            ([Self.record([:]), Self.record(["unique_id": "1"]), "{}"], "log_arrays[1].unique_id"),
            ([Self.record(["log_file_id": "-1"]), "{}"], "log_arrays[0].log_file_id"),
            ([Self.record([:]), "1"], "log_arrays[1]"), (["null"], "log_arrays[0]"), (["[]"], "log_arrays[0]"),
        ]
        for (records, field) in cases {
            expectInvalid(try world.upload(records, as: user), at: field, records.joined())
        }
    }

    @Test func `requires an array of 1 to 5,000 records`() throws {
        let user = try world.user()
        let array = [
            "{}", #"{"log_arrays":null}"#, #"{"log_arrays":{}}"#, #"{"log_arrays":"[]"}"#, #"{"log_arrays":[]}"#,
            #"{"Log_Arrays":[]}"#, World.logArrays(Array(repeating: Self.record([:]), count: 5001)),
        ]
        for body in array {
            expectInvalid(
                try world.call("POST", "devlog", as: user, body: body), at: "log_arrays", String(body.prefix(80)))
        }
    }

    @Test func `rejects a body that is not a JSON object`() throws {
        let (user, child, device) = try world.family()
        let good = World.logArrays([World.record(child: child, device: device, date: "2025-02-14T15:48:49")])
        let deep = String(repeating: "[", count: 100_000)
        let bodies = [
            "", " ", "null", "[]", "1", #""x""#, "{", "}", "{}x", good + "{}", good + ",", "\u{FEFF}" + good, deep,
            #"{"log_arrays":[}"#, String(good.dropLast()), good.replacing(":", with: "="), "{'log_arrays':[]}",
            #"{"log_arrays":[01]}"#, #"{"a":1,}"#, #"{"a":tru}"#, #"{"a":"\x"}"#, "{\"a\":\"\n\"}", #"{"a":NaN}"#,
            #"{"x":"\u0000","# + good.dropFirst(), #"{"\u0000":1,"# + good.dropFirst(),
            good.replacing(#""finish_flag""#, with: #""k":"\u0000","finish_flag""#),
            good.replacing(#""unique_id":""#, with: #""unique_id":"\u0000"#),
            good.replacing("2025-02-14T15:48:49", with: #"2025-02-14T15:48:49\u0000"#),
            good.replacing(#""finish_flag""#, with: #""k":{"a\u0000":1},"finish_flag""#),
            good.replacing(#""finish_flag""#, with: #""k":\#(deep),"finish_flag""#),
        ]
        for body in bodies {
            let reply = try world.call("POST", "devlog", as: user, body: body)
            #expect(reply.status == 422, "\(body.prefix(120)) → \(reply.summary)")
            #expect(reply.detail.map { !$0.isEmpty } ?? false, "\(body.prefix(120)) → \(reply.summary)")
        }
        #expect(try world.logs(of: device).isEmpty)
    }

    @Test func `rejects a body of invalid UTF-8`() throws {
        let (user, child, device) = try world.family()
        let token = Token.access(user: user)
        for bytes in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]] as [[UInt8]] {
            let record = World.record(child: child, device: device, date: "2025-02-14T15:48:49", more: #","k":"@@""#)
            let halves = World.logArrays([record]).split(separator: "@@")
            let body = Array(halves[0].utf8) + bytes + Array(halves[1].utf8)
            let client = try world.server.connect()
            let head = "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(token)\r\n"
            try client.send(Array((head + "Content-Length: \(body.count)\r\n\r\n").utf8) + body)
            #expect(try client.receive().status == 422, "\(bytes)")
        }
        #expect(try world.logs(of: device).isEmpty)
    }

    @Test func `reads the body as JSON whatever its type says, unknown keys and null members included`() throws {
        let (user, child, device) = try world.family()
        let record = World.record(child: child, device: device, date: "2025-02-14T15:48:49")
            .replacing(#"{"real_user_id""#, with: #"{"log_file_id":null,"x":[1],"real_user_id""#)
        let body = #"{"y":{},"log_arrays":[\#(record)] , "z" : null }"#
        for type in ["application/x-www-form-urlencoded", "text/plain", "nonsense"] {
            let client = try world.server.connect()
            let head = "POST \(World.api)devlog HTTP/1.1\r\nHost: h\r\nContent-Type: \(type)\r\n"
            let token = "Authorization: Bearer \(Token.access(user: user))\r\n"
            try client.send(head + token + "Content-Length: \(body.utf8.count)\r\n\r\n" + body)
            expect(try client.receive(), json: Saved.temporary, type)
        }
    }
}
