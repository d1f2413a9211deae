import LUX

/// What `/openapi.json` says of a route beside its method, its path and whether it wants a token.
///
/// Nothing that a reader needs has a default, so a route without documentation does not compile.
struct RouteDocumentation: Sendable {
    /// A query parameter or a header field.
    struct Parameter: Sendable {
        var name: String
        var description: String
        var schema: JSONTree
        var example: JSONTree
        var isRequired = true
        var isHeader = false

        static func optional(
            _ name: String, _ description: String, _ schema: JSONTree, example: JSONTree
        ) -> Parameter {
            Parameter(name: name, description: description, schema: schema, example: example, isRequired: false)
        }

        static func id(_ name: String, _ description: String, example: Int64) -> Parameter {
            Parameter(name: name, description: description, schema: Schema.id, example: .integer(example))
        }

        static func text(_ name: String, _ description: String, example: String) -> Parameter {
            Parameter(name: name, description: description, schema: Schema.text, example: .string(example))
        }

        static func header(_ name: String, _ description: String, example: String) -> Parameter {
            Parameter(
                name: name, description: description, schema: ["type": "string"], example: .string(example),
                isRequired: false, isHeader: true)
        }
    }

    /// An example under the name that its list shows.
    struct Example: Sendable {
        var name: String
        var summary: String
        var value: JSONTree
    }

    /// A JSON body; all that there are, are required.
    struct Body: Sendable {
        var schema: Schema
        var examples: [Example]
    }

    /// The response 200.
    struct Answer: Sendable {
        var description: String
        var mediaType = "application/json"
        var schema: JSONTree
        var examples: [Example]

        static func json(_ description: String, _ schema: Schema, _ examples: [Example]) -> Answer {
            Answer(description: description, schema: schema.reference, examples: examples)
        }

        static func text(_ description: String, _ mediaType: String) -> Answer {
            Answer(description: description, mediaType: mediaType, schema: ["type": "string"], examples: [])
        }
    }

    /// One of the endpoint's own refusals; its status is ``ErrorResponse``'s to know.
    struct Refusal: Sendable {
        var error: LUXError
        var description: String

        init(_ error: LUXError, _ description: String) {
            self.error = error
            self.description = description
        }
    }

    var id: String
    var summary: String
    var description: String
    var parameters: [Parameter] = []
    var body: Body?
    var answer: Answer
    var refusals: [Refusal]
    /// A 422 that shows what the first wrong parameter or member leads to; `nil` when nothing can be wrong.
    var fault: FieldError?
}
