import LUXTestSupport

/// A provider as the tests play it: its variables, its replies, and what its requests contain.
enum AlimtalkKit: String, CaseIterable, Sendable {
    case nhn, solapi, sens, aligo

    static let secret = "hidden-secret-0123456789"
    static let key = "hidden-key-42"
    static let template = "[LUX] #{children}님의 전극이 떨어졌습니다.\n#{time} \"LUX\""
    static let senderKey = "hidden-sender-key-7"
    /// The number that messages go to, as providers receive it and may echo it.
    static let number = "01093847561"
    static let echo = "010-9384-7561 (\(number)) is not for \(key), \(secret)"
    /// What may never be printed.
    static let hidden = [secret, key, senderKey, serviceID]
    static let serviceID = "ncp:kkobizmsg:kr:1234567:lux"

    /// The variables that make a server send through this provider.
    func environment(_ baseURL: String, _ more: [String: String] = [:]) -> [String: String] {
        let own: [String: String] =
            switch self {
            case .nhn:
                [
                    "APPKEY": Self.key, "SECRET_KEY": Self.secret, "SENDER_KEY": Self.senderKey,
                    "TEMPLATE_CODE": "contact-lost",
                ]
            case .solapi:
                ["API_KEY": Self.key, "API_SECRET": Self.secret, "PF_ID": "KA01PF1", "TEMPLATE_ID": "KA01TP1"]
            case .sens:
                [
                    "ACCESS_KEY": Self.key, "SECRET_KEY": Self.secret, "SERVICE_ID": Self.serviceID,
                    "PLUS_FRIEND_ID": "@lux", "TEMPLATE_CODE": "contact-lost", "TEXT": Self.template,
                ]
            case .aligo:
                [
                    "API_KEY": Self.secret, "USER_ID": Self.key, "SENDER_KEY": Self.senderKey, "SENDER": "02-1234-5678",
                    "TEMPLATE_CODE": "contact-lost", "TEXT": Self.template,
                ]
            }
        var environment = [
            "LUX_ALIMTALK_PROVIDER": rawValue, "LUX_ALIMTALK_BASE_URL": baseURL, "LUX_ALIMTALK_TIMEOUT": "4",
            "LUX_ALIMTALK_USER_LIMIT": "0", "LUX_ALIMTALK_DELIVERY_INTERVAL": "0",
            "LUX_ALIMTALK_VARIABLES": ##"{"children":"{children}","#{time}":"{time}","id":"{user_id}"}"##,
        ]
        for (name, value) in own { environment["LUX_ALIMTALK_\(rawValue.uppercased())_\(name)"] = value }
        return environment.merging(more) { $1 }
    }

    /// The reply to an accepted message, and the id that its row then contains.
    var accepted: (reply: FakeProvider.Behaviour, id: String) {
        switch self {
        case .nhn:
            let body = """
                {"header":{"resultCode":0,"resultMessage":"success","isSuccessful":true},"message":{"requestId":"20261125-A",\
                "senderGroupingKey":null,"sendResults":[{"recipientSeq":1,"recipientNo":"\(Self.number)","resultCode":0,\
                "resultMessage":"success"}]}}
                """
            return (.reply(200, body), "20261125-A/1")
        case .solapi:
            let body = """
                {"groupInfo":{"groupId":"G4V1","status":"SENDING","count":{"total":1,"registeredSuccess":1,\
                "registeredFailed":0}},"failedMessageList":[],"messageList":[{"messageId":"M4V1","statusCode":"2000",\
                "statusMessage":"정상 접수"}]}
                """
            return (.reply(200, body), "M4V1")
        case .sens:
            let body = """
                {"requestId":"R-1","requestTime":"2026-11-25T10:00:00.000","statusCode":"202","statusName":"success",\
                "messages":[{"messageId":"S-1","to":"\(Self.number)","requestStatusCode":"A000",\
                "requestStatusName":"success","requestStatusDesc":"성공"}]}
                """
            return (.reply(202, body), "S-1")
        case .aligo: return (Self.aligo(mid: #""mid":471234567,"#), "471234567")
        }
    }

    /// The same without an id.
    var acceptedWithoutID: FakeProvider.Behaviour {
        switch self {
        case .nhn:
            .reply(
                200,
                """
                {"header":{"resultCode":0,"isSuccessful":true},"message":{"requestId":null,"sendResults":[{"recipientSeq":1,\
                "resultCode":0}]}}
                """)
        case .solapi:
            .reply(
                200,
                """
                {"groupInfo":{"count":{"total":1,"registeredFailed":0}},"failedMessageList":[],"messageList":[{\
                "statusCode":"2000"}]}
                """)
        case .sens:
            .reply(202, #"{"statusCode":"202","messages":[{"to":"\#(Self.number)","requestStatusCode":"A000"}]}"#)
        case .aligo: Self.aligo(mid: "")
        }
    }

    /// Aligo's reply when it processed a request.
    static func aligo(mid: String, failed: Int = 0) -> FakeProvider.Behaviour {
        .reply(
            200,
            """
            {"code":0,"message":"성공적으로 전송요청 하였습니다.","info":{"type":"AT",\(mid)"current":"9974.0","unit":6.5,\
            "total":6.5,"scnt":\(1 - failed),"fcnt":\(failed)}}
            """)
    }

    /// Aligo's reply to nearly every error: only the message differs.
    static func aligo(error message: String, code: String = "-99") -> FakeProvider.Behaviour {
        .reply(200, #"{"code":\#(code),"message":"\#(message) \#(echo)"}"#)
    }

    /// NHN Cloud's reply since 2025-04-29 when every recipient was rejected.
    func allRejected(_ code: String) -> FakeProvider.Behaviour {
        .reply(
            200,
            """
            {"header":{"resultCode":-1031,"resultMessage":"All requests failed","isSuccessful":false},"message":{"requestId":null,\
            "senderGroupingKey":null,"sendResults":[{"recipientSeq":1,"recipientNo":"\(Self.number)","resultCode":\(code),\
            "resultMessage":"rejected"}]}}
            """)
    }

    /// A 2xx whose body rejects the one message with a code.
    func rejection(_ code: String, number: String = Self.number) -> FakeProvider.Behaviour {
        switch self {
        case .nhn:
            .reply(
                200,
                """
                {"header":{"resultCode":0,"resultMessage":"success","isSuccessful":true},"message":{"requestId":"X",\
                "sendResults":[{"recipientSeq":1,"recipientNo":"\(number)","resultCode":\(code),\
                "resultMessage":"rejected \(number)"}]}}
                """)
        case .solapi:
            .reply(
                200,
                """
                {"groupInfo":{"groupId":"G","count":{"total":1,"registeredFailed":1}},"failedMessageList":[{"to":"\(number)",\
                "messageId":"M","statusCode":"\(code)","statusMessage":"rejected \(number)"}]}
                """)
        case .sens:
            .reply(
                202,
                """
                {"requestId":"R","statusCode":"202","statusName":"success","messages":[{"messageId":"S","to":"\(number)",\
                "requestStatusCode":"\(code)","requestStatusName":"fail"}]}
                """)
        case .aligo: Self.aligo(error: "알 수 없는 오류", code: code)
        }
    }

    /// A failure of the whole request.
    func failure(_ status: Int, _ code: String) -> FakeProvider.Behaviour {
        switch self {
        case .nhn:
            .reply(status, #"{"header":{"resultCode":\#(code),"resultMessage":"\#(Self.echo)","isSuccessful":false}}"#)
        case .solapi: .reply(status, #"{"errorCode":"\#(code)","errorMessage":"\#(Self.echo)"}"#)
        case .sens: .reply(status, #"{"error":{"errorCode":"\#(code)","message":"\#(Self.echo)"}}"#)
        case .aligo: .reply(status, #"{"code":\#(code),"message":"\#(Self.echo)"}"#)
        }
    }
}
