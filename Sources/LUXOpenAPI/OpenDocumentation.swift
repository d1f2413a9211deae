import JSON

/// The routes that need no token.
extension RouteDocumentation {
    package static let healthz = RouteDocumentation(
        id: "healthz", summary: "The process serves", description: "Asks nothing of the database.",
        answer: health("ok"), refusals: [])

    package static let readyz = RouteDocumentation(
        id: "readyz", summary: "The server is ready",
        description:
            "The database accepts writes and its schema is current; else 503 with `X-Waiting-For`.",
        answer: health("ready"), refusals: [])

    package static let metrics = RouteDocumentation(
        id: "metrics", summary: "What the server measures of itself",
        description: "Prometheus' text format. Not here where the server has a port of its own for it.",
        answer: .text("The metrics.", "text/plain"), refusals: [])

    package static let openAPI = RouteDocumentation(
        id: "openapi", summary: "This document", description: "OpenAPI 3.1, derived from the table of routes.",
        answer: Answer(
            description: "The document.", schema: ["type": "object", "required": ["openapi", "info", "paths"]],
            examples: []),
        refusals: [])

    package static func documentationFile(_ file: DocumentationFile, _ summary: String) -> RouteDocumentation {
        RouteDocumentation(
            id: file.rawValue, summary: summary, description: "Part of the documentation for people.",
            answer: .text(summary, file.mediaType), refusals: [])
    }

    private static func health(_ status: String) -> Answer {
        .json(
            "It does.", .health,
            [Example(name: status, summary: "All is well", value: ["status": .string(status)])])
    }
}
