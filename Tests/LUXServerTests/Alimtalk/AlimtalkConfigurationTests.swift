import LUXTestSupport
import Testing

@testable import LUXSettings

/// The variables of Alimtalk.
@Suite struct AlimtalkConfigurationTests {
    private func errors(_ kit: AlimtalkKit, _ changes: [String: String]) -> [String] {
        let environment = kit.environment(
            "http://127.0.0.1:1",
            [
                "DATABASE_URL": "postgresql://lux@localhost/lux", "LUX_JWT_SECRET": Token.secret,
                "LUX_MIGRATIONS": "/tmp",
            ]
        ).merging(changes) { $1 }
        do {
            _ = try Configuration(environment: environment, isTerminal: false)
            return []
        } catch {
            return error.errors.map(\.description)
        }
    }

    @Test(arguments: AlimtalkKit.allCases)
    func `names every missing variable of the provider, and no secret`(_ kit: AlimtalkKit) {
        #expect(errors(kit, [:]) == [])
        let own = kit.environment("").keys.filter { $0.hasPrefix("LUX_ALIMTALK_\(kit.rawValue.uppercased())_") }
        let found = errors(kit, Dictionary(uniqueKeysWithValues: own.map { ($0, "") }))
        #expect(found.map { String($0.prefix { $0 != ":" }) }.sorted() == own.sorted())
        for name in own {
            let one = errors(kit, [name: ""])
            #expect(one.count == 1 && one[0].hasPrefix("\(name): is required"), "\(one)")
            let other = errors(kit, ["LUX_ALIMTALK_BASE_URL": "x", name: AlimtalkKit.secret + "\u{1}"])
            #expect(!other.joined().contains(AlimtalkKit.secret))
        }
    }

    @Test(arguments: [
        ("LUX_ALIMTALK_BASE_URL", "ftp://x", "must be http"), ("LUX_ALIMTALK_BASE_URL", "api.test", "must be http"),
        ("LUX_ALIMTALK_BASE_URL", "https://api.test/v2", "must be http"),
        ("LUX_ALIMTALK_BASE_URL", "https://u:p@api.test", "must be http"), ("LUX_ALIMTALK_BASE_URL", "http://", "must"),
        ("LUX_ALIMTALK_BASE_URL", "https://api.test:8443/", ""), ("LUX_ALIMTALK_BASE_URL", "", ""),
        ("LUX_ALIMTALK_TIMEOUT", "0", "must be a number"), ("LUX_ALIMTALK_TIMEOUT", "11", "must be at most"),
        ("LUX_ALIMTALK_TIMEOUT", "9.5", ""), ("LUX_ALIMTALK_CONCURRENCY", "0", "must be an integer from 1"),
        ("LUX_ALIMTALK_CONCURRENCY", "64", ""), ("LUX_ALIMTALK_COOLDOWN", "-1", "must be an integer from 0"),
        ("LUX_ALIMTALK_COOLDOWN", "60", ""), ("LUX_ALIMTALK_SMS_FALLBACK", "yes", "must be the registered number"),
        ("LUX_ALIMTALK_SMS_FALLBACK", "1588-1234", ""), ("LUX_ALIMTALK_VARIABLES", "{", "must be a JSON object"),
        ("LUX_ALIMTALK_VARIABLES", "[]", "must be a JSON object"),
        ("LUX_ALIMTALK_VARIABLES", #"{"a":1}"#, "must be a JSON object"),
        ("LUX_ALIMTALK_VARIABLES", #"{"":"x"}"#, "must be a JSON object"),
        ("LUX_ALIMTALK_VARIABLES", #"{"children":"x","time":"x","a@b":"x"}"#, "nhn allows no @"),
        ("LUX_ALIMTALK_NHN_APPKEY", "a/b", "must consist of"),
        ("LUX_ALIMTALK_NHN_SECRET_KEY", "a\nb", "must not contain"),
        ("LUX_ALIMTALK_SENS_APPKEY", "nobody asks", ""),
        ("SSL_CERT_FILE", "/nowhere.pem", "/nowhere.pem cannot be read"),
        ("SSL_CERT_DIR", "/nowhere", "/nowhere cannot be read"), ("SSL_CERT_DIR", "/tmp", ""),
    ]) func `a variable`(_ name: String, _ value: String, _ error: String) {
        let found = errors(.nhn, [name: value])
        if error.isEmpty {
            #expect(found == [])
        } else {
            #expect(found.count == 1 && found[0].hasPrefix("\(name): \(error)"), "\(found)")
        }
    }

    @Test func `the timeout of a message is at most five minutes, half the life of an idempotency key`() {
        let long = ["LUX_REQUEST_TIMEOUT": "900"]
        #expect(errors(.nhn, long.merging(["LUX_ALIMTALK_TIMEOUT": "300"]) { $1 }) == [])
        let found = errors(.nhn, long.merging(["LUX_ALIMTALK_TIMEOUT": "300.5"]) { $1 })
        #expect(found == ["LUX_ALIMTALK_TIMEOUT: must be at most 300"])
    }

    @Test func `warns at the start of keys that are sent unencrypted`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let provider = try FakeProvider()
            for (url, isTold) in [
                ("http://nobody.invalid", true), ("https://nobody.invalid", false), ("http://localhost:1", false),
                ("http://[::1]:1", false), (provider.baseURL, false), ("http://127.0.0.1.nobody.invalid", true),
            ] {
                let server = try TestServer(database, environment: AlimtalkKit.nhn.environment(url))
                // The line of the open port, which ends the start, comes later.
                let lines = server.process.outputLines.compactMap { JSONValue($0) }.filter {
                    $0["message"]?.string == "the provider's keys go out unencrypted"
                }
                #expect(lines.map { $0["level"]?.string } == (isTold ? ["warning"] : []), "\(url)")
                server.stop()
            }
        }
    }

    @Test func `reports a provider's own rules for variables at the start`() {
        let dotted = errors(.solapi, ["LUX_ALIMTALK_VARIABLES": #"{"a.b":"x"}"#])
        #expect(dotted.count == 1 && dotted[0].hasPrefix("LUX_ALIMTALK_VARIABLES: solapi allows no dot"))
        let missing = errors(.sens, ["LUX_ALIMTALK_VARIABLES": #"{"time":"x"}"#])
        #expect(missing == ["LUX_ALIMTALK_VARIABLES: has no children, which the text of the template uses"])
    }

    private static let unusableTemplates: [(AlimtalkKit, String, String, String)] = [
        (.nhn, "LUX_ALIMTALK_VARIABLES", #"{"who":"{child} {device}, {children} {time} {user_id}"}"#, ""),
        (
            .nhn, "LUX_ALIMTALK_VARIABLES", #"{"who":"{kid}"}"#,
            "who has the unknown placeholder {kid}; known are {child}, "
        ),
        (.nhn, "LUX_ALIMTALK_VARIABLES", #"{"who":"{Child}"}"#, "who has the unknown placeholder {Child}"),
        (.nhn, "LUX_ALIMTALK_VARIABLES", #"{"who":"{child} {child"}"#, "who has a { without its }"),
        (.nhn, "LUX_ALIMTALK_VARIABLES", #"{"who":"a\r\nb"}"#, "who must not contain CR"),
        (.sens, "LUX_ALIMTALK_SENS_TEXT", "a\nb\\nc", ""),
        (.sens, "LUX_ALIMTALK_SENS_TEXT", "a\r\nb", "must not contain CR"),
        (.sens, "LUX_ALIMTALK_SENS_TEXT", "#{time} #{children", "has a #{ without its }"),
        (.sens, "LUX_ALIMTALK_SENS_TEXT", String(repeating: "가", count: 1_000), ""),
        (
            .sens, "LUX_ALIMTALK_SENS_TEXT", String(repeating: "가", count: 1_001),
            "has 1001 characters; a template has at most"
        ),
    ]

    @Test(arguments: unusableTemplates)
    func `rejects a template that no message can have`(
        _ kit: AlimtalkKit, _ name: String, _ value: String, _ reason: String
    ) {
        let found = errors(kit, [name: value])
        if reason.isEmpty {
            #expect(found == [])
        } else {
            #expect(found.count == 1 && found[0].hasPrefix("\(name): \(reason)"), "\(found)")
        }
    }

    @Test func `config check and the start reject an unknown placeholder with 78`() async throws {
        try await onThread {
            for command in [["config", "check"], ["serve"]] {
                let run = try LUXCommand.run(
                    command,
                    environment: AlimtalkKit.sens.environment(
                        "http://127.0.0.1:1",
                        [
                            "DATABASE_URL": "postgresql://lux@127.0.0.1:1/lux", "LUX_JWT_SECRET": Token.secret,
                            "LUX_PORT": "0", "LUX_ALIMTALK_VARIABLES": #"{"children":"{kid}","time":"{time}"}"#,
                        ]))
                #expect(run.ending == .exit(78), "\(run.everything)")
                #expect(run.errors.contains("children has the unknown placeholder {kid}"), "\(run.everything)")
            }
        }
    }

    @Test func `a missing variable stops the start with 78`() async throws {
        try await onThread {
            for kit in AlimtalkKit.allCases {
                let run = try LUXCommand.run(
                    ["serve"],
                    environment: [
                        "DATABASE_URL": "postgresql://lux@127.0.0.1:1/lux", "LUX_JWT_SECRET": Token.secret,
                        "LUX_PORT": "0", "LUX_ALIMTALK_PROVIDER": kit.rawValue,
                    ])
                #expect(run.ending == .exit(78), "\(run.everything)")
                #expect(run.errors.contains("LUX_ALIMTALK_\(kit.rawValue.uppercased())_TEMPLATE_"), "\(run.errors)")
            }
        }
    }
}
