import Concurrency
import Foundation
import LUX
import LUXTestSupport
import Testing

@testable import LUXNotify

/// Look-ups at SENS.
extension LookUpTests {
    private static func sens(_ id: String, _ more: String = "") -> String {
        """
        {"requestId":"R","messageId":"\(id)","requestTime":"2026-11-25 10:00:01","plusFriendId":"@lux","templateCode":"lost",\
        "to":"01012345678","requestStatusCode":"A000","requestStatusName":"success"\(more)}
        """
    }

    private static func content(_ text: String) -> String {
        #","content":"\#(text.replacing("\n", with: #"\r\n"#))""#
    }

    @Test func `sens: lists by channel, time, number and template, page by page, and compares the text`() throws {
        let (step, requests) = try lookUp("sens", Self.message(others: ["S1"])) { request, index in
            switch index {
            case 0:
                (200, #"{"statusCode":"200","messages":[\#(Self.sens("S1")),\#(Self.sens("S2"))],"nextToken":"T/1"}"#)
            case 1: (200, #"{"statusCode":"200","messages":[\#(Self.sens("S3"))],"nextToken":null}"#)
            default:
                request.target.hasSuffix("/S3")
                    ? (200, Self.sens("S3", Self.content(Self.sent) + #","messageStatusName":"success""#))
                    : (200, #"{"messages":[\#(Self.sens("S2", Self.content("another")))]}"#)
            }
        }
        #expect(step == .settled(.accepted(messageID: "S3")))
        let path = "/alimtalk/v2/services/hidden-value/messages"
        let query =
            "plusFriendId=hidden-value&requestStartTime=2026-11-25%2009%3A50%3A00&requestEndTime=2026-11-25%2010%3A15%3A00"
            + "&to=01012345678&templateCode=lost&pageSize=100"
        #expect(
            requests.map(\.target) == [
                "\(path)?\(query)", "\(path)?\(query)&nextToken=T%2F1", "\(path)/S3", "\(path)/S2",
            ])
        for request in requests {
            let fields = Dictionary(uniqueKeysWithValues: request.headers.map { ($0.name, $0.value) })
            #expect(
                fields["x-ncp-apigw-signature-v2"]
                    == SENSProvider.signature(
                        method: "GET", target: request.target, timestamp: fields["x-ncp-apigw-timestamp"] ?? "",
                        accessKey: "hidden-value", secretKey: "hidden-value"))
        }
    }

    @Test(arguments: [
        ("", LookUpStep.settled(.accepted(messageID: "S1"))),
        (#","messageStatusName":"processing""#, .settled(.accepted(messageID: "S1"))),
        (
            #","messageStatusName":"fail","messageStatusCode":"3018""#,
            .settled(.rejected(reason: "sens: delivery code 3018"))
        ),
        (
            #","messageStatusName":"fail","messageStatusCode":"3018","failover":{"messageStatusName":"success"}"#,
            .settled(.accepted(messageID: "S1"))
        ),
        (
            #","messageStatusName":"fail","messageStatusCode":"3018","failover":{"messageStatusName":"processing"}"#,
            .waits("sens: a text message is in flight")
        ),
    ]) func `sens: what was delivered, by whichever way, is sent`(_ more: String, _ expected: LookUpStep) throws {
        let (step, _) = try lookUp("sens", smsSender: "0212345678") { _, index in
            index == 0
                ? (200, #"{"messages":[\#(Self.sens("S1"))]}"#)
                : (200, Self.sens("S1", Self.content(Self.sent) + more))
        }
        #expect(step == expected)
    }

    @Test(arguments: [
        (["S1"], Self.sent, "have another text"), (["S1", "S2"], Self.sent, "several messages"),
    ]) func `sens: what is ambiguous stays open`(_ ids: [String], _ text: String, _ expected: String) throws {
        let (step, _) = try lookUp("sens") { request, index in
            let text = ids.count == 1 ? "another" : text
            return index == 0
                ? (200, #"{"messages":[\#(ids.map { Self.sens($0) }.joined(separator: ","))]}"#)
                : (200, Self.sens("S", Self.content(text)))
        }
        guard case .open(let reason) = step else {
            Issue.record("\(step)")
            return
        }
        #expect(reason.contains(expected))
    }

    @Test(arguments: [
        (Self.sent, LookUpStep.open("sens: a message around that time has this text and another number")),
        ("another", .notFound),
    ]) func `sens: a message to a number that the account no longer has does not become failed`(
        _ text: String, _ expected: LookUpStep
    ) throws {
        let (step, requests) = try lookUp("sens", Self.message(others: ["S7"])) { request, _ in
            if request.target.contains("&to=") { return (404, "") }
            if request.target.hasSuffix("/S8") {
                return (200, Self.sens("S8", Self.content(text)).replacing("01012345678", with: "01099998888"))
            }
            return (200, #"{"messages":[\#(Self.sens("S7")),\#(Self.sens("S8"))]}"#)
        }
        #expect(step == expected)
        #expect(requests.count == 3 && !requests[1].target.contains("&to="))
    }

    @Test func `sens: an empty 404 is an empty list, and any other reply is none`() throws {
        #expect(try lookUp("sens") { _, _ in (404, "") }.step == .notFound)
        #expect(try lookUp("sens") { _, _ in (200, #"{"messages":[]}"#) }.step == .notFound)
        #expect(
            try lookUp("sens", Self.message(others: ["S1"])) { _, _ in (200, #"{"messages":[\#(Self.sens("S1"))]}"#) }
                .step == .notFound)
        for (status, body) in [(404, #"{"error":{"errorCode":"300"}}"#), (401, ""), (200, "x"), (200, "{}")] {
            let (step, _) = try lookUp("sens") { _, _ in (status, body) }
            guard case .open = step else {
                Issue.record("\(status) \(body)")
                continue
            }
        }
    }
}
