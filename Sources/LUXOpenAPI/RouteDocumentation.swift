import JSON
import LUX

/// The description of a route in `/openapi.json`, apart from its method, its path and whether it needs a token. An immutable
/// value.
///
/// No member that a reader needs has a default, so a route without documentation does not compile.
package struct RouteDocumentation: Sendable {
    /// A query parameter or a header field.
    package struct Parameter: Sendable {
        var name: String
        var description: String
        var schema: JSONValue
        var example: JSONValue
        var isRequired = true
        package var isHeader = false

        static func optional(
            _ name: String, _ description: String, _ schema: JSONValue, example: JSONValue
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
        var value: JSONValue
    }

    /// A JSON body. Always required.
    package struct Body: Sendable {
        var schema: Schema
        var examples: [Example]
    }

    /// The response 200.
    struct Response: Sendable {
        var description: String
        var mediaType = "application/json"
        var schema: JSONValue
        var examples: [Example]

        static func json(_ description: String, _ schema: Schema, _ examples: [Example]) -> Response {
            Response(description: description, schema: schema.reference, examples: examples)
        }

        static func text(_ description: String, _ mediaType: String) -> Response {
            Response(description: description, mediaType: mediaType, schema: ["type": "string"], examples: [])
        }
    }

    /// One of the endpoint's own errors. `ErrorResponse` in the API determines its status.
    package struct EndpointError: Sendable {
        package var error: LUXError
        package var description: String

        init(_ error: LUXError, _ description: String) {
            self.error = error
            self.description = description
        }
    }

    var id: String
    var summary: String
    var description: String
    package var parameters: [Parameter] = []
    package var body: Body?
    var response: Response
    package var errors: [EndpointError]
    /// An example of a 422; `nil` when no parameter or member can be invalid.
    package var fieldError: FieldError?
}
