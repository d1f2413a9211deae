import Foundation
import LUX
import Testing
import TimeZones

@testable import LUXNotify

@Suite struct NHNReplyTests {
    private func provider(smsSender: String?) -> NHNProvider {
        let names = ["APPKEY", "SECRET_KEY", "SENDER_KEY", "TEMPLATE_CODE"]
        var settings = AlimtalkSettings(
            NHNProvider.self, values: Dictionary(uniqueKeysWithValues: names.map { ($0, "value") }),
            variables: TemplateVariables(patterns: [:], clock: .utc), smsSender: smsSender)
        return NHNProvider(&settings)
    }

    private func reply(_ code: String) -> ProviderReply {
        let body = """
            {"header":{"resultCode":0,"isSuccessful":true},"message":{"requestId":"R","sendResults":[{"recipientSeq":1,\
            "resultCode":\(code)}]}}
            """
        return ProviderReply(status: 200, body: Array(body.utf8))
    }

    @Test(arguments: ["-3010", "-3011", "-3042", "-3043", "-3046"])
    func `a recipient who gets a text message instead is unknown until a look-up settles it`(_ code: String) {
        let outcome = provider(smsSender: "0212345678").outcome(of: reply(code))
        #expect(outcome.auditStatus == "unknown" && outcome.reason?.contains(code) == true)
        #expect(provider(smsSender: nil).outcome(of: reply(code)).auditStatus == "failed")
    }
}
