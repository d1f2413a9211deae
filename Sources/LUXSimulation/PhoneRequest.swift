/// The bytes of the requests that a phone sends.
package struct PhoneRequest: Sendable {
    /// What requests are counted under.
    package enum Endpoint: String, Sendable, CaseIterable {
        case healthz
        case allDevices = "get-all-device"
        case childDevice = "child-device"
        case checkDevice = "check-device"
        case usageLogs = "usage-logs"
        case updateAlias = "update-alias"
        case setMyDevice = "set-my-device (no change)"
        case temporaryLog = "devlog, temporary"
        case completeLog = "devlog, complete"
        case backlog = "devlog, backlog"
        case lateRepeat = "devlog, late repeat"
    }

    /// Ids of users, children and devices begin after it, apart from those of demo data.
    package static let base: Int64 = 1_000_000_000

    package let number: Int

    package init(number: Int) {
        self.number = number
    }

    package var id: Int64 { Self.base + Int64(number) }
    /// Two children belong to an account.
    package var user: Int64 { Self.base + Int64(number / 2) }
    package var uniqueID: String { "sim-\(number)" }

    private static let path = "/api/v1/lux/device/"

    package static func endpoint(of step: PhoneStep) -> Endpoint {
        switch step {
        case .allDevices: .allDevices
        case .childDevice: .childDevice
        case .checkDevice: .checkDevice
        case .usageLogs: .usageLogs
        case .lateRepeat: .lateRepeat
        case .upload(let records):
            records.count > 1 ? .backlog : records.first?.file == nil ? .temporaryLog : .completeLog
        }
    }

    /// The request of a step without its token, so that a retry has the same body.
    package func parts(of step: PhoneStep, zone: PhoneZone) -> (line: String, body: String?) {
        switch step {
        case .allDevices: ("GET \(Self.path)get-all-device", nil)
        case .childDevice: ("GET \(Self.path)child-device?real_user_id=\(id)", nil)
        case .checkDevice: ("GET \(Self.path)check-device?unique_id=\(uniqueID)", nil)
        case .usageLogs: ("GET \(Self.path)usage-logs?real_user_id=\(id)&limit=20", nil)
        case .upload(let records): ("POST \(Self.path)devlog", body(records, zone))
        case .lateRepeat(let record): ("POST \(Self.path)devlog", body([record], zone))
        }
    }

    package var alias: (line: String, body: String?) {
        (
            "PATCH \(Self.path)update-alias",
            #"{"device_id":\#(id),"real_user_id":\#(id),"device_alias":"Room \#(Int.random(in: 1...99))"}"#
        )
    }

    package var connection: (line: String, body: String?) {
        (
            "POST \(Self.path)set-my-device?serial_code=S\(number)&mac_id=41AD&unique_id=\(uniqueID)&real_user_id=\(id)",
            nil
        )
    }

    package static func bytes(_ parts: (line: String, body: String?), token: String?) -> [UInt8] {
        var text = parts.line + " HTTP/1.1\r\nHost: lux.simulation\r\nUser-Agent: okhttp/4.12.0\r\n"
        if let token { text += "Authorization: Bearer \(token)\r\n" }
        if let body = parts.body {
            text += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        } else {
            text += "\r\n"
        }
        return Array(text.utf8)
    }

    private func body(_ records: [PhoneRecord], _ zone: PhoneZone) -> String {
        var text = #"{"log_arrays":["#
        for (place, record) in records.enumerated() {
            // The app sends a temporary record 30 s after the start, and the server subtracts them.
            let date = CalendarText.dateTime(record.start + (record.file == nil ? 30 : 0), zone)
            let flag = record.file == nil ? "null" : "1"
            text += #"\#(place == 0 ? "" : ","){"real_user_id":\#(id),"device_id":\#(id),"unique_id":"\#(uniqueID)","#
            text += #""detail_data":{"treatment_date":"\#(date)","finish_flag":\#(flag),"last_intensity":2,"#
            text += #""treatment_time":\#(record.treatmentTime)}"#
            text += (record.file.map { #","log_file_id":\#($0)}"# } ?? "}")
        }
        return text + "]}"
    }
}

/// Dates of the Gregorian calendar as text.
package enum CalendarText {
    /// ISO 8601 with seconds, in a zone.
    package static func dateTime(_ seconds: Int64, _ zone: PhoneZone) -> String {
        let local = seconds + zone.secondsAhead
        let (days, rest) = local.quotientAndRemainder(dividingBy: 86_400)
        let (year, month, day) = date(days: days)
        let text =
            "\(year)-\(two(month))-\(two(day))T\(two(rest / 3_600)):\(two(rest / 60 % 60)):\(two(rest % 60))"
        switch zone {
        case .server: return text
        case .offset(0): return text + "Z"
        case .offset(let hours): return text + (hours < 0 ? "-" : "+") + two(Int64(abs(hours))) + ":00"
        }
    }

    /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days; from 1970 on.
    private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let place = (5 * dayOfYear + 2) / 153
        let month = place < 10 ? place + 3 : place - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * place + 2) / 5 + 1)
    }

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
