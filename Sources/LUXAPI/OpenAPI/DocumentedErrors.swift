import HTTP

/// The errors of a route by their status. Status, detail and header fields are those of ``ErrorResponse``.
struct DocumentedErrors {
    private var errors: [(response: ErrorResponse, description: String)] = []

    /// - Parameter limits: those in force.
    init(_ route: Route, _ limits: HTTPLimits) {
        let documentation = route.documentation
        add(ErrorResponse(refused: .badRequest, reason: ""), "The request is malformed: a bad percent-escape, say.")
        if case .user = route.access {
            for refusal in documentation.refusals { add(ErrorResponse(refusal.error), refusal.description) }
            add(ErrorResponse(APIError.invalidToken("")), "The token is missing or invalid.")
            add(ErrorResponse(APIError.expiredToken), "The token has expired.")
            add(ErrorResponse(APIError.notFound("")), "The resource cannot be found. Please check the URI again.")
            add(
                ErrorResponse(APIError.tooManyRequests(retryAfter: 1)),
                "A rate or a number of messages or guesses is exceeded.")
            add(ErrorResponse(Unforeseen()), "This is a server error.")
        }
        add(ErrorResponse(APIError.methodNotAllowed(allow: "")), "The path has other methods.")
        if let fault = documentation.fault {
            add(ErrorResponse(fault), "The first parameter or member that is not what it must be.")
        }
        if documentation.body != nil {
            add(
                ErrorResponse(refused: .contentTooLarge, reason: ""),
                "The body is larger than \(Self.size(limits.bodyBytes)).")
        }
        if documentation.parameters.contains(where: { !$0.isHeader }) {
            add(
                ErrorResponse(refused: .uriTooLong, reason: ""),
                "The request target is longer than \(Self.size(limits.targetBytes)).")
        }
        add(ErrorResponse(unavailable: ""), "The database is out of reach or the server is too busy: try again.")
    }

    private struct Unforeseen: Error {}

    private static func size(_ bytes: Int) -> String {
        if bytes % (1 << 20) == 0 { return "\(bytes >> 20) MiB" }
        return bytes % 1_024 == 0 ? "\(bytes >> 10) KiB" : "\(bytes) bytes"
    }

    private mutating func add(_ response: ErrorResponse, _ description: String) {
        errors.append((response, description))
    }

    /// Each status once, in order.
    var statuses: [Int] { Set(errors.map(\.response.status.rawValue)).sorted() }

    var responses: [(name: String, value: JSONTree)] {
        let ofStatus = Dictionary(grouping: errors) { $0.response.status.rawValue }
        return ofStatus.sorted { $0.key < $1.key }.map { status, errors in
            let lines = errors.map { "\($0.response.detail): \($0.description)" }
            let examples = errors.map { error in
                RouteDocumentation.Example(
                    name: Self.name(error.response.detail), summary: error.description,
                    value: ["detail": .string(error.response.detail)])
            }
            let response: JSONTree = [
                "description": .string(lines.joined(separator: "\n\n")),
                "headers": OpenAPIDocument.headers(errors.first?.response.headers.map(\.name) ?? []),
                "content": OpenAPIDocument.content("application/json", Schema.error.reference, examples),
            ]
            return (String(status), response)
        }
    }

    /// A detail as a key of the document's lists: letters, digits and hyphens.
    private static func name(_ detail: String) -> String {
        detail.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }.joined(separator: "-")
    }
}
