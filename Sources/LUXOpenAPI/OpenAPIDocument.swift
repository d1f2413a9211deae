import JSON

/// A route as the document shows it. An immutable value.
package struct DocumentedRoute: Sendable {
    var method: String
    var path: String
    var tag: OpenAPIDocument.Tag
    var documentation: RouteDocumentation
    var errors: [DocumentedError]

    package init(
        method: String, path: String, tag: OpenAPIDocument.Tag, documentation: RouteDocumentation,
        errors: [DocumentedError]
    ) {
        self.method = method
        self.path = path
        self.tag = tag
        self.documentation = documentation
        self.errors = errors
    }
}

/// The table of routes as an OpenAPI 3.1 document.
package enum OpenAPIDocument {
    package static func bytes(of routes: [DocumentedRoute]) -> [UInt8] {
        var paths: [(name: String, value: JSONValue)] = []
        for route in routes {
            let method = route.method.lowercased()
            let operation = (name: method, value: operation(route))
            if let index = paths.firstIndex(where: { $0.name == route.path }) {
                paths[index].value = paths[index].value.adding(.object([operation]))
            } else {
                paths.append((name: route.path, value: .object([operation])))
            }
        }
        let document: JSONValue = [
            "openapi": "3.1.0", "info": info, "tags": .array(Tag.allCases.map(\.definition)),
            "paths": .object(paths), "components": components,
        ]
        var bytes: [UInt8] = []
        document.append(to: &bytes)
        return bytes
    }

    /// A group of routes.
    package enum Tag: String, CaseIterable, Sendable {
        /// Those that need an access token.
        case device
        case health, documentation

        var definition: JSONValue {
            let description =
                switch self {
                case .device: "Devices and their logs. Each of these requires an access token."
                case .health: "Whether the server works, for those that watch it."
                case .documentation: "What you are reading."
                }
            return ["name": .string(rawValue), "description": .string(description)]
        }
    }

    private static let info: JSONValue = [
        "title": "LUX device API", "version": "1",
        "description": """
        Device-related tasks: register a device, check it, upload its logs.

        Every error is `{"detail":"…"}`. Every response carries `X-Request-ID`: the request's own, if it sent a good one, \
        else a new one. HEAD is served as GET without the content. A JSON body is read as JSON whatever its \
        `Content-Type` says; unknown parameters and members are ignored. A request that is malformed, too large or too \
        slow gets 400, 408, 413, 414, 431, 501 or 505, with the same form of body.
        """,
    ]

    private static let components: JSONValue = [
        "securitySchemes": [
            "bearer": [
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "The access token obtained during the authentication process.",
            ]
        ],
        "headers": [
            "X-Request-ID": header("Names the request in the server's log.", ["type": "string"]),
            "WWW-Authenticate": header("The scheme that is wanted.", ["type": "string", "const": "Bearer"]),
            "Retry-After": header("Seconds to wait.", ["type": "integer", "minimum": 1]),
            "Allow": header("The methods of the path.", ["type": "string"]),
        ],
        "schemas": .object(Schema.allCases.map { ($0.rawValue, $0.definition) }),
    ]

    private static func header(_ description: String, _ schema: JSONValue) -> JSONValue {
        ["description": .string(description), "required": true, "schema": schema]
    }

    private static func operation(_ route: DocumentedRoute) -> JSONValue {
        let documentation = route.documentation
        var operation: JSONValue = [
            "operationId": .string(documentation.id), "tags": [.string(route.tag.rawValue)],
            "summary": .string(documentation.summary), "description": .string(documentation.description),
        ]
        if route.tag == .device { operation = operation.adding(["security": [["bearer": []]]]) }
        if !documentation.parameters.isEmpty {
            operation = operation.adding(["parameters": .array(documentation.parameters.map(parameter))])
        }
        if let body = documentation.body {
            operation = operation.adding([
                "requestBody": [
                    "required": true, "content": content("application/json", body.schema.reference, body.examples),
                ]
            ])
        }
        let response = documentation.response
        let good: JSONValue = [
            "description": .string(response.description), "headers": headers([]),
            "content": content(response.mediaType, response.schema, response.examples),
        ]
        let responses: JSONValue = ["200": good]
        return operation.adding(["responses": responses.adding(.object(DocumentedError.responses(of: route.errors)))])
    }

    private static func parameter(_ parameter: RouteDocumentation.Parameter) -> JSONValue {
        [
            "name": .string(parameter.name), "in": parameter.isHeader ? "header" : "query",
            "required": .bool(parameter.isRequired),
            "description": .string(parameter.description), "schema": parameter.schema, "example": parameter.example,
        ]
    }

    static func content(
        _ mediaType: String, _ schema: JSONValue, _ examples: [RouteDocumentation.Example]
    ) -> JSONValue {
        var content: JSONValue = ["schema": schema]
        if !examples.isEmpty {
            let list = examples.map { example -> (name: String, value: JSONValue) in
                (example.name, ["summary": .string(example.summary), "value": example.value])
            }
            content = content.adding(["examples": .object(list)])
        }
        return .object([(name: mediaType, value: content)])
    }

    /// The fields of every response, and these.
    static func headers(_ names: [String]) -> JSONValue {
        .object((["X-Request-ID"] + names).map { ($0, ["$ref": .string("#/components/headers/\($0)")]) })
    }
}
