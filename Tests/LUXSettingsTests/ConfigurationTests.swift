import EventLoop
import Foundation
import Glibc
import HTTP
import JWT
import LUXTestSupport
import Testing
import TimeZones

@testable import LUXSettings

/// The valid values of the variables, as a pure function.
@Suite struct ConfigurationTests {
    private static let secret = "0123456789abcdef0123456789abcdef"

    private func read(_ changes: [String: String?], isTerminal: Bool = false) throws -> Configuration {
        var environment: [String: String] = [
            "DATABASE_URL": "postgresql://lux@localhost/lux", "LUX_JWT_SECRET": Self.secret, "LUX_MIGRATIONS": "/tmp",
        ]
        for (name, value) in changes { environment[name] = value }
        return try Configuration(environment: environment, isTerminal: isTerminal)
    }

    private func errors(_ changes: [String: String?]) -> [String] {
        do {
            _ = try read(changes)
            return []
        } catch let error as Configuration.VariableErrors {
            return error.errors.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    private func parts(_ configuration: Configuration) -> [String: String] {
        Mirror(reflecting: configuration).children.reduce(into: [:]) { $0[$1.label ?? ""] = "\($1.value)" }
    }

    @Test func `a documented default is the one in force`() throws {
        let unset = parts(try read([:]))
        let variables = SettingsTable.shared.descriptions.filter(\.defaultIsValue)
        for variable in variables {
            let configured = parts(try read([variable.name: variable.defaultText]))
            #expect(configured == unset, "\(variable.name)=\(variable.defaultText)")
        }
        #expect(variables.count > 25)
    }

    @Test func `numbers outside the documented values are rejected, and the ends are accepted`() throws {
        var tested = 0
        for variable in SettingsTable.shared.descriptions {
            guard let range = variable.values.firstMatch(of: /^(\d+) to (\d+)/),
                let least = Int(range.output.1), let most = Int(range.output.2)
            else { continue }
            tested += 1
            for value in ["\(least - 1)", "\(most + 1)", "x"] {
                #expect(
                    errors([variable.name: value]).contains(
                        "\(variable.name): must be an integer from \(least) to \(most)"),
                    "\(variable.name)=\(value)")
            }
            for value in [least, most] {
                let errors = errors([variable.name: "\(value)"]).filter { !$0.contains("has no effect") }
                #expect(errors == [], "\(variable.name)=\(value)")
            }
        }
        #expect(tested > 20)
    }

    @Test func `a former name is read where the current one is unset`() throws {
        let variables = SettingsTable.shared.descriptions.filter { $0.oldName != nil }
        #expect(!variables.isEmpty)
        for variable in variables {
            let value = String(try #require(Int(variable.defaultText)) - 1)
            let (old, current) = (try read([variable.oldName ?? "": value]), try read([variable.name: value]))
            let unset = try read([:])
            #expect(parts(old) == parts(current) && parts(old) != parts(unset))
        }
    }

    @Test func `the defaults`() throws {
        let configuration = try read([:])
        #expect(configuration.host == "0.0.0.0")
        #expect(configuration.port == 8_080)
        #expect(try read(["LUX_HOST": "::1", "LUX_METRICS_PORT": "9464"]).metricsHost == "::1")
        let requirements = configuration.tokenRequirements
        #expect(requirements.issuers.isEmpty && requirements.audiences.isEmpty && requirements.maximumLifetime == nil)
        #expect(requirements.leeway == 0)
        #expect(configuration.jwtUserClaim == "sub")
        #expect(configuration.clock.offset(at: 0) == 9 * 3_600)
        #expect(configuration.databasePool == 8)
        #expect(configuration.logLevel == "info")
        #expect(configuration.logFormat == .json)
        #expect(configuration.alimtalk.name == "log")
        #expect(configuration.requestTimeout == .seconds(10))
        #expect(configuration.limits.headerTime == .seconds(10))
        #expect(configuration.limits.bodyStall == .seconds(15))
        #expect(configuration.limits.bodyTime == .seconds(60))
        #expect(configuration.limits.idleTime == .seconds(60))
        #expect(configuration.limits.writeTime == .seconds(30))
        #expect(configuration.limits.drainTime == .seconds(10))
        #expect(configuration.slow == .seconds(1))
        #expect(try read(["LUX_SLOW_MS": "0"]).slow == nil)
        #expect(!configuration.logColors)
        #expect(try read([:], isTerminal: true).logFormat == .text)
        #expect(try read(["LUX_LOG_FORMAT": "json"], isTerminal: true).logFormat == .json)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var variable: String
        var value: String?
        var error: String?
        var testDescription: String { "\(variable)=\(value ?? "(unset)")" }

        init(_ variable: String, _ value: String?, _ error: String? = nil) {
            self.variable = variable
            self.value = value
            self.error = error
        }
    }

    @Test(arguments: [
        Case("DATABASE_URL", nil, "is required"), Case("DATABASE_URL", "", "is required"),
        Case("DATABASE_URL", "host=a,b dbname=lux"),
        Case("DATABASE_URL", "postgresql://a,b/lux?target_session_attrs=rw"),
        Case("DATABASE_URL", "lux", "is not a libpq connection string"),
        Case("DATABASE_URL", "mysql://localhost/lux", "is not a libpq connection string"),
        Case("LUX_JWT_SECRET", nil, "is required"), Case("LUX_JWT_SECRET", "short", "must have at least 32 bytes"),
        Case("LUX_JWT_SECRET", String(repeating: "x", count: 31), "must have at least 32 bytes"),
        Case("LUX_JWT_SECRET", String(repeating: "x", count: 32)),
        Case("LUX_PORT", "0"), Case("LUX_PORT", "65535"),
        Case("LUX_PORT", "65536", "must be an integer from 0 to 65535"),
        Case("LUX_PORT", "-1", "must be an integer"), Case("LUX_PORT", "http", "must be an integer"),
        Case("LUX_PORT", " 80", "must be an integer"), Case("LUX_PORT", "", nil),
        Case("LUX_JWT_LEEWAY", "60"), Case("LUX_JWT_LEEWAY", "-1", "must be an integer from 0"),
        Case("LUX_JWT_LEEWAY", "1.5", "must be an integer"),
        Case("LUX_DB_POOL", "1"), Case("LUX_DB_POOL", "0", "must be an integer from 1"),
        Case("LUX_TIMEZONE", "Europe/Berlin"), Case("LUX_TIMEZONE", "Mars/Olympus", "must be an IANA time zone"),
        Case("LUX_LOG_LEVEL", "debug"), Case("LUX_LOG_LEVEL", "verbose", "must be one of trace, debug"),
        Case("LUX_SLOW_MS", "1"), Case("LUX_SLOW_MS", "-1", "must be an integer from 0"),
        Case("LUX_LOG_FORMAT", "text"), Case("LUX_LOG_FORMAT", "xml", "must be one of json, text"),
        Case("LUX_ALIMTALK_PROVIDER", "log"), Case("LUX_ALIMTALK_PROVIDER", "pigeon", "must be one of"),
        Case("LUX_REQUEST_TIMEOUT", "0.5"), Case("LUX_REQUEST_TIMEOUT", "0", "must be a number of seconds"),
        Case("LUX_REQUEST_TIMEOUT", "nan", "must be a number of seconds"),
        Case("LUX_REQUEST_TIMEOUT", "1e9", "must be a number of seconds"),
        Case("LUX_MIGRATIONS", "/nowhere/at/all", "is not a readable folder"),
        Case("LUX_MAX_CONNECTIONS", "0", "must be an integer from 1"),
        Case("LUX_MAX_BODY_BYTES", "2097152"), Case("LUX_MAX_BODY_BYTES", "1", "must be an integer from 1024"),
        Case("LUX_RATE_LIMIT", "10"), Case("LUX_RATE_LIMIT", "0", "must be an integer from 1"),
        Case("LUX_RATE_LIMIT_BURST", "5", "has no effect unless LUX_RATE_LIMIT is set"),
        Case("LUX_DOCS", "off"), Case("LUX_DOCS", "maybe", "must be one of on, off"),
        Case("LUX_DOCS_ASSETS", "/nowhere/at/all", "must be a folder with swagger-ui.css and swagger-ui-bundle.js"),
        Case("LUX_DOCS_ASSETS", "/tmp", "must be a folder with"),
        Case("LUX_CORS_ORIGINS", "*"), Case("LUX_CORS_ORIGINS", "https://a.example, http://localhost:3000"),
        Case("LUX_CORS_ORIGINS", "capacitor://localhost"), Case("LUX_CORS_ORIGINS", "https://[::1]:8443"),
        Case("LUX_CORS_ORIGINS", "https://a.example/", "must be * or origins"),
        Case("LUX_CORS_ORIGINS", "a.example", "must be * or origins"),
        Case("LUX_CORS_ORIGINS", "https://a.example,", "must be * or origins"),
        Case("LUX_CORS_ORIGINS", "*,https://a.example", "must be * or origins"),
        Case("LUX_CORS_ORIGINS", "https://*.example", "must be * or origins"),
        Case("LUX_CORS_ORIGINS", "null", "must be * or origins"), Case("LUX_CORS_ORIGINS", ",", "must be * or origins"),
        Case("LUX_METRICS_HOST", "127.0.0.1", "has no effect unless LUX_METRICS_PORT is set"),
        Case("LUX_TLS_HSTS", "60", "has no effect unless LUX_TLS_CERT"),
        Case("LUX_TLS_REDIRECT_PORT", "80", "has no effect unless LUX_TLS_CERT"),
    ]) func `a variable`(_ test: Case) {
        let errors = errors([test.variable: test.value])
        if let error = test.error {
            #expect(errors.count == 1)
            #expect(errors.first?.hasPrefix("\(test.variable): \(error)") == true, "\(errors)")
        } else {
            #expect(errors == [])
        }
    }

    @Test func `certificate and key are set together, belong together, and no other user can read the key`() throws {
        let (one, other) = (try TestCertificate(), try TestCertificate())
        #expect(errors(["LUX_TLS_CERT": one.certificate]).first?.hasPrefix("LUX_TLS_KEY: is required beside") == true)
        #expect(errors(["LUX_TLS_KEY": one.key]).first?.hasPrefix("LUX_TLS_CERT: is required beside") == true)
        func pair(_ certificate: String, _ key: String) -> [String] {
            errors(["LUX_TLS_CERT": certificate, "LUX_TLS_KEY": key])
        }
        #expect(pair(one.certificate, one.key) == [])
        #expect(pair(one.certificate, other.key).first?.contains("the key does not belong to the certificate") == true)
        #expect(pair(one.key, one.key).first?.hasPrefix("LUX_TLS_CERT: \(one.key): contains no certificate") == true)
        #expect(pair(one.certificate, one.certificate).count == 1)
        let (certificate, key) = (one.folder + "/one", one.folder + "/one.key")
        for (command, input, output) in [("x509", one.certificate, certificate), ("pkey", one.key, key)] {
            let run = try ChildProcess("/usr/bin/openssl", [command, "-in", input, "-outform", "DER", "-out", output])
            #expect(run.wait() == .exit(0), "\(run.errors)")
            chmod(output, 0o600)
        }
        #expect(
            pair(certificate, one.key)
                == [
                    "LUX_TLS_CERT: \(certificate): is DER, not PEM; convert it with openssl x509 -inform DER"
                        + " -in \(certificate) -out FILE.pem"
                ])
        let ofKey = pair(one.certificate, key)
        #expect(ofKey.first?.hasPrefix("LUX_TLS_KEY: \(key): is DER, not PEM") == true, "\(ofKey)")
        #expect(pair("/nowhere/cert.pem", one.key).first?.hasPrefix("LUX_TLS_CERT: /nowhere/cert.pem") == true)
        #expect(pair(one.certificate, "/nowhere/key.pem").first?.hasPrefix("LUX_TLS_KEY: /nowhere/key.pem") == true)
        for (mode, good) in [(0o600, true), (0o400, true), (0o644, false), (0o604, false), (0o660, false)] {
            chmod(one.key, mode_t(mode))
            #expect((pair(one.certificate, one.key) == []) == good, "\(String(mode, radix: 8))")
        }
    }

    @Test func `white space around a connection string is not part of it, wherever that comes from`() throws {
        let file = try makeTemporaryFolder() + "/url"
        let url = "postgresql://lux@localhost/lux"
        for text in [url, url + "\n", "\t\(url) \r\n\r\n"] {
            #expect(try read(["DATABASE_URL": text]).databaseAddress.current() == url)
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            chmod(file, 0o600)
            #expect(try read(["DATABASE_URL": nil, "DATABASE_URL_FILE": file]).databaseAddress.current() == url)
        }
    }

    @Test func `the next connection uses the connection string of a changed file, unless it is invalid`() throws {
        let file = try makeTemporaryFolder() + "/url"
        func write(_ text: String, mode: mode_t = 0o600) throws {
            try text.write(toFile: file, atomically: false, encoding: .utf8)
            chmod(file, mode)
        }
        try write("user=lux password=one")
        let address = try read(["DATABASE_URL": nil, "DATABASE_URL_FILE": file]).databaseAddress
        #expect(address.current() == "user=lux password=one")
        try write("user=lux password=two\n")
        #expect(address.current() == "user=lux password=two")
        for (text, mode) in [("no connection string", 0o600), ("", 0o600), ("user=lux password=three", 0o666)] {
            try write(text, mode: mode_t(mode))
            #expect(address.current() == "user=lux password=two", "\(text)")
        }
        unlink(file)
        #expect(address.current() == "user=lux password=two")
    }

    @Test func `all errors are reported together, and none contains a secret`() {
        let errors = errors([
            "DATABASE_URL": "postgres//u:hunter2@h/db", "LUX_JWT_SECRET": "hunter2", "LUX_PORT": "x",
            "LUX_DB_POOL": "x",
        ])
        #expect(
            errors.map { $0.prefix { $0 != ":" } } == ["DATABASE_URL", "LUX_PORT", "LUX_JWT_SECRET", "LUX_DB_POOL"])
        #expect(!errors.joined().contains("hunter2"))
    }
}
