import Bytes

/// One HTTP request to a provider.
package struct ProviderRequest: Sendable, Equatable {
    /// `POST` or `GET`.
    package var method: String
    /// Path and query exactly as they are sent, since signatures cover them.
    package var target: String
    /// Fields in order.
    package var headers: [Field]
    /// Empty for none.
    package var body: [UInt8]

    /// One header field.
    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: String
        /// Whether the value is a key or derived from one.
        package var isSecret: Bool
    }

    /// A request with a JSON body, or without a body.
    package init(_ method: String, _ target: String, body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.body = body
        headers =
            body.isEmpty ? [] : [Field(name: "Content-Type", value: "application/json; charset=utf-8", isSecret: false)]
    }

    /// A POST of a form.
    init(form target: String, _ fields: [(name: String, value: String)]) {
        method = "POST"
        self.target = target
        body = Array(Self.encoded(fields).utf8)
        let type = "application/x-www-form-urlencoded; charset=utf-8"
        headers = [Field(name: "Content-Type", value: type, isSecret: false)]
    }

    mutating func add(_ name: String, _ value: String) {
        headers.append(Field(name: name, value: value, isSecret: false))
    }

    mutating func add(_ name: String, secret value: String) {
        headers.append(Field(name: name, value: value, isSecret: true))
    }

    /// Names and values of a query or a form.
    static func encoded(_ fields: [(name: String, value: String)]) -> String {
        fields.map { "\($0.name)=\(percentEncoded($0.value))" }.joined(separator: "&")
    }

    /// A text in which every byte outside the unreserved characters of RFC 3986 is escaped.
    static func percentEncoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte.isAlphanumeric || "-_.~".utf8.contains(byte) {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(hexadecimal: byte, uppercase: true)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The request as it is sent, with the secrets masked.
    package func printed(baseURL: String, hiding secrets: [String]) -> String {
        let fields = headers.map { "\($0.name): \($0.isSecret ? "***" : $0.value)" }
        let text = (["\(method) \(baseURL)\(target)"] + fields + ["", String(decoding: body, as: UTF8.self)])
            .joined(separator: "\n")
        return Self.masked(text, hiding: secrets)
    }

    /// A text without the secrets, whether they are written as they are or percent-encoded.
    static func masked(_ text: String, hiding secrets: [String]) -> String {
        secrets.flatMap { [$0, percentEncoded($0)] }.filter { !$0.isEmpty }
            .reduce(text) { $0.replacing($1, with: "***") }
    }
}
