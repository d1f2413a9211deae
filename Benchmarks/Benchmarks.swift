import HTTP
import JSON
import JWT
import LUX
import TimeZones

private let secret = Array("a secret of more than thirty-two bytes".utf8)
private let target = "/api/v1/lux/device/child-device?real_user_id=12345"
private let device = Array(
    #"{"real_user_id":1,"device_id":2,"unique_id":"lux-1","detail_data":{"treatment_date":"2025-02-21T15:48:49"}}"#.utf8
)

let benchmarks = [
    Benchmark(name: "request") {
        let claims = #"{"sub":"12345","iat":1764300000,"exp":1864300000}"#
        let token = (try? JWTSigner(hs256Secret: secret).sign(claims: claims)) ?? ""
        let text =
            "GET \(target) HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer \(token)\r\n"
            + "User-Agent: okhttp/4.12.0\r\nAccept-Encoding: gzip\r\nConnection: Keep-Alive\r\n\r\n"
        let bytes = Array(text.utf8)
        var parser = RequestParser(limits: HTTPLimits())
        return {
            bytes.withUnsafeBytes { parser.append($0) }
            consume(try? parser.next())
        }
    },
    Benchmark(name: "route") {
        let paths = [
            "child-device", "get-all-device", "check-device", "devlog", "alimtalk", "un-connect", "update-alias",
        ]
        let router = Router(paths.enumerated().map { (.get, "/api/v1/lux/device/\($1)", $0) })
        return { consume(router.match(method: .get, path: "/api/v1/lux/device/update-alias")) }
    },
    Benchmark(name: "token") {
        let claims = #"{"sub":"12345","iat":1764300000,"exp":1864300000}"#
        let token = Array(((try? JWTSigner(hs256Secret: secret).sign(claims: claims)) ?? "").utf8)
        let verifier = (try? VerificationKeys(hs256Secrets: [secret])).map { JWTVerifier(keys: $0) }
        return { consume(try? verifier?.verify(token, now: 1_764_300_001) { $0.integer("sub") }) }
    },
    Benchmark(name: "json-read") {
        { consume(try? JSONReader.read(device) { (reader) throws(JSONError) in try reader.skipValue() }) }
    },
    Benchmark(name: "json-write") {
        {
            var json = JSONWriter()
            json.object { json in
                json.member("id", 12_345)
                json.member("unique_id", "lux-demo-12345")
                json.member("device_alias", "Bedroom")
                json.member("serial_code", nil as String?)
            }
            consume(json.bytes)
        }
    },
    Benchmark(name: "date") {
        let zone = WallClock(identifier: "Asia/Seoul")
        let text = Array("2025-02-21T15:48:49.123".utf8)
        return {
            guard let zone, let time = Timestamp.parseISO8601(text, zone: zone) else { return }
            var bytes: [UInt8] = []
            time.appendISO8601(to: &bytes)
            consume(bytes)
        }
    },
    Benchmark(name: "plan-1") { plan(of: 1) },
    Benchmark(name: "plan-50") { plan(of: 50) },
]

/// The plan for an upload of complete records of one device.
private func plan(of count: Int) -> () -> Void {
    let records = (0..<count).map { number in
        DeviceLogRecord(
            childID: 1, deviceID: 2, uniqueID: "lux-1", logFileID: Int64(number),
            date: Timestamp(microseconds: 1_740_000_000_000_000 + Int64(number) * 3_600_000_000), finishFlag: 1,
            lastIntensity: 2, treatmentTime: 30, detailData: device)
    }
    let upload = LogUpload(records)
    var stored = StoredLogs()
    stored.rootUserIDs = [1: 1]
    stored.devices = [2: StoredLogs.Device(uniqueID: "lux-1", realUserID: 1, counter: LogCounter())]
    return { consume(LogPlan(upload, stored: stored)) }
}
