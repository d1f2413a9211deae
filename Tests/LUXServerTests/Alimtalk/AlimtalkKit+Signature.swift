import Foundation
import LUXTestSupport
import Testing

extension AlimtalkKit {
    /// Compares the signature or the keys of a request, and its date with now.
    func expectSignature(of request: FakeProvider.Request) throws {
        let key = Array(Self.secret.utf8)
        switch self {
        case .nhn: #expect(request.header("X-Secret-Key") == Self.secret)
        case .solapi:
            let header = request.header("Authorization") ?? ""
            #expect(header.hasPrefix("HMAC-SHA256 apiKey=\(Self.key), date="))
            let parts = header.dropFirst("HMAC-SHA256 ".count).components(separatedBy: ", ").map {
                $0.split(separator: "=", maxSplits: 1).map(String.init)
            }
            try #require(parts.map { $0.first } == ["apiKey", "date", "salt", "signature"], "\(header)")
            let (date, salt) = (parts[1][1], parts[2][1])
            #expect((12...64).contains(salt.utf8.count))
            #expect(abs(try Self.date(date).timeIntervalSinceNow) < 30)
            let code = SHA256.authenticate(Array((date + salt).utf8), key: key)
            #expect(parts[3][1] == code.map { String(format: "%02x", $0) }.joined())
        case .sens:
            #expect(request.header("x-ncp-iam-access-key") == Self.key)
            let timestamp = request.header("x-ncp-apigw-timestamp") ?? ""
            #expect(abs(Date().timeIntervalSince1970 * 1_000 - (Double(timestamp) ?? 0)) < 30_000)
            let signed = "\(request.method) \(request.target)\n\(timestamp)\n\(Self.key)"
            let code = SHA256.authenticate(Array(signed.utf8), key: key)
            #expect(request.header("x-ncp-apigw-signature-v2") == Data(code).base64EncodedString())
        case .aligo:
            let form = Self.form(request)
            #expect(form["apikey"] == Self.secret && form["userid"] == Self.key && form["senderkey"] == Self.senderKey)
        }
    }

    /// The fields of a form.
    static func form(_ request: FakeProvider.Request) -> [String: String] {
        let fields = request.body.components(separatedBy: "&").map { $0.components(separatedBy: "=") }
        return fields.reduce(into: [:]) { form, field in
            form[field[0]] = field.count == 2 ? field[1].removingPercentEncoding : nil
        }
    }

    /// `2025-02-21T15:48:49.123Z`
    static func date(_ text: String) throws -> Date {
        try Date(text, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true))
    }
}
