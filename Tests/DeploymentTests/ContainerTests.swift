import Foundation
import LUXTestSupport
import Testing

/// Dockerfile and docker-compose.yml, as far as they can be checked without Docker.
@Suite struct ContainerTests {
    /// The instructions with continued lines joined, without comments.
    private func instructions() throws -> [(name: String, rest: String)] {
        try DeploymentFile.text("Dockerfile").split(separator: "\n").filter { !$0.hasPrefix("#") }.joined(
            separator: "\n"
        )
        .replacing("\\\n", with: " ").split(separator: "\n").map { line in
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            return (parts[0], parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : "")
        }
    }

    /// The packages that the last stage installs.
    private func packages() throws -> [String] {
        let run = try #require(try instructions().last { $0.name == "RUN" }?.rest)
        let install = try #require(run.split(separator: "&&").first { $0.contains("apt-get install") })
        return install.split(separator: " ").drop { $0 != "install" }.dropFirst().map(String.init)
            .filter { !$0.hasPrefix("-") }
    }

    @Test func `the image is built in two stages and runs without root`() throws {
        let all = try instructions()
        let known: Set = [
            "FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD",
        ]
        for instruction in all { #expect(known.contains(instruction.name), "\(instruction)") }
        let stages = all.indices.filter { all[$0].name == "FROM" }
        try #require(stages.count == 2)
        #expect(all[stages[0]].rest.hasSuffix(" AS build"))
        let last = all[stages[1]...]
        let user = try #require(last.last { $0.name == "USER" }?.rest)
        #expect(user != "root" && last.contains { $0.name == "RUN" && $0.rest.contains("useradd --uid 10001 ") })
        // Nothing is installed or copied once the user is no longer root.
        let after = last.drop { $0.name != "USER" }
        #expect(!after.contains { ["RUN", "COPY"].contains($0.name) })
        // The second stage has no Swift library.
        #expect(all.contains { $0.name == "RUN" && $0.rest.contains("swift build -c release ") })
        #expect(try DeploymentFile.text("Package.swift").contains("-static-stdlib"))
        for instruction in all where ["ENV", "RUN"].contains(instruction.name) {
            #expect(instruction.rest.firstMatch(of: /(?i)secret|password|token/) == nil, "\(instruction)")
        }
    }

    @Test func `each copied path exists, and nothing else is sent to the engine`() throws {
        let ignored = try DeploymentFile.text(".dockerignore").split(separator: "\n").map(String.init)
        let sent = Set(ignored.dropFirst().map { $0.dropFirst() })
        #expect(ignored.first == "*" && ignored.dropFirst().allSatisfy { $0.hasPrefix("!") })
        var copied: Set<Substring> = []
        for copy in try instructions() where copy.name == "COPY" && !copy.rest.hasPrefix("--from") {
            let source = try #require(copy.rest.split(separator: " ").first)
            copied.insert(source)
            #expect(FileManager.default.fileExists(atPath: DeploymentFile.path(String(source))), "\(source)")
        }
        #expect(copied == sent)
    }

    @Test func `the health check uses the port and the scheme of the server`() throws {
        let check = try #require(try instructions().first { $0.name == "HEALTHCHECK" })
        let command = try #require(check.rest.firstMatch(of: /CMD (.*)$/)).output.1
        let certificate = try TestCertificate()
        for environment in [[:], certificate.environment] {
            let server = try TestServer(World.sharedDatabase, environment: environment)
            func check(_ port: String) throws -> ChildProcess.Ending? {
                var variables = environment
                variables["LUX_PORT"] = port
                variables["PATH"] = "/usr/bin:/bin"
                return try ChildProcess("/bin/sh", ["-c", String(command)], environment: variables).wait()
            }
            #expect(try check(String(server.port)) == .exit(0))
            server.stop()
            #expect(try check(String(server.port)) == .exit(1))
        }
    }

    @Test func `the packages of the image are Debian's and contain every library that the program needs`() throws {
        let packages = try packages()
        #expect(Set(["ca-certificates", "curl", "tzdata"]).isSubset(of: packages))
        var owners: Set<String> = []
        for line in try Tool("ldd", [Locations.server]).output.split(separator: "\n") {
            // Libraries of the Swift runtime are linked into the program of the image.
            guard let path = line.firstMatch(of: /=> (\/\S+)/)?.output.1, !path.contains("swift") else { continue }
            let name = URL(fileURLWithPath: String(path)).resolvingSymlinksInPath().lastPathComponent
            let owner = try Tool("dpkg", ["-S", "*/\(name)"]).output.prefix { $0 != ":" }
            #expect(!owner.isEmpty, "\(path)")
            owners.insert(String(owner))
        }
        // Whatever APT installs with them, dependencies of dependencies included.
        let run = try Tool(
            "apt-cache",
            [
                "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks",
                "--no-replaces", "--no-enhances", "--no-pre-depends",
            ] + packages)
        #expect(run.isDone, "\(run.errors)")
        let installed = Set(run.output.split(separator: "\n").filter { !$0.hasPrefix(" ") }.map(String.init))
        #expect(owners.subtracting(installed).sorted() == [])
        for package in packages { #expect(installed.contains(package), "\(package)") }
        #expect(owners.isSuperset(of: ["libpq5", "libssl3", "libcurl4"]))
    }

    // MARK: Compose

    static func compose() throws -> JSONValue {
        let program = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))"
        let run = try Tool("python3", ["-c", program, "docker-compose.yml"])
        return try #require(JSONValue(run.output.trimmingCharacters(in: .whitespacesAndNewlines)), "\(run.errors)")
    }

    @Test func `the Compose file runs server, database and Prometheus, and its secrets are files`() throws {
        let compose = try Self.compose()
        let services = try #require(compose["services"])
        #expect(services.keys.sorted() == ["desk", "grants", "migrate", "postgres", "privacy", "prometheus", "server"])
        let secrets = Set(try #require(compose["secrets"]).keys)
        for name in services.keys {
            let service = try #require(services[name])
            for secret in service["secrets"]?.items ?? [] { #expect(secrets.contains(secret.string ?? "")) }
            for volume in (service["volumes"]?.items ?? []).compactMap(\.string) {
                let source = volume.prefix { $0 != ":" }
                let isThere =
                    source.hasPrefix("./")
                    ? FileManager.default.fileExists(atPath: DeploymentFile.path(String(source.dropFirst(2))))
                    : compose["volumes"]?.keys.contains(String(source)) ?? false
                #expect(isThere, "\(volume)")
            }
            for variable in service["environment"]?.keys ?? [] where variable.hasPrefix("POSTGRES_PASSWORD") {
                #expect(variable == "POSTGRES_PASSWORD_FILE")
            }
            if let tag = service["image"]?.string { #expect(tag.contains(/:[v\d]/), "\(tag) names no version") }
        }
        // What nobody but Prometheus reads is not published, and the rest to this machine alone.
        #expect(services["server"]?["ports"]?.items?.compactMap(\.string) == ["127.0.0.1:8080:8080"])
        #expect(services["prometheus"]?["ports"]?.items?.compactMap(\.string) == ["127.0.0.1:9090:9090"])
        #expect(services["postgres"]?["ports"] == nil)
        let networks = services.keys.reduce(into: [String: [String]]()) { networks, name in
            for item in services[name]?["networks"]?.items ?? [] {
                networks[item.string ?? "", default: []].append(name)
            }
        }.mapValues { $0.sorted() }
        #expect(
            networks == [
                "public": ["server"], "metrics": ["prometheus", "server"],
                "database": ["desk", "grants", "migrate", "postgres", "privacy", "server"],
            ])
        #expect(Set(networks.keys) == Set(compose["networks"]?.keys ?? []))
        #expect(compose["networks"]?["database"]?["internal"] == .bool(true))
        // Each has the secrets that it needs and no other.
        for (name, role) in [
            ("migrate", "lux_owner"), ("grants", "lux_owner"), ("server", "lux"), ("desk", "lux_desk"),
            ("privacy", "lux_privacy"),
        ] {
            let own = services[name]?["secrets"]?.items?.compactMap(\.string).filter { $0.hasSuffix(".url") }
            #expect(own == [role + ".url"], "\(name)")
        }
        let port = try #require(services["server"]?["environment"]?["LUX_METRICS_PORT"]?.string)
        #expect(try DeploymentFile.text("deploy/prometheus.yml").contains("[server:\(port)]"))
        #expect(services["server"]?["read_only"] == .bool(true))
    }

    /// The variables of the Compose file, with `${NAME-default}` filled in, are ones that the server starts with.
    @Test(arguments: [
        ([:], "a secret"),
        (["LUX_JWT_SECRET_FILE": "", "LUX_JWT_PUBLIC_KEY": "/run/secrets/token-keys"], "a public key"),
    ])
    func `the server of the Compose file takes a secret or a public key`(_ set: [String: String], _ kind: String) throws
    {
        let folder = try makeTemporaryFolder()
        let keys = folder + "/token-keys"
        if kind == "a secret" {
            try (Token.secret + "\n").write(toFile: keys, atomically: true, encoding: .utf8)
        } else {
            let certificate = try TestCertificate()
            let run = try Tool("openssl", ["pkey", "-in", certificate.key, "-pubout", "-out", keys])
            #expect(run.isDone, "\(run.errors)")
        }
        try (World.sharedDatabase.connectionString + "\n")
            .write(toFile: folder + "/lux.url", atomically: true, encoding: .utf8)
        var environment = ["DATABASE_URL": "", "LUX_JWT_SECRET": ""]
        let variables = try #require(try Self.compose()["services"]?["server"]?["environment"])
        for name in variables.keys {
            var value = variables[name]?.string ?? ""
            if let match = value.firstMatch(of: /^\$\{(\w+)-(.*)\}$/) {
                value = set[String(match.output.1)] ?? String(match.output.2)
            }
            environment[name] = value.replacing("/run/secrets", with: folder)
        }
        environment["LUX_METRICS_PORT"] = "0"
        let server = try TestServer(World.sharedDatabase, environment: environment)
        #expect(try server.call("GET", "/readyz").status == 200)
        server.stop()
    }
}
