import Foundation
import LUXTestSupport
import Testing

/// /docs and its files.
@Suite struct DocsTests {
    /// The directives of a page's Content-Security-Policy.
    private func policy(_ reply: HTTPReply) -> [String: [String]] {
        var directives: [String: [String]] = [:]
        for directive in (reply.header("Content-Security-Policy") ?? "").split(separator: ";") {
            let words = directive.split(separator: " ").map(String.init)
            if let name = words.first { directives[name] = Array(words.dropFirst()) }
        }
        return directives
    }

    /// The values of an attribute in a page, in order.
    private func values(of attribute: String, in reply: HTTPReply) -> [String] {
        reply.text.components(separatedBy: " \(attribute)=\"").dropFirst().map { String($0.prefix { $0 != "\"" }) }
    }

    @Test func `takes the assets of one version from the CDN, with integrity, and lets nothing else run`() throws {
        let page = try World.sharedServer.call("GET", "/docs")
        #expect(page.status == 200 && page.header("Content-Type") == "text/html; charset=utf-8")
        let base = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5.33.1/"
        #expect(values(of: "src", in: page) == [base + "swagger-ui-bundle.js", "docs/init.js"])
        #expect(values(of: "href", in: page).contains(base + "swagger-ui.css"))
        let integrity = values(of: "integrity", in: page)
        #expect(integrity.count == 2 && values(of: "crossorigin", in: page) == ["anonymous", "anonymous"])
        for hash in integrity { #expect(hash.hasPrefix("sha384-") && hash.utf8.count == 7 + 64, "\(hash)") }
        let policy = policy(page)
        #expect(policy["default-src"] == ["'none'"] && policy["frame-ancestors"] == ["'none'"])
        #expect(policy["script-src"] == ["'self'", base + "swagger-ui-bundle.js"])
        #expect(policy["style-src"] == ["'self'", base + "swagger-ui.css"])
        #expect(policy["connect-src"] == ["'self'"])
        #expect(!(page.header("Content-Security-Policy") ?? "").contains("unsafe"))
        #expect(!page.text.contains("<script>") && !page.text.contains("<style"))
        let start = try World.sharedServer.call("GET", "/docs/init.js")
        #expect(start.status == 200 && start.header("Content-Type") == "text/javascript; charset=utf-8")
        #expect(start.header("X-Content-Type-Options") == "nosniff")
    }

    @Test func `LUX_DOCS=off removes all pages and assets`() async throws {
        try await onThread {
            let world = try World.own(environment: ["LUX_DOCS": "off"])
            for path in ["/openapi.json", "/docs", "/docs/", "/docs/init.js", "/docs/swagger-ui.css"] {
                for method in ["GET", "HEAD", "POST", "OPTIONS"] {
                    #expect(try world.call(method, path).status == 404, "\(method) \(path)")
                }
            }
            #expect(try world.call("GET", "/healthz").status == 200)
            world.server.stop()
        }
    }

    @Test func `serves the two assets of LUX_DOCS_ASSETS and no other file`() async throws {
        try await onThread {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lux-\(UUID().uuidString)")
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent("inner"), withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            for name in ["swagger-ui.css", "swagger-ui-bundle.js", "secret.txt", "inner/swagger-ui.css"] {
                try "/* \(name) */".write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
            }
            let world = try World.own(environment: ["LUX_DOCS_ASSETS": folder.path])
            let page = try world.call("GET", "/docs")
            #expect(values(of: "src", in: page) == ["docs/swagger-ui-bundle.js", "docs/init.js"])
            #expect(!page.text.contains("https://"))
            #expect(policy(page)["script-src"] == ["'self'"] && policy(page)["style-src"] == ["'self'"])
            for (name, type) in [("swagger-ui.css", "text/css"), ("swagger-ui-bundle.js", "text/javascript")] {
                let asset = try world.call("GET", "/docs/\(name)")
                #expect(asset.status == 200 && asset.text == "/* \(name) */", "\(name)")
                #expect(asset.header("Content-Type") == "\(type); charset=utf-8", "\(name)")
            }
            for target in [
                "/docs/secret.txt", "/docs/", "/docs/inner/swagger-ui.css", "/docs/../secret.txt",
                "/docs/%2e%2e/Package.swift",
                "/docs/..%2fsecret.txt", "/docs/./swagger-ui.css", "/docs//swagger-ui.css", "/docs/swagger-ui.css/",
                "/docs/swagger-ui.css%2f..%2fsecret.txt", "/docs/\(folder.path)/secret.txt", "/docs/inner",
                "/docs/..%5csecret.txt", "/docs/swagger-ui.css.map", "/docs/SWAGGER-UI.CSS",
            ] {
                expect(try world.call("GET", target), 404, "Resource not found", target)
            }
            let paths = try world.call("GET", "/openapi.json").json?["paths"]?.keys ?? []
            #expect(paths.contains("/docs/swagger-ui.css") && paths.contains("/docs/swagger-ui-bundle.js"))
            world.server.stop()
        }
    }
}
