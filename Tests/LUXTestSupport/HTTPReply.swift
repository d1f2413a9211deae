/// One response as it was received: header fields in order, names as sent.
package struct HTTPReply: Sendable {
    package let version: String
    package let status: Int
    package let reason: String
    package let headers: [(name: String, value: String)]
    package var body: [UInt8] = []

    init?(head: String) {
        // CR LF is one Character: the lines are cut at its scalars.
        var lines = head.unicodeScalars.split(separator: "\r\n".unicodeScalars.first ?? "\r")
            .map { String($0.first == "\n" ? $0.dropFirst() : $0) }
        guard !lines.isEmpty else { return nil }
        let first = lines.removeFirst().split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard first.count == 3, first[0].hasPrefix("HTTP/1."), first[1].utf8.count == 3, let status = Int(first[1])
        else { return nil }
        version = String(first[0])
        self.status = status
        reason = String(first[2])
        var headers: [(name: String, value: String)] = []
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers.append((String(line[..<colon]), String(value)))
        }
        self.headers = headers
    }

    /// One whole response as bytes, whose body goes to the end.
    package init?(bytes: [UInt8]) {
        guard
            let end = bytes.indices.first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) })
        else { return nil }
        self.init(head: String(decoding: bytes[..<end], as: UTF8.self))
        body = Array(bytes[(end + 4)...])
    }

    /// The value of the first field of this name, compared without case.
    package func header(_ name: String) -> String? { values(name).first }

    package func values(_ name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    package var text: String { String(decoding: body, as: UTF8.self) }

    package var json: JSONValue? { JSONValue(body) }

    /// `detail` of an error body that has this one member and nothing else.
    package var detail: String? {
        guard case .object(let members)? = json, members.count == 1, members[0].name == "detail" else { return nil }
        return members[0].value.string
    }

    /// Status and body text, for comparing and for failure messages.
    package var summary: String { "\(status) \(text)" }

    package var requestID: String? { header("X-Request-ID") }
}
