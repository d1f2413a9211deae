import Foundation
import LUXAPI
import LUXTestSupport
import Testing

/// /docs in a browser, with the assets of the very version that the page pins.
@Suite struct DocsBrowserTests {
    /// The folder with the pinned swagger-ui-dist, out of a Python package that contains its files as they are.
    private func assets() throws -> String {
        let environment = ProcessInfo.processInfo.environment.filter { $0.key.hasPrefix("PIP_") }
            .merging(["PATH": Locations.path]) { $1 }
        let tools = try ChildProcess(
            Locations.package + "/Scripts/python-tools",
            environment: LUXCommand.environment(environment), folder: Locations.package)
        let ending = tools.wait(seconds: 240)
        if ending == .exit(77) { try Test.cancel("Python or its packages cannot be had: \(tools.errors)") }
        try #require(ending == .exit(0), "\(tools.errors)")
        let root = try #require(tools.outputLines.last)
        let package = "drf_spectacular_sidecar/static/drf_spectacular_sidecar/swagger-ui-dist"
        let libraries = try FileManager.default.contentsOfDirectory(atPath: root + "/lib")
        return "\(root)/lib/\(try #require(libraries.first))/site-packages/\(package)"
    }

    @Test(.timeLimit(.minutes(8)))
    func `shows each endpoint, takes a token by hand, and tries get-all-device out`() async throws {
        try await onThread {
            let world = try World.own(environment: ["LUX_DOCS_ASSETS": try assets()])
            defer { world.server.stop() }
            let user = try world.user()
            let device = try world.device(of: try world.child(of: user), alias: "Living room")
            let token = Token.access(user: user)

            let browser = try Browser()
            try browser.open("http://127.0.0.1:\(world.server.port)/docs")
            try browser.wait(for: "document.querySelectorAll('.opblock').length >= \(Endpoint.allCases.count)")
            let shown = try browser.evaluate(
                """
                [...document.querySelectorAll('.opblock')].map(block =>
                  block.querySelector('.opblock-summary-method').textContent + ' ' +
                  block.querySelector('.opblock-summary-path').dataset.path)
                """)
            for (method, name) in RoutingTests.endpoints {
                #expect(shown.leaves.contains("\(method) \(World.api)\(name)"), "\(shown.leaves)")
            }

            // Opened before the token is put in: Swagger UI loses a click on Execute that comes while it still reads the document.
            let block = ".opblock:has([data-path='\(World.api)get-all-device'])"
            try browser.click("\(block) .opblock-summary-control")
            try browser.wait(for: "document.querySelector(`\(block) .execute`) !== null")
            try browser.click(".btn.authorize")
            try browser.type(token, into: ".auth-container input")
            try browser.click(".auth-btn-wrapper .authorize")
            try browser.click(".auth-btn-wrapper .btn-done")
            try browser.wait(for: "document.querySelector('.dialog-ux') === null")

            let response = ".live-responses-table .response"
            try browser.click("\(block) .execute")
            try browser.wait(for: "document.querySelector('\(response)') !== null")
            let status = try browser.evaluate("document.querySelector('\(response) .response-col_status').textContent")
            #expect(status.string?.hasPrefix("200") == true, "\(status)")
            let body = try browser.evaluate("document.querySelector('\(response) .highlight-code').textContent")
            #expect(body.string?.contains(device.unique) == true && body.string?.contains("Living room") == true)
            #expect(browser.complaints == [])
        }
    }

    @Test(.timeLimit(.minutes(5))) func `pins the hashes of the files that are published`() async throws {
        try await onThread {
            let page = try World.sharedServer.call("GET", "/docs").text
            let folder = try assets()
            for name in ["swagger-ui.css", "swagger-ui-bundle.js"] {
                let hash = try ChildProcess(
                    "/bin/sh", ["-c", #"openssl dgst -sha384 -binary "$0" | base64 -w0"#, "\(folder)/\(name)"],
                    environment: ["PATH": Locations.path])
                #expect(hash.wait() == .exit(0))
                #expect(hash.output.utf8.count == 64 && page.contains("sha384-\(hash.output)\""), "\(name)")
            }
        }
    }
}
