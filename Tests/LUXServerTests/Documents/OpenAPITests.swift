import Foundation
import LUXAPI
import LUXTestSupport
import Testing

/// /openapi.json: that it is what the server does.
@Suite struct OpenAPITests {
    let world: World
    let document: JSONValue
    let schemas: JSONSchemaCheck

    init() throws {
        world = try World()
        let reply = try world.call("GET", "/openapi.json")
        #expect(reply.status == 200 && reply.header("Content-Type") == "application/json")
        document = try #require(reply.json)
        schemas = JSONSchemaCheck(document)
    }

    /// The document's paths with their methods: `GET /healthz`.
    private var operations: [String] {
        (document["paths"]?.keys ?? []).flatMap { path in
            (document["paths"]?[path]?.keys ?? []).map { "\($0.uppercased()) \(path)" }
        }
    }

    @Test func `lists the routes and nothing else, each of which is served`() throws {
        #expect(document["openapi"]?.string == "3.1.0")
        let endpoints = RoutingTests.endpoints.map { "\($0.method) \(World.api)\($0.name)" }
        let open = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/init.js"].map { "GET \($0)" }
        #expect(operations.sorted() == (endpoints + open).sorted())
        for path in document["paths"]?.keys ?? [] {
            // An unknown path gets 404 before anything else.
            #expect(try world.call("BREW", path).status == 405, "\(path)")
        }
    }

    @Test func `requires the bearer token exactly where the server does`() throws {
        #expect(document["components"]?["securitySchemes"]?["bearer"]?["scheme"]?.string == "bearer")
        for operation in operations {
            let parts = operation.split(separator: " ").map(String.init)
            let isOpen = try world.call(parts[0], parts[1]).status != 401
            let isDocumentedOpen = schemas.operation(parts[0], parts[1])?["security"] == nil
            #expect(isOpen == isDocumentedOpen, "\(operation)")
            #expect((schemas.response(parts[0], parts[1], 401) == nil) == isDocumentedOpen, "\(operation)")
        }
    }

    @Test func `names the parameters that the server requires, in its order`() throws {
        for (method, name) in RoutingTests.endpoints {
            let parameters = schemas.operation(method, World.api + name)?["parameters"]?.items ?? []
            var query = ""
            for parameter in parameters where parameter["required"] == .bool(true) {
                let field = try #require(parameter["name"]?.string)
                expectInvalid(try world.call(method, name + query, as: absentID), at: field, name + query)
                #expect(parameter["in"]?.string == "query")
                query += "\(query.isEmpty ? "?" : "&")\(field)=1"
            }
            let reply = try world.call(method, name + query, as: absentID)
            #expect((reply.status == 422) == (schemas.operation(method, World.api + name)?["requestBody"] != nil))
        }
    }

    @Test func `states the limits in force`() async throws {
        try await onThread {
            let server = try TestServer(
                try TestDatabase.make(),
                environment: ["LUX_MAX_BODY_BYTES": "4096", "LUX_MAX_TARGET_BYTES": "2500"])
            let text = try server.call("GET", "/openapi.json").text
            #expect(text.contains("larger than 4 KiB") && text.contains("longer than 2500 bytes"))
            #expect(!text.contains("1 MiB."))
            server.stop()
        }
    }

    @Test func `shows examples that fit their schemas`() throws {
        for operation in operations {
            let parts = operation.split(separator: " ").map(String.init)
            let documentation = try #require(schemas.operation(parts[0], parts[1]))
            var contents = [documentation["requestBody"]?["content"]].compactMap { $0 }
            for status in documentation["responses"]?.keys ?? [] {
                contents.append(try #require(documentation["responses"]?[status]?["content"]))
                #expect(documentation["responses"]?[status]?["description"]?.string?.isEmpty == false)
            }
            for content in contents {
                let media = content[content.keys.first ?? ""]
                for name in media?["examples"]?.keys ?? [] {
                    let value = try #require(media?["examples"]?[name]?["value"])
                    #expect(schemas.errors(of: value, in: media?["schema"]) == [], "\(operation) \(name)")
                }
            }
        }
    }

    /// Expects a response to be one that the document shows: status, schema, members in order, detail, header fields.
    private func expectDocumented(_ reply: HTTPReply, _ method: String, _ target: String) throws {
        let path = String(target.prefix { $0 != "?" })
        let context = "\(method) \(target) → \(reply.summary)"
        let response = try #require(schemas.response(method, path, reply.status), "\(context)")
        let media = response["content"]?["application/json"]
        let body = try #require(reply.json, "\(context)")
        #expect(schemas.errors(of: body, in: media?["schema"]) == [], "\(context)")
        let element = body.items?.first ?? body
        #expect(
            element.keys == schemas.properties(of: body.items == nil ? media?["schema"] : media?["schema"]?["items"]),
            "\(context)")
        for name in response["headers"]?.keys ?? [] { #expect(reply.header(name) != nil, "\(context): \(name)") }
        if reply.status >= 400, reply.status != 422 {
            let shown = (media?["examples"]?.keys ?? []).map { media?["examples"]?[$0]?["value"] }
            #expect(shown.contains(body), "\(context)")
        }
    }

    /// The statuses that the document shows for an endpoint and not for every endpoint.
    private func ownStatuses(of endpoint: Endpoint) -> Set<String> {
        func statuses(_ endpoint: Endpoint) -> Set<String> {
            Set(schemas.operation(endpoint.method, endpoint.path)?["responses"]?.keys ?? [])
        }
        // 413 and 414 are those of HTTPLimitTests; a message fails in AlimtalkFailureTests.
        let tested: Set = endpoint == .alimtalk ? ["409", "413", "414"] : ["413", "414"]
        let common = Endpoint.allCases.reduce(statuses(endpoint)) { $0.intersection(statuses($1)) }
        return statuses(endpoint).subtracting(tested).subtracting(common)
    }

    @Test func `describes the responses of each endpoint, member for member`() throws {
        let user = try world.user(phone: "+821012345678")
        let child = try world.child(of: user)
        let (bare, full) = (try world.device(of: child), try world.completeDevice(of: child).device)
        let free = try world.device()
        let (_, strangeChild, strange) = try world.family()
        let temporary = World.record(child: child, device: bare, date: "2025-02-21T15:48:49")
        let complete = World.record(child: child, device: full, date: "2025-02-21T15:48:49", flag: 1, file: 18)
        func alias(_ child: Int64, _ device: Int64) -> String {
            #"{"device_id":\#(device),"real_user_id":\#(child),"device_alias":"a"}"#
        }
        func set(_ unique: String, _ child: Int64) -> String {
            "set-my-device?serial_code=s&mac_id=41AD&unique_id=\(unique)&real_user_id=\(child)"
        }
        let calls: [(status: Int, method: String, target: String, user: Int64, body: String?)] = [
            (200, "GET", "child-device?real_user_id=\(child)", user, nil),
            (401, "GET", "child-device?real_user_id=\(strangeChild)", user, nil),
            (422, "GET", "child-device?real_user_id=0", user, nil), (200, "GET", "get-all-device", user, nil),
            (401, "GET", "get-all-device", absentID, nil), (200, "POST", set(free.unique, child), user, nil),
            (404, "POST", set("none", child), user, nil), (409, "POST", set(strange.unique, child), user, nil),
            (200, "PATCH", "un-connect?unique_id=\(free.unique)&real_user_id=\(child)", user, nil),
            (404, "PATCH", "un-connect?unique_id=\(free.unique)&real_user_id=\(child)", user, nil),
            (200, "GET", "check-device?unique_id=\(bare.unique)", user, nil),
            (200, "GET", "check-device?unique_id=\(free.unique)", user, nil),
            (404, "GET", "check-device?unique_id=none", user, nil),
            (409, "GET", "check-device?unique_id=\(strange.unique)", user, nil),
            (200, "PATCH", "update-alias", user, alias(child, bare.id)),
            (404, "PATCH", "update-alias", user, alias(child, absentID)),
            (409, "PATCH", "update-alias", user, alias(child, free.id)),
            (200, "POST", "devlog", user, World.logArrays([temporary])),
            (200, "POST", "devlog", user, World.logArrays([complete])),
            (
                404, "POST", "devlog", user,
                World.logArrays([World.record(child: absentID, device: bare, date: "2025-02-21T15:48:49")])
            ),
            (
                409, "POST", "devlog", user,
                World.logArrays([World.record(child: child, device: free, date: "2025-02-21T15:48:49")])
            ),
            (200, "GET", "usage-logs?real_user_id=\(child)&limit=1", user, nil),
            (401, "GET", "usage-logs?real_user_id=\(strangeChild)", user, nil),
            (422, "GET", "usage-logs?real_user_id=\(child)&cursor=x", user, nil),
            (200, "POST", "alimtalk", user, nil), (403, "POST", "alimtalk", absentID, nil),
            (405, "DELETE", "alimtalk", user, nil),
        ]
        for (status, method, target, user, body) in calls {
            let reply = try world.call(method, target, as: user, body: body)
            #expect(reply.status == status, "\(method) \(target) → \(reply.summary)")
            try expectDocumented(reply, method == "DELETE" ? "POST" : method, World.api + target)
        }
        for endpoint in Endpoint.allCases {
            var called = Set(calls.filter { $0.target.prefix { $0 != "?" } == endpoint.name }.map { "\($0.status)" })
            #expect(called.contains("200"), "\(endpoint)")
            let bare = try world.call(endpoint.method, endpoint.name, as: user)
            try expectDocumented(bare, endpoint.method, endpoint.path)
            called.insert("\(bare.status)")
            #expect(ownStatuses(of: endpoint).isSubset(of: called), "\(endpoint): \(ownStatuses(of: endpoint))")
        }
        for path in ["/healthz", "/readyz"] { try expectDocumented(try world.call("GET", path), "GET", path) }
        for (method, name) in RoutingTests.endpoints {
            try expectDocumented(try world.call(method, name), method, World.api + name)
            let old = [("Authorization", "Bearer \(Token.access(user: user, ttl: -10))")]
            try expectDocumented(try world.call(method, name, headers: old), method, World.api + name)
        }
    }

    @Test(.timeLimit(.minutes(5))) func `passes openapi-spec-validator and schemathesis`() async throws {
        let (ending, output) = try await onThread {
            let environment = ProcessInfo.processInfo.environment.filter { $0.key.hasPrefix("PIP_") }
                .merging(["PATH": Locations.path]) { $1 }
            let check = try ChildProcess(
                Locations.package + "/Scripts/check-openapi",
                ["--examples", "25", "--seed", "1", "--server", Locations.server],
                environment: LUXCommand.environment(environment), folder: Locations.package)
            return (check.wait(seconds: 240), check.output + check.errors)
        }
        if ending == .exit(77) { try Test.cancel("Python or its packages cannot be had: \(output)") }
        #expect(ending == .exit(0), "\(output)")
    }
}
