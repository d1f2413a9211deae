import CCurl
import Foundation
import LUX
import LUXTestSupport
import Testing
import TimeZones

@testable import LUXNotify

/// The tables of codes and what an operator can do, in docs/alimtalk.md and in the program.
@Suite struct CodeDocumentTests {
    private static let path = Locations.package + "/docs/alimtalk.md"
    private static let begin = "<!-- Generated: LUX_WRITE_DOCUMENTS=1 Scripts/test --filter CodeDocumentTests -->\n"
    private static let end = "<!-- End of the generated part. -->\n"

    private static func row(_ rule: CodeRule) -> String {
        func quoted(_ text: String) -> String { text.contains(" ") ? text : "`\(text)`" }
        let codes = rule.codes.map(quoted).joined(separator: ", ")
        let parts = rule.messageParts.map { "`\($0)`" }.joined(separator: ", ")
        return "| \(codes)\(parts.isEmpty ? "" : " with \(parts)") | \(rule.kind.word) | \(rule.advice.rawValue) |"
    }

    /// The part of the page that the program knows.
    private static func tables() -> String {
        var text = ""
        for kind in AlimtalkProviders.all {
            text += "\n| `\(kind.name)` | outcome | what to do |\n|---|---|---|\n"
            text += kind.codes.map { row($0) + "\n" }.joined()
        }
        text += "\n| HTTP, where the body has no code of these | outcome | what to do |\n|---|---|---|\n"
        for rule in HTTPStatusRule.all {
            let (low, high) = (rule.statuses.lowerBound, rule.statuses.upperBound)
            text +=
                "| \(low == high ? "\(low)" : "\(low) to \(high)") | \(rule.kind.word) | \(rule.advice.rawValue) |\n"
        }
        text += "| 200 to 299, unreadable | unknown | \(Advice.lookUp.rawValue) |\n"
        text += "\n| connection | outcome | what to do |\n|---|---|---|\n"
        for rule in ConnectionError.rules { text += "| \(rule.words) | not accepted | \(rule.advice.rawValue) |\n" }
        return text + "| no reply, or a part of one | unknown | \(Advice.lookUp.rawValue) |\n\n"
    }

    @Test func `the page has the program's tables`() throws {
        var page = try String(contentsOfFile: Self.path, encoding: .utf8)
        let start = try #require(page.range(of: Self.begin)?.upperBound)
        let stop = try #require(page.range(of: Self.end)?.lowerBound)
        if ProcessInfo.processInfo.environment["LUX_WRITE_DOCUMENTS"] != nil {
            page.replaceSubrange(start..<stop, with: Self.tables())
            try page.write(toFile: Self.path, atomically: true, encoding: .utf8)
        } else {
            #expect(page[start..<stop] == Self.tables(), "LUX_WRITE_DOCUMENTS=1 writes the page")
        }
    }

    @Test func `no code has two rules, and each advice is used and fits into a reason`() {
        var used: Set<Advice> = [.lookUp]
        for kind in AlimtalkProviders.all {
            let plain = kind.codes.filter(\.messageParts.isEmpty).flatMap(\.codes)
            #expect(Set(plain).count == plain.count, "\(kind.name)")
            used.formUnion(kind.codes.map(\.advice))
        }
        used.formUnion(HTTPStatusRule.all.map(\.advice) + ConnectionError.rules.map(\.advice))
        #expect(used == Set(Advice.allCases))
        for advice in Advice.allCases { #expect(advice.rawValue.utf8.count <= 160, "\(advice)") }
    }

    @Test(arguments: [
        ("-2502", "console"), ("-1028", "new profile"), ("-1017", "quota"), ("-1000", "keys"), ("-1014", "channel"),
        ("-3003", "template"), ("-1002", "sender number"), ("-1005", "reconcile"), ("-7000", "outage"),
    ]) func `nhn: a code names what an operator can do, wherever it is`(_ code: String, _ advice: String) throws {
        let values = Dictionary(uniqueKeysWithValues: NHNProvider.variables.map { ($0.name, "value") })
        var settings = AlimtalkSettings(
            NHNProvider.self, values: values, variables: TemplateVariables(patterns: [:], clock: .utc),
            smsSender: nil)
        let provider = NHNProvider(&settings)
        for body in [
            #"{"header":{"resultCode":\#(code),"isSuccessful":false}}"#,
            """
            {"header":{"resultCode":-1031,"isSuccessful":false},"message":{"requestId":null,"sendResults":[{"recipientSeq":1,\
            "resultCode":\(code)}]}}
            """,
        ] {
            let reason = provider.outcome(of: ProviderReply(status: 200, body: Array(body.utf8))).reason ?? ""
            #expect(reason.hasPrefix("nhn: code \(code); ") && reason.contains(advice), "\(reason)")
        }
    }

    @Test(arguments: [
        #"{"header":{"resultCode":-1031,"isSuccessful":false},"message":null}"#,
        #"{"header":{"resultCode":-1031,"isSuccessful":false}}"#,
        #"{"header":{"resultCode":-1031,"isSuccessful":false},"message":{"requestId":null,"sendResults":[]}}"#,
    ]) func `nhn: a rejection of all recipients without their codes has advice too`(_ body: String) {
        let values = Dictionary(uniqueKeysWithValues: NHNProvider.variables.map { ($0.name, "value") })
        var settings = AlimtalkSettings(
            NHNProvider.self, values: values, variables: TemplateVariables(patterns: [:], clock: .utc),
            smsSender: nil)
        let outcome = NHNProvider(&settings).outcome(of: ProviderReply(status: 200, body: Array(body.utf8)))
        #expect(outcome == .rejected(reason: "nhn: code -1031; \(Advice.noCode.rawValue)"))
    }

    @Test func `a connection that fails names what an operator can do`() {
        for (code, advice) in [
            (CURLE_PEER_FAILED_VERIFICATION, "ca-certificates"), (CURLE_COULDNT_RESOLVE_HOST, "name servers"),
            (CURLE_COULDNT_CONNECT, "firewall"), (CURLE_OPERATION_TIMEDOUT, "firewall"),
            (CURLE_SSL_CONNECT_ERROR, "TLS 1.2"),
        ] { #expect(ConnectionError.reason(code, detail: "x", isSent: false).contains(advice)) }
        #expect(ConnectionError.reason(CURLE_RECV_ERROR, detail: "reset", isSent: true) == "reset")
    }
}
