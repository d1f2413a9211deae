import LUXTestSupport
import Testing

/// Wrong or missing configuration: all errors reported together, exit status 78, no port opened, no secret printed.
@Suite struct StartErrorTests {
    private static let good = [
        "DATABASE_URL": "postgresql://user:hidden-password@127.0.0.1:1/none", "LUX_JWT_SECRET": Token.secret,
        "LUX_HOST": "127.0.0.1", "LUX_PORT": "0",
    ]

    /// Changes to a good environment (an empty value removes a variable) and the variables to be named.
    private static let errors: [(changes: [String: String], named: [String])] = [
        (["DATABASE_URL": ""], ["DATABASE_URL"]), (["LUX_JWT_SECRET": ""], ["LUX_JWT_SECRET", "LUX_JWT_PUBLIC_KEY"]),
        (["DATABASE_URL": "", "LUX_JWT_SECRET": "", "LUX_PORT": "x"], ["DATABASE_URL", "LUX_JWT_SECRET", "LUX_PORT"]),
        (["LUX_JWT_SECRET": "hidden-but-too-short"], ["LUX_JWT_SECRET"]),
        (["LUX_JWT_PUBLIC_KEY": "/nowhere.pem"], ["LUX_JWT_PUBLIC_KEY"]),
        (["LUX_JWT_SECRET": "", "LUX_JWT_PUBLIC_KEY": "/nowhere.pem"], ["LUX_JWT_PUBLIC_KEY"]),
        (["LUX_JWT_SECRET": "", "LUX_JWT_PUBLIC_KEY": "hidden-secret-in-the-wrong-place"], ["LUX_JWT_PUBLIC_KEY"]),
        (
            ["LUX_JWT_SECRET": "", "LUX_JWT_SECRET_FILE": "/dev/null", "LUX_PORT": "x"],
            ["LUX_JWT_SECRET_FILE", "LUX_PORT"]
        ),
        (["LUX_JWT_SECRET_FILE": "/etc/passwd"], ["LUX_JWT_SECRET_FILE"]), (["LUX_PORT": "65536"], ["LUX_PORT"]),
        (["LUX_PORT": "-1"], ["LUX_PORT"]), (["LUX_PORT": "80 80"], ["LUX_PORT"]),
        (["LUX_DB_POOL": "0"], ["LUX_DB_POOL"]),
        (["LUX_DB_POOL": "many"], ["LUX_DB_POOL"]), (["LUX_TIMEZONE": "Asia/Nowhere"], ["LUX_TIMEZONE"]),
        (["LUX_JWT_LEEWAY": "-1"], ["LUX_JWT_LEEWAY"]), (["LUX_JWT_LEEWAY": "soon"], ["LUX_JWT_LEEWAY"]),
        (["LUX_LOG_LEVEL": "loud"], ["LUX_LOG_LEVEL"]), (["LUX_LOG_FORMAT": "xml"], ["LUX_LOG_FORMAT"]),
        (["LUX_ALIMTALK_PROVIDER": "pigeon"], ["LUX_ALIMTALK_PROVIDER"]),
        (["LUX_ALIMTALK_VARIABLES": #"{"hidden":1}"#], ["LUX_ALIMTALK_VARIABLES"]),
        (["LUX_HEADER_TIMEOUT": "0", "LUX_IDLE_TIMEOUT": "x"], ["LUX_HEADER_TIMEOUT", "LUX_IDLE_TIMEOUT"]),
        (["LUX_HOST": "no-such-host.invalid"], ["LUX_HOST"]), (["LUX_HOST": "192.0.2.1"], ["LUX_HOST"]),
        (["LUX_TRUSTED_PROXIES": "localhost"], ["LUX_TRUSTED_PROXIES"]), (["LUX_LOOPS": "201"], ["LUX_LOOPS"]),
        // libpq's own message about this one quotes the whole of it.
        (["DATABASE_URL": "postgresql://user:hidden-password@[::1]x/none"], ["DATABASE_URL"]),
    ]

    @Test func `names each invalid variable on standard error and exits with 78`() async throws {
        try await onThread {
            for (changes, named) in Self.errors {
                let environment = Self.good.merging(changes) { $1 }.filter { !$0.value.isEmpty }
                let run = try LUXCommand.run(["serve"], environment: environment, seconds: 10)
                #expect(run.ending == .exit(78), "\(changes) → \(run.everything)")
                for name in named { #expect(run.errors.contains(name), "\(changes) → \(run.errors)") }
                for secret in ["hidden", Token.secret] { #expect(!run.everything.contains(secret), "\(changes)") }
                #expect(!run.output.contains("listening"))
            }
        }
    }

    @Test func `a limit of open files without room for 100 connections is reported and exits with 78`() async throws {
        try await onThread {
            for (limit, isTooLow) in [("128", true), ("256", false)] {
                let environment = LUXCommand.environment(Self.good).merging([
                    "LUX_MIGRATIONS": Locations.migrations, "LUX_HOST": "192.0.2.1",
                ]) { $1 }
                let shell = try ChildProcess(
                    "sh", ["-c", "ulimit -n \(limit); exec \(Locations.server) serve"],
                    environment: environment.merging(["LUX_MIGRATIONS": Locations.migrations, "LUX_HOST": "192.0.2.1"])
                    { $1 })
                // With enough of them the start goes on, to an address that is not there.
                #expect(shell.wait(seconds: 20) == .exit(78))
                #expect(shell.errors.contains("limit of open files") == isTooLow, "\(limit): \(shell.errors)")
            }
        }
    }

    @Test func `reports an error of the command line in one line`() async throws {
        try await onThread {
            for arguments in [
                ["no-such-command"], ["serve", "--no-such-option"], ["token"], ["provision", "devices"],
            ] {
                let run = try LUXCommand.run(arguments, environment: Self.good, seconds: 10)
                #expect(run.ending != .exit(0) && run.ending != nil, "\(arguments)")
                #expect(!run.errors.isEmpty, "\(arguments)")
            }
            let help = try LUXCommand.run(["--help"], seconds: 10)
            #expect(help.ending == .exit(0))
            for command in ["serve", "migrate", "dev", "token", "provision", "export", "device", "doctor", "config"] {
                #expect(help.output.contains("  \(command) "), "\(command)")
            }
        }
    }
}
