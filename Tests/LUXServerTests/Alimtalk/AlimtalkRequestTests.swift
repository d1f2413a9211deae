import Foundation
import LUXTestSupport
import Testing

/// The request that each provider gets, down to its signature, which is computed here a second time.
@Suite struct AlimtalkRequestTests {
    /// Sends one message for a user with two children and returns the request that the provider received.
    private func request(
        _ kit: AlimtalkKit, _ more: [String: String] = [:]
    ) throws -> (request: FakeProvider.Request, user: Int64, reference: String) {
        let provider = try FakeProvider(kit.accepted.reply)
        let world = try World.own(environment: kit.environment(provider.baseURL, more))
        let user = try world.user(phone: "010-9384-7561")
        for name in ["지수", "Min\"jun"] { _ = try world.device(of: try world.child(of: user, first: name)) }
        expect(try world.call("POST", "alimtalk", as: user), json: "null")
        let reference = try world.sql.value(
            "select 'lux-' || id || '-' || (extract(epoch from created_at) * 1000000)::bigint from alimtalks")
        world.server.stop()
        let request = try #require(provider.requests.first)
        #expect(provider.requests.count == 1)
        #expect(request.method == "POST")
        let type =
            kit == .aligo ? "application/x-www-form-urlencoded; charset=utf-8" : "application/json; charset=utf-8"
        #expect(request.header("Content-Type") == type)
        #expect(request.header("Host") == "127.0.0.1:\(provider.port)")
        return (request, user, reference ?? "")
    }

    private static let children = #"지수, Min\"jun"#

    /// The time of the message, in Korea, as the minute that it was or the one before.
    private func isNow(_ text: String?) -> Bool {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "Asia/Seoul")
        formatter.dateFormat = "yyyy-MM-dd HH:mm"
        return [0, -60].contains { formatter.string(from: Date(timeIntervalSinceNow: $0)) == text }
    }

    @Test func `nhn gets its key, its template and its variables`() async throws {
        try await onThread {
            for (more, resend) in [
                ([:], #"{"isResend":false}"#),
                (["LUX_ALIMTALK_SMS_FALLBACK": "02-123-4567"], #"{"isResend":true,"resendSendNo":"021234567"}"#),
            ] {
                let (request, user, reference) = try request(.nhn, more)
                #expect(request.target == "/alimtalk/v2.3/appkeys/\(AlimtalkKit.key)/messages")
                try AlimtalkKit.nhn.expectSignature(of: request)
                #expect(request.header("X-NC-API-IDEMPOTENCY-KEY") == reference)
                let time = request.json?["recipientList"]?[0]?["templateParameter"]?["time"]?.string
                #expect(isNow(time))
                #expect(
                    request.json
                        == JSONValue(
                            """
                            {"senderKey":"\(AlimtalkKit.senderKey)","templateCode":"contact-lost","recipientList":[{\
                            "recipientNo":"01093847561","templateParameter":{"children":"\(Self.children)","id":"\(user)",\
                            "time":"\(time ?? "")"},"recipientGroupingKey":"\(reference)","resendParameter":\(resend)}]}
                            """), "\(request.body)")
            }
        }
    }

    @Test func `solapi gets a signature over date and salt`() async throws {
        try await onThread {
            for (more, from, disable) in [
                ([:], "", true), (["LUX_ALIMTALK_SMS_FALLBACK": "021234567"], #""from":"021234567","#, false),
            ] {
                let (request, user, reference) = try request(.solapi, more)
                #expect(request.target == "/messages/v4/send-many/detail")
                try AlimtalkKit.solapi.expectSignature(of: request)
                let options = request.json?["messages"]?[0]?["kakaoOptions"]
                let time = options?["variables"]?["#{time}"]?.string
                #expect(isNow(time))
                #expect(
                    request.json
                        == JSONValue(
                            """
                            {"messages":[{"to":"01093847561",\(from)"type":"ATA","kakaoOptions":{"pfId":"KA01PF1",\
                            "templateId":"KA01TP1","variables":{"#{children}":"\(Self.children)","#{id}":"\(user)",\
                            "#{time}":"\(time ?? "")"},"disableSms":\(disable)},"customFields":{"reference":\
                            "\(reference)"}}],"allowDuplicates":false,"showMessageList":true}
                            """), "\(request.body)")
            }
        }
    }

    @Test func `sens gets a signature over the path and the whole text`() async throws {
        try await onThread {
            for (more, isFallback) in [([:], false), (["LUX_ALIMTALK_SMS_FALLBACK": "021234567"], true)] {
                let (request, _, _) = try request(.sens, more)
                #expect(request.target == "/alimtalk/v2/services/\(AlimtalkKit.serviceID)/messages")
                try AlimtalkKit.sens.expectSignature(of: request)
                let content = request.json?["messages"]?[0]?["content"]?.string ?? ""
                let lines = content.split(separator: "\n").map(String.init)
                #expect(lines.first == "[LUX] 지수, Min\"jun님의 전극이 떨어졌습니다.")
                #expect(isNow(lines.last.map { String($0.prefix(16)) }) && lines.last?.hasSuffix(" \"LUX\"") == true)
                let message = request.json?["messages"]?[0]
                #expect(message?["to"] == .string("01093847561"))
                #expect(message?["countryCode"] == .string("82"))
                #expect(message?["useSmsFailover"] == .bool(isFallback))
                #expect(request.json?["plusFriendId"] == .string("@lux"))
                #expect(request.json?["templateCode"] == .string("contact-lost"))
                #expect(message?["failoverConfig"]?["from"] == (isFallback ? .string("021234567") : nil))
                #expect(message?["failoverConfig"]?["content"]?.string == (isFallback ? content : nil))
            }
        }
    }

    @Test func `aligo gets a form with the keys and the whole text`() async throws {
        try await onThread {
            for (more, sender) in [([:], nil), (["LUX_ALIMTALK_SMS_FALLBACK": "031-234-5678"], "0312345678")] {
                let (request, _, _) = try request(.aligo, more)
                #expect(request.target == "/akv10/alimtalk/send/")
                try AlimtalkKit.aligo.expectSignature(of: request)
                var form = AlimtalkKit.form(request)
                let content = form["message_1"] ?? ""
                let lines = content.split(separator: "\n").map(String.init)
                #expect(lines.first == "[LUX] 지수, Min\"jun님의 전극이 떨어졌습니다.")
                #expect(isNow(lines.last.map { String($0.prefix(16)) }) && lines.last?.hasSuffix(" \"LUX\"") == true)
                for name in ["apikey", "userid", "senderkey", "message_1"] { form[name] = nil }
                var expected = [
                    "tpl_code": "contact-lost", "sender": sender ?? "0212345678", "receiver_1": "01093847561",
                    "subject_1": "LUX", "failover": sender == nil ? "N" : "Y",
                ]
                if sender != nil { expected.merge(["fsubject_1": "LUX", "fmessage_1": content]) { $1 } }
                #expect(form == expected)
            }
        }
    }
}
