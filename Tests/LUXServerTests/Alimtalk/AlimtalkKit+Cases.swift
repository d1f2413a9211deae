import LUXTestSupport

/// What providers reply, and what has to come of it.
extension AlimtalkKit {
    /// The outcome that a message is counted as, and the status of its row.
    struct Verdict: Sendable {
        var counted: String
        var row: String

        static let rejected = Verdict(counted: "refused", row: "failed")
        static let misconfigured = Verdict(counted: "misconfigured", row: "failed")
        static let notTaken = Verdict(counted: "try_later", row: "failed")
        /// Try later, though the message may have arrived.
        static let mayBeTaken = Verdict(counted: "try_later", row: "unknown")
        static let unknown = Verdict(counted: "unknown", row: "unknown")
    }

    /// One behaviour of the provider and what has to come of it.
    struct Case: Sendable {
        var name: String
        var behaviour: FakeProvider.Behaviour
        var verdict: Verdict
        /// What its error has to contain.
        var error: String
        /// How often the provider is called; 2 means more than once.
        var calls = 1

        init(_ name: String, _ behaviour: FakeProvider.Behaviour, _ verdict: Verdict, _ error: String, calls: Int = 1) {
            self.name = name
            self.behaviour = behaviour
            self.verdict = verdict
            self.error = error
            self.calls = calls
        }
    }

    /// Replies in each provider's own codes.
    var ownCases: [Case] {
        switch self {
        case .nhn:
            [
                "4", "-2000", "-2001", "-2002", "-2003", "-2004", "-2005", "-4000", "-9997", "-1028", "-3003", "-3005",
                "-3004", "-3049", "-3010", "-3011", "-4019", "-5000", "-9996", "-8006",
            ].flatMap {
                [
                    Case("rejected for good \($0)", rejection($0), .rejected, "code \($0)"),
                    Case("rejected for good as a whole \($0)", failure(400, $0), .rejected, "code \($0)"),
                ]
            }
                + [
                    "-1000", "-1001", "-4004", "-4005", "-1002", "-1003", "-1006", "-1014", "-1027", "-2017", "-1030",
                    "-2502",
                ].flatMap {
                    [
                        Case("configuration \($0)", failure(200, $0), .misconfigured, "code \($0)"),
                        Case("configuration with a status \($0)", failure(403, $0), .misconfigured, "code \($0)"),
                    ]
                } + [
                    Case("every recipient rejected", allRejected("-1028"), .rejected, "code -1028"),
                    Case(
                        "every recipient rejected, by configuration", allRejected("-1000"), .misconfigured, "code -1000"
                    ),
                    Case(
                        "too many, in its own words", failure(429, "-1"), .notTaken, "429", calls: 2),
                    Case("the quota of the day", failure(200, "-1017"), .notTaken, "code -1017"),
                    Case("a template, whatever the status", failure(403, "-3003"), .rejected, "code -3003"),
                    Case("a code that nobody knows", failure(401, "-7"), .misconfigured, "code -7"),
                    Case("another", failure(402, "-7"), .misconfigured, "code -7"),
                    Case("a third", failure(403, "-7"), .misconfigured, "code -7"),
                    Case("a fourth", failure(404, "-7"), .misconfigured, "code -7"),
                    Case("a fifth, without a status", failure(200, "-7"), .rejected, "code -7"),
                    Case("the key was used", failure(200, "-1005"), .unknown, "code -1005"),
                    Case("system error", failure(200, "-9999"), .mayBeTaken, "code -9999", calls: 2),
                    Case("vendor error", failure(500, "-7000"), .mayBeTaken, "code -7000", calls: 2),
                    Case("success without a result", .reply(200, Self.nhnWithoutResults), .unknown, "partial"),
                ]
        case .solapi:
            [
                "1010", "1011", "1026", "1042", "1043", "1046", "1047", "1060", "3010", "3103", "3104", "3105", "3107",
            ].map {
                Case("rejected for good \($0)", rejection($0), .rejected, "code \($0)")
            }
                + ["1030", "1041", "1062", "2062", "2230", "3101"].map {
                    Case("configuration \($0)", rejection($0), .misconfigured, "code \($0)")
                }
                + ["InvalidAPIKey", "SignatureDoesNotMatch", "RequestTimeTooSkewed"].map {
                    Case("configuration \($0)", failure(403, $0), .misconfigured, $0)
                } + [
                    Case("balance", failure(402, "NotEnoughBalance"), .misconfigured, "NotEnoughBalance"),
                    Case("bad body", failure(400, "ValidationError"), .rejected, "ValidationError"),
                    Case("signature seen", failure(403, "DuplicatedSignature"), .unknown, "DuplicatedSignature"),
                    Case("busy", failure(503, "Busy"), .mayBeTaken, "Busy"),
                    Case(
                        "rejected in the list of messages", .reply(200, Self.solapiRejectedInList), .rejected,
                        "code 1042"),
                    Case(
                        "only the counts say so", .reply(200, Self.solapiFailedCount), .rejected, "registered as failed"
                    ),
                    Case("success without a message", .reply(200, #"{"groupInfo":{}}"#), .unknown, "partial"),
                ]
        case .sens:
            [
                Case("rejected inside a 202", rejection("A001"), .rejected, "code A001"),
                Case("rejected as a whole inside a 202", .reply(202, #"{"statusCode":"400"}"#), .rejected, "code 400"),
                Case("later, inside a 202", .reply(202, #"{"statusCode":"429"}"#), .notTaken, "code 429", calls: 2),
                Case("service, bad request", .reply(400, Self.sensError(400)), .rejected, "HTTP 400"),
                Case("service, unauthorized", .reply(401, Self.sensError(401)), .misconfigured, "HTTP 401"),
                Case("service, not found", .reply(404, Self.sensError(404)), .misconfigured, "HTTP 404"),
                Case("service, too many", .reply(429, Self.sensError(429)), .notTaken, "HTTP 429", calls: 2),
                Case("service, internal", .reply(500, Self.sensError(500)), .mayBeTaken, "HTTP 500"),
                Case("too large", failure(413, "430"), .rejected, "code 430"),
                Case("endpoint error", failure(503, "500"), .unknown, "code 500"),
                Case("unexpected error", failure(500, "900"), .unknown, "code 900"),
                Case("code as a number", .reply(401, #"{"error":{"errorCode":210}}"#), .misconfigured, "code 210"),
                Case("authentication", failure(401, "200"), .misconfigured, "code 200"),
                Case("permission", failure(401, "210"), .misconfigured, "code 210"),
                Case("no such service", failure(404, "300"), .misconfigured, "code 300"),
                Case(
                    "no such service", .reply(403, #"{"status":403,"errors":[],"errorMessage":"x"}"#), .misconfigured,
                    "403"),
                Case("quota", failure(429, "400"), .notTaken, "code 400", calls: 2),
                Case("throttle", failure(429, "410"), .notTaken, "code 410", calls: 2),
                Case("rate", failure(429, "420"), .notTaken, "code 420", calls: 2),
                Case("bad request", failure(400, "100"), .rejected, "code 100"),
                Case("endpoint timeout", failure(504, "510"), .unknown, "code 510"),
                Case("success without a message", .reply(202, #"{"statusCode":"202"}"#), .unknown, "partial"),
            ]
        case .aligo: Self.aligoCases
        }
    }

    private static var aligoCases: [Case] {
        [
            ("인증오류입니다.-IP", "-101", Verdict.misconfigured, "public address"),
            ("등록되지 않은 서버 IP 입니다.", "-99", .misconfigured, "public address"),
            ("인증오류입니다.", "-101", .misconfigured, "check the keys"),
            ("등록되지 않은 인증키입니다.", "-99", .misconfigured, "check the keys"),
            ("잔여 포인트가 부족합니다.", "-99", .misconfigured, "balance"),
            ("발신 프로파일 키가 유효하지 않습니다.", "-99", .misconfigured, "check the channel"),
            ("템플릿이 존재하지 않습니다.", "-99", .rejected, "compare the template"),
            ("등록되지 않은 발신번호입니다.", "-99", .misconfigured, "sender number"),
            ("?", "-99", .rejected, "report it"), ("?", "509", .misconfigured, "console"),
            ("?", "-7", .rejected, "code -7"),
        ].flatMap { message, code, verdict, error in
            [
                Case(message, aligo(error: message, code: code), verdict, "code \(code)"),
                Case("advice: " + message, aligo(error: message, code: "\"\(code)\""), verdict, error),
            ]
        } + [
            Case("a failed recipient", aligo(mid: #""mid":"471234568","#, failed: 1), .rejected, "fcnt 1"),
            Case(
                "success without a count", .reply(200, #"{"code":0,"info":{"mid":471234569}}"#), .unknown, "partial"),
            Case("success without info", .reply(200, #"{"code":"0","message":"x"}"#), .unknown, "partial"),
        ]
    }

    private static let nhnWithoutResults = """
        {"header":{"resultCode":0,"resultMessage":"success","isSuccessful":true}}
        """

    private static let solapiRejectedInList = """
        {"groupInfo":{"count":{"total":1,"registeredFailed":0}},"messageList":[{"messageId":"M","statusCode":"1042"}]}
        """
    private static let solapiFailedCount = """
        {"groupInfo":{"count":{"total":1,"registeredFailed":1}},"failedMessageList":[],"messageList":[]}
        """

    private static func sensError(_ status: Int) -> String {
        #"{"status":\#(status),"errors":["x"],"errorMessage":"no"}"#
    }

    /// Errors of HTTP and TCP, the same for all. Only `nhn` has a key by which a retry after an unknown outcome is harmless.
    var commonCases: [Case] {
        let again = self == .nhn ? 2 : 1
        return [
            Case("garbage in a 200", .reply(200, "<html>garbage"), .unknown, "unreadable"),
            Case("no HTTP at all", .bytes("garbage\r\n\r\n"), .unknown, "HTTP/0.9", calls: again),
            Case(
                "truncated", .bytes("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"header\":{"), .unknown, "cut off"
            ),
            Case("cut off in the head", .bytes("HTTP/1.1 200 OK\r\nConte"), .unknown, "cut off", calls: again),
            Case("oversized", .endless, .unknown, "cut off"),
            Case("oversized head", .endlessHead, .unknown, rawValue, calls: again),
            Case(
                "redirect", .reply(307, "", headers: ["Location: http://127.0.0.1:1/stolen"]), .misconfigured,
                "a redirect"),
            Case("slow", .slow(200, "{}", pause: 0.2), .unknown, "in time"),
            Case("hang", .hang, .unknown, "in time"),
            Case("reset before the request was read", .resetBefore, .unknown, "reset", calls: again),
            Case("reset after the request was read", .resetAfter, .unknown, "reset", calls: again),
            Case("too many", .reply(429, ""), .notTaken, "429", calls: 2),
            Case("too many for long", .reply(429, "", headers: ["Retry-After: 30"]), .notTaken, "429"),
            Case("the request was too slow", .reply(408, ""), .notTaken, "408", calls: 2),
            Case("accepted without a message id", acceptedWithoutID, .unknown, "without a message id"),
            Case("bad gateway", .reply(502, "<html>"), .unknown, "502", calls: again),
            Case("gateway timeout", .reply(504, ""), .unknown, "504", calls: again),
            Case("internal error", .reply(500, "oops"), .mayBeTaken, "500", calls: again),
            Case("not allowed", .reply(401, "", headers: ["WWW-Authenticate: Basic realm=x"]), .misconfigured, "401"),
        ]
    }
}
