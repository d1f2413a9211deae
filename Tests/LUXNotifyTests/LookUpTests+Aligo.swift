import Concurrency
import Foundation
import LUX
import LUXTestSupport
import Testing

@testable import LUXNotify

/// Look-ups at Aligo.
extension LookUpTests {
    private static func history(_ mid: String, _ text: String, at time: String = "2026-11-25 10:00:02") -> String {
        """
        {"mid":"\(mid)","type":"AT","msg_count":"1","mbody":"\(text.replacing("\n", with: #"\r\n"#))","reg_date":"\(time)"}
        """
    }

    private static func detail(_ phone: String, _ more: String = "") -> String {
        #"{"code":0,"message":"성공","list":[{"msgid":"1","phone":"\#(phone)","smid":"0"\#(more)}]}"#
    }

    private static func list(_ messages: [String]) -> String {
        #"{"code":0,"message":"성공","list":[\#(messages.joined(separator: ","))]}"#
    }

    private func mid(_ request: ProviderRequest) -> String {
        String(decoding: request.body, as: UTF8.self).components(separatedBy: "&").first { $0.hasPrefix("mid=") } ?? ""
    }

    @Test func `aligo: the history of the day is read page by page, and the number of each equal text`() throws {
        let (step, requests) = try lookUp("aligo", Self.message(others: ["9"])) { request, index in
            switch index {
            case 0:
                let later = (0..<50).map { Self.history("\(100 + $0)", "another", at: "2026-11-25 12:00:00") }
                return (200, Self.list(later))
            case 1:
                return (
                    200,
                    Self.list([
                        Self.history("9", Self.sent), Self.history("8", Self.sent), Self.history("7", Self.sent),
                        Self.history("6", "another"), Self.history("5", Self.sent, at: "2026-11-25 09:00:00"),
                    ])
                )
            default: return (200, Self.detail(self.mid(request) == "mid=8" ? "010-1234-5678" : "01099998888"))
            }
        }
        #expect(step == .settled(.accepted(messageID: "8")))
        #expect(requests.map(\.target) == ["list", "list", "detail", "detail"].map { "/akv10/history/\($0)/" })
        let bodies = requests.map { String(decoding: $0.body, as: UTF8.self) }
        for (index, body) in bodies.prefix(2).enumerated() {
            #expect(
                body == "apikey=hidden-value&userid=hidden-value&senderkey=hidden-value&page=\(index + 1)&limit=50"
                    + "&startdate=20261125&enddate=20261125")
        }
    }

    @Test(arguments: [
        (#","rslt":"U","rslt_message":"x""#, "aligo: delivery code U"), (#","status":"2""#, "aligo: status 2"),
        (#","rslt":"U","smid":"44""#, nil), (#","rslt":"S""#, nil), (#","rslt":"","status":"3""#, nil),
    ]) func `aligo: a text that differs from the template has failed`(_ more: String, _ reason: String?) throws {
        let (step, _) = try lookUp("aligo") { _, index in
            // The later of two equal members decides.
            (200, index == 0 ? Self.list([Self.history("8", Self.sent)]) : Self.detail("01012345678", more))
        }
        if let reason {
            guard case .settled(.rejected(let found)) = step else {
                Issue.record("\(step)")
                return
            }
            #expect(found.hasPrefix(reason))
        } else {
            #expect(step == .settled(.accepted(messageID: "8")))
        }
    }

    @Test func `aligo: what is not in the history waits for a day, and is then not accepted`() throws {
        for (hours, isFinal) in [(Int64(1), false), (25, true)] {
            let none = try lookUp("aligo", hours: hours) { _, _ in (200, Self.list([])) }.step
            let other = try lookUp("aligo", hours: hours) { _, index in
                (200, index == 0 ? Self.list([Self.history("8", "another")]) : Self.detail("01099998888"))
            }.step
            let otherNumber = try lookUp("aligo", hours: hours) { _, index in
                (200, index == 0 ? Self.list([Self.history("8", Self.sent)]) : Self.detail("01099998888"))
            }.step
            let unlisted = try lookUp("aligo", hours: hours) { _, index in
                (200, index == 0 ? Self.list([Self.history("8", Self.sent)]) : Self.list([]))
            }.step
            for step in [none, other] {
                #expect(
                    step == (isFinal ? .notFound : .waits("aligo: not in the history yet, which is final after a day")))
            }
            // The account may have had that number.
            for step in [unlisted, otherNumber] {
                if case .open = step { #expect(isFinal) } else { #expect(!isFinal, "\(step)") }
            }
        }
    }

    @Test func `aligo: equal texts to one number, and errors, stay open`() throws {
        for (index, replies) in [
            (
                0,
                [Self.list([Self.history("8", Self.sent), Self.history("7", Self.sent)]), Self.detail("01012345678")]
            ),
            (1, [#"{"code":-99,"message":"등록되지 않은 서버 IP"}"#]), (2, ["x"]), (3, [#"{"code":0}"#]),
        ] {
            let step = try lookUp("aligo") { _, index in (200, replies[min(index, replies.count - 1)]) }.step
            guard case .open(let reason) = step else {
                Issue.record("\(index): \(step)")
                continue
            }
            #expect(index != 0 || reason.contains("several"))
            #expect(index != 1 || reason.contains("public address"))
        }
    }
}
