import Testing

/// Checks an error response: its status, its one member `detail`, its type, and the challenge that each 401 carries.
package func expect(
    _ reply: HTTPReply, _ status: Int, _ detail: String, _ context: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(reply.status == status, "\(context) → \(reply.summary)", sourceLocation: sourceLocation)
    #expect(reply.detail == detail, "\(context) → \(reply.summary)", sourceLocation: sourceLocation)
    #expect(reply.header("Content-Type") == "application/json", "\(context)", sourceLocation: sourceLocation)
    let challenge = reply.values("WWW-Authenticate")
    #expect(challenge == (status == 401 ? ["Bearer"] : []), "\(context)", sourceLocation: sourceLocation)
}

/// Checks that a response is a 422 whose detail begins with the name of the invalid field.
package func expectInvalid(
    _ reply: HTTPReply, at field: String, _ context: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
    let named = reply.detail.map { $0.hasPrefix(field + ": ") && $0.count > field.count + 2 } ?? false
    #expect(
        reply.status == 422 && named, "\(context) → \(reply.summary), not a 422 that names \(field)",
        sourceLocation: sourceLocation)
}

/// Checks a 200 whose body is this JSON: same keys, same order, same spelling of numbers.
package func expect(
    _ reply: HTTPReply, json: String, _ context: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(reply.status == 200, "\(context) → \(reply.summary)", sourceLocation: sourceLocation)
    #expect(
        reply.json != nil && reply.json == JSONValue(json), "\(context) → \(reply.text), not \(json)",
        sourceLocation: sourceLocation)
    #expect(reply.header("Content-Type") == "application/json", "\(context)", sourceLocation: sourceLocation)
}

/// An id that no row has.
package let absentID: Int64 = 9_000_000_000_000_000_000

/// The two responses to a stored upload.
package enum Saved {
    package static let temporary = #"{"statusCode":200,"message":"Temp devlog saved successfully"}"#
    package static let complete = #"{"statusCode":200,"message":"Devlog saved successfully"}"#
}
