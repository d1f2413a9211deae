import Foundation
import LUXTestSupport
import Testing

/// --config FILE, the _FILE variables and lux-server config check
@Suite struct ConfigCommandTests {
    private static let database = "postgresql://lux:hidden-password@127.0.0.1:1/lux"

    private func file(_ text: String) throws -> String {
        let path = try makeTemporaryFolder("lux-config") + "/file"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o600)
        return path
    }

    private func check(_ environment: [String: String], _ config: String? = nil) throws -> LUXCommand {
        let options = try config.map { ["--config", try file($0)] } ?? []
        return try LUXCommand.run(["config", "check"] + options, environment: environment)
    }

    private func row(_ name: String, _ run: LUXCommand) -> [String] {
        let line = run.output.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line?.split(separator: "  ").map { $0.trimmingCharacters(in: .whitespaces) } ?? []
    }

    @Test func `prints what is in force and where it comes from, with secrets masked`() throws {
        let run = try check(
            ["DATABASE_URL": Self.database, "LUX_PORT": "9000", "LUX_HOST": ""],
            "LUX_PORT=1\nLUX_JWT_SECRET='\(Token.secret)'\n\nLUX_HOST=::1\n")
        #expect(run.ending == .exit(0), "\(run.everything)")
        #expect(row("LUX_PORT", run) == ["LUX_PORT", "9000", "environment"])
        #expect(row("LUX_HOST", run) == ["LUX_HOST", "::1", "--config, line 4"])
        #expect(row("LUX_JWT_SECRET", run) == ["LUX_JWT_SECRET", "****", "--config, line 2"])
        #expect(row("LUX_DB_POOL", run) == ["LUX_DB_POOL", "8", "default"])
        let database = row("DATABASE_URL", run)
        #expect(database[1] == "user=lux password=**** dbname=lux host=127.0.0.1 port=1", "\(database)")
        for secret in ["hidden", Token.secret] { #expect(!run.everything.contains(secret)) }
    }

    private static let canMount =
        (try? ChildProcess("/usr/bin/unshare", ["--mount", "true"]).wait(seconds: 10)) == .exit(0)

    @Test(.enabled(if: canMount, "needs a mount namespace of its own"))
    func `a machine without time zones is reported with the package that it lacks`() throws {
        let hidden = "mount -t tmpfs none /usr/share/zoneinfo && exec \"$0\" config check"
        let process = try ChildProcess(
            "/usr/bin/unshare", ["--mount", "sh", "-c", hidden, Locations.server],
            environment: LUXCommand.environment(["DATABASE_URL": Self.database, "LUX_JWT_SECRET": Token.secret]))
        #expect(process.wait(seconds: 60) == .exit(78))
        #expect(
            process.errors.contains("LUX_TIMEZONE: /usr/share/zoneinfo has no valid Asia/Seoul"), "\(process.errors)")
        #expect(process.errors.contains("install the package tzdata"), "\(process.errors)")
    }

    @Test func `reports every error, misspelt names among them, and no secret`() throws {
        let run = try check(
            ["DATABASE_URL": "mysql://hidden", "LUX_PROT": "1", "LUX_PORT": "x"], "LUX_JWT_SECRET=hidden")
        #expect(run.ending == .exit(78))
        #expect(
            run.errors.split(separator: "\n").map { $0.split(separator: ":")[1] } == [
                " DATABASE_URL", " LUX_PORT", " LUX_JWT_SECRET", " LUX_PROT",
            ], "\(run.errors)")
        #expect(!run.everything.contains("hidden"))
        for (arguments, expected) in [
            (["--config", "/nowhere"], "--config: /nowhere cannot be read"),
            (["--config", try file("A='hidden")], "line 1: A: a quotation mark that is not closed"),
        ] {
            for command in [["serve"], ["config", "check"], ["migrate"], ["token", "--user", "1"]] {
                let run = try LUXCommand.run(
                    command + arguments, environment: ["DATABASE_URL": Self.database, "LUX_JWT_SECRET": Token.secret])
                #expect(run.ending == .exit(78) && run.errors.contains(expected), "\(command): \(run.everything)")
                #expect(!run.everything.contains("hidden"))
            }
        }
    }

    @Test func `a secret may be in a file of its own`() throws {
        let one = try file(Self.database + "\n")
        let good = try check(["DATABASE_URL_FILE": one, "LUX_JWT_SECRET_FILE": try file(Token.secret)])
        #expect(good.ending == .exit(0), "\(good.everything)")
        #expect(row("DATABASE_URL", good).last == "DATABASE_URL_FILE")
        #expect(!good.everything.contains("hidden"))
        let secret = ["LUX_JWT_SECRET": Token.secret]
        for (environment, config, source) in [
            (["DATABASE_URL_FILE": one], "DATABASE_URL=host=x", "DATABASE_URL_FILE"),
            (["DATABASE_URL": Self.database], "DATABASE_URL_FILE=\(one)", "environment"),
            ([:], "DATABASE_URL_FILE=\(one)", "DATABASE_URL_FILE"),
        ] as [([String: String], String, String)] {
            let run = try check(environment.merging(secret) { $1 }, config)
            #expect(run.ending == .exit(0) && row("DATABASE_URL", run).last == source, "\(run.everything)")
        }
        for (environment, expected) in [
            (["DATABASE_URL": "host=x", "DATABASE_URL_FILE": one], "must not be set beside DATABASE_URL"),
            (["DATABASE_URL_FILE": "/nowhere"], "the file cannot be read"),
            (["DATABASE_URL_FILE": "/dev/null"], "the file cannot be read or is empty"),
            (["DATABASE_URL_FILE": "/tmp"], "the file cannot be read"),
        ] {
            let run = try check(environment.merging(secret) { $1 })
            #expect(
                run.ending == .exit(78) && run.errors.contains("DATABASE_URL_FILE: \(expected)"), "\(run.everything)")
        }
    }

    @Test func `rejects files with secrets that others may write, and warns of those that everybody may read`() throws {
        let good = ["DATABASE_URL": Self.database, "LUX_JWT_SECRET": Token.secret]
        let secret = try file(Token.secret)
        let url = try file(Self.database)
        let whole = try file("DATABASE_URL=\(Self.database)\nLUX_JWT_SECRET=\(Token.secret)\n")
        for (mode, ending, expected) in [
            (0o600, 0, nil), (0o640, 0, nil), (0o644, 0, "everybody may read it"), (0o660, 78, "others may write it"),
            (0o602, 78, "others may write it"),
        ] as [(mode_t, Int32, String?)] {
            for path in [secret, url, whole] { chmod(path, mode) }
            for (environment, config, name) in [
                (["DATABASE_URL": Self.database, "LUX_JWT_SECRET_FILE": secret], nil, "LUX_JWT_SECRET_FILE"),
                (["DATABASE_URL_FILE": url, "LUX_JWT_SECRET": Token.secret], nil, "DATABASE_URL_FILE"),
                ([:], whole, "--config"),
            ] as [([String: String], String?, String)] {
                let run = try LUXCommand.run(
                    ["config", "check"] + (config.map { ["--config", $0] } ?? []), environment: environment)
                #expect(run.ending == .exit(ending), "\(name), \(String(mode, radix: 8)): \(run.everything)")
                let line = run.errors.split(separator: "\n").first { $0.contains(name) }
                #expect(
                    expected == nil ? line == nil : line?.contains(expected ?? "") == true, "\(name): \(run.errors)")
            }
        }
        let run = try LUXCommand.run(
            ["config", "check"], environment: good.merging(["LUX_PORT": "tcp://10.0.0.1:80"]) { $1 })
        #expect(run.errors.contains("Kubernetes"))
    }

    @Test func `every command that reads variables reads them from the file, libpq's own among them`() throws {
        let database = try TestDatabase.make()
        let config = try file(
            """
            # all of it
            DATABASE_URL="host=127.0.0.1 user=postgres dbname=\(database.name)"
            PGPORT=\(database.cluster.port)
            LUX_JWT_SECRET=\(Token.secret)
            LUX_HOST=127.0.0.1
            LUX_PORT=0
            """)
        let csv = try file("unique_id\nfrom-a-file\n")
        for command in [
            ["migrate", "--status"], ["token", "--user", "1", "--yes"], ["provision", "devices", csv],
            ["export", "logs", "--from", "2025-01-01", "--to", "2025-01-02"],
            ["device", "show", "from-a-file", "--operator", "Kim"], ["config", "check"],
        ] {
            let run = try LUXCommand.run(command + ["--config", config])
            #expect(run.ending == .exit(0), "\(command): \(run.everything)")
        }
        let server = try ChildProcess(
            Locations.server, ["serve", "--config", config], environment: LUXCommand.environment([:]))
        #expect(server.waitForOutput { $0.contains { $0.contains("listening") } ? true : nil } == true)
        server.signal(SIGTERM)
        #expect(server.wait() == .exit(0))
    }
}
