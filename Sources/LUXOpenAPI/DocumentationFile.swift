/// A file of the documentation; no other file of a folder of assets is served.
package enum DocumentationFile: String, CaseIterable, Sendable {
    /// `/openapi.json`
    case openAPI = "openapi"
    /// `/docs`
    case page = "docs"
    /// `/docs/init.js`
    case start = "docs-init"
    /// `/docs/swagger-ui.css`, where assets are served from a folder.
    case style = "docs-style"
    /// `/docs/swagger-ui-bundle.js`, where assets are served from a folder.
    case script = "docs-script"

    package var mediaType: String {
        switch self {
        case .openAPI: "application/json"
        case .page: "text/html"
        case .start, .script: "text/javascript"
        case .style: "text/css"
        }
    }
}
