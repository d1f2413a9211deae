import JSON

/// The routes that need no token.
extension RouteDocumentation {
    package static let healthz = RouteDocumentation(
        id: "healthz", summary: "The process serves", description: "Does not use the database.",
        response: health("ok"), errors: [])

    package static let readyz = RouteDocumentation(
        id: "readyz", summary: "The server is ready",
        description:
            "The database accepts writes and its schema is current; else 503 with `X-Waiting-For`.",
        response: health("ready"), errors: [])

    package static let metrics = RouteDocumentation(
        id: "metrics", summary: "The metrics of the server",
        description: "Prometheus' text format. Not served here if metrics have their own port.",
        response: .text("The metrics.", "text/plain"), errors: [])

    package static let openAPI = RouteDocumentation(
        id: "openapi", summary: "This document", description: "OpenAPI 3.1, derived from the table of routes.",
        response: Response(
            description: "The document.", schema: ["type": "object", "required": ["openapi", "info", "paths"]],
            examples: []),
        errors: [])

    package static func documentationFile(_ file: DocumentationFile, _ summary: String) -> RouteDocumentation {
        RouteDocumentation(
            id: file.rawValue, summary: summary, description: "Part of the documentation for people.",
            response: .text(summary, file.mediaType), errors: [])
    }

    private static func health(_ status: String) -> Response {
        .json(
            "The check succeeded.", .health,
            [Example(name: status, summary: "All is well", value: ["status": .string(status)])])
    }
}
