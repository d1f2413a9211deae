import JSON

/// An error response as the document shows it. An immutable value.
package struct DocumentedError: Sendable {
    package var status: Int
    package var detail: String
    /// The names of its header fields.
    package var headers: [String]
    package var description: String

    package init(status: Int, detail: String, headers: [String], description: String) {
        self.status = status
        self.detail = detail
        self.headers = headers
        self.description = description
    }

    /// The responses by status.
    static func responses(of errors: [DocumentedError]) -> [(name: String, value: JSONValue)] {
        let ofStatus = Dictionary(grouping: errors) { $0.status }
        return ofStatus.sorted { $0.key < $1.key }.map { status, errors in
            let lines = errors.map { "\($0.detail): \($0.description)" }
            let examples = errors.map { error in
                RouteDocumentation.Example(
                    name: Self.name(error.detail), summary: error.description,
                    value: ["detail": .string(error.detail)])
            }
            let response: JSONValue = [
                "description": .string(lines.joined(separator: "\n\n")),
                "headers": OpenAPIDocument.headers(errors.first?.headers ?? []),
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
