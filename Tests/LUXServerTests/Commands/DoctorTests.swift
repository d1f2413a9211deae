import Foundation
import LUXTestSupport
import Testing

/// lux-server doctor
@Suite struct DoctorTests {
    private func doctor(_ database: String, _ environment: [String: String] = [:]) throws -> LUXCommand {
        try LUXCommand.run(
            ["doctor"],
            environment: ["DATABASE_URL": database, "LUX_JWT_SECRET": Token.secret].merging(environment) { $1 })
    }

    /// The subjects of the errors.
    private func errors(_ run: LUXCommand) -> [String] {
        run.output.split(separator: "\n").filter { $0.hasPrefix("error") }
            .compactMap { $0.dropFirst(7).split(separator: ":").first.map(String.init) }
            .filter { $0 != Self.library }
    }

    /// The machine of the tests may have the version that doctor advises against.
    private static let library = "OpenSSL"

    private func isWell(_ run: LUXCommand) -> Bool {
        let isAdvised = run.output.contains("error  \(Self.library): 3.0.19")
        return run.ending == .exit(isAdvised ? 1 : 0) && errors(run).isEmpty
    }

    @Test func `reports no error for a durable, migrated database`() async throws {
        try await onThread {
            let cluster = try TestCluster(isDurable: true)
            defer { cluster.stop() }
            let database = try TestDatabase.makeEmpty(in: cluster)
            let url = database.connectionString
            let before = try doctor(url)
            #expect(
                before.ending == .exit(1) && errors(before) == ["migrations", "indexes", "triggers"], "\(before.output)"
            )
            #expect(before.output.contains("-> run lux-server migrate"))
            #expect(try LUXCommand.run(["migrate"], environment: ["DATABASE_URL": url]).ending == .exit(0))
            let well = try doctor(url)
            #expect(isWell(well), "\(well.everything)")
            #expect(well.output.contains("  OpenSSL: 3."), "\(well.output)")
            for subject in [
                "database version: PostgreSQL 1", "clock skew", "fsync: on", "rights: postgres has everything",
                "rights of support commands: postgres has all", "descriptors: ", "file rights: 0 files",
                "time zone data: Asia/Seoul, version 20", "clock: 20",
            ] {
                #expect(well.output.contains("ok     " + subject), "\(well.output)")
            }

            let sql = try database.session()
            for (change, back, subject, expected) in [
                (
                    "drop index device_logs_numbered_key", "", "indexes",
                    "missing or invalid: device_logs_numbered_key"
                ),
                (
                    "alter table devices disable trigger keep_for_logs", "", "triggers",
                    "missing or disabled: devices.keep_for_logs\n"
                ),
                (
                    "create role clerk login; grant select on devices to clerk", "clerk", "rights",
                    "real_users: select; firmwares: select; devices: update; device_logs: select, insert, update; alim"
                ),
                (
                    "alter database \(database.name) set synchronous_commit = local", "", "synchronous_commit",
                    "acknowledged uploads can be lost"
                ),
                (
                    "alter database \(database.name) set default_transaction_read_only = on", "",
                    "transaction_read_only", "target_session_attrs=read-write"
                ),
                (
                    "set transaction_read_only = off; update schema_migrations set checksum = 'x' where version = 1",
                    "",
                    "migrations", "0001_device_world.sql was changed"
                ),
            ] {
                try sql.script(change)
                let run = try doctor(back.isEmpty ? url : url.replacing("postgres@", with: "\(back)@"))
                #expect(run.ending == .exit(1) && errors(run).contains(subject), "\(change): \(run.output)")
                #expect(run.output.contains(expected), "\(change): \(run.output)")
            }
        }
    }

    @Test func `a role that may serve is sufficient, and the needs of support commands are reported`() async throws {
        try await onThread {
            let cluster = try TestCluster(isDurable: true)
            defer { cluster.stop() }
            let database = try TestDatabase.makeEmpty(in: cluster)
            let url = database.connectionString
            #expect(try LUXCommand.run(["migrate"], environment: ["DATABASE_URL": url]).ending == .exit(0))
            let sql = try database.session()
            try sql.script("create role lux login; create role lux_desk login; create role lux_privacy login")
            try sql.script(String(contentsOfFile: Locations.package + "/deploy/grants.sql", encoding: .utf8))
            let serving = try doctor(url.replacing("postgres@", with: "lux@"))
            #expect(isWell(serving), "\(serving.everything)")
            #expect(serving.output.contains("rights: lux has everything"))
            #expect(serving.output.contains("lux lacks users: insert; real_users: insert; devices: insert; projects"))
            #expect(serving.output.contains("the database: temporary; provision and device need a role"))
            let support = try doctor(url.replacing("postgres@", with: "lux_desk@"))
            #expect(support.output.contains("rights of support commands: lux_desk has all"), "\(support.everything)")
            // A lock on a user's row takes the right to change a column.
            try sql.script("revoke update (created_at) on users from lux")
            let locked = try doctor(url.replacing("postgres@", with: "lux@"))
            #expect(locked.ending == .exit(1) && errors(locked) == ["rights"])
            #expect(locked.output.contains("lux lacks users: update of a column\n       -> run deploy/grants.sql"))
        }
    }

    @Test func `checks that the message provider is configured and accepts connections, and sends it nothing`()
        throws
    {
        let complete = [
            "LUX_ALIMTALK_PROVIDER": "nhn", "LUX_ALIMTALK_NHN_APPKEY": "app", "LUX_ALIMTALK_NHN_SECRET_KEY": "hidden",
            "LUX_ALIMTALK_NHN_SENDER_KEY": "sender", "LUX_ALIMTALK_NHN_TEMPLATE_CODE": "template",
        ]
        let plain = try FakeProvider()
        let stranger = try FakeProvider(certificate: TestCA().issue("stranger"))
        let authority = try TestCA()
        let known = try FakeProvider(certificate: authority.issue("known"))
        let root = try authority.asRoot()
        func trusting(_ url: String) -> [String: String] { root.merging(["LUX_ALIMTALK_BASE_URL": url]) { $1 } }
        let database: String = try TestDatabase.make().connectionString
        for (change, expected, isWell) in [
            (["LUX_ALIMTALK_PROVIDER": "log"], "alimtalk: log: each message is a log line, and none is sent", true),
            (["LUX_ALIMTALK_BASE_URL": plain.baseURL], "nhn at \(plain.baseURL) is configured and in reach", true),
            (["LUX_ALIMTALK_BASE_URL": stranger.baseURL], "alimtalk: nhn at \(stranger.baseURL): ", false),
            (trusting(stranger.baseURL), "alimtalk: nhn at \(stranger.baseURL): ", false),
            (trusting(known.baseURL), "nhn at \(known.baseURL) is configured and in reach", true),
            (["LUX_ALIMTALK_BASE_URL": known.baseURL], "alimtalk: nhn at \(known.baseURL): ", false),
            (
                ["LUX_ALIMTALK_BASE_URL": "http://127.0.0.1:1"],
                "\n       -> check host and port of LUX_ALIMTALK_BASE_URL and the firewall", false
            ),
            (["LUX_ALIMTALK_BASE_URL": "https://no-such-host.invalid"], "\n       -> unknown host: check", false),
        ] {
            let run = try doctor(database, complete.merging(change) { $1 })
            #expect(run.output.contains(expected), "\(run.output)")
            #expect(errors(run).contains("alimtalk") == !isWell, "\(run.output)")
            let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false)
            if let line = lines.firstIndex(where: { $0.hasPrefix("error  alimtalk: ") }) {
                #expect(!lines[line].contains("; "), "advice twice: \(lines[line])")
            }
            #expect(!run.everything.contains("hidden"))
        }
        #expect(plain.requests.isEmpty && stranger.requests.isEmpty && known.requests.isEmpty && plain.connections == 1)
        let incomplete = try doctor(database, ["LUX_ALIMTALK_PROVIDER": "nhn"])
        #expect(incomplete.output.contains("configuration: LUX_ALIMTALK_NHN_APPKEY: is required"))
        #expect(!incomplete.output.contains("alimtalk: "))
    }

    @Test func `reports files that others may write, and connections beyond the limit of descriptors`() throws {
        let certificate = try TestCertificate()
        let database = try TestDatabase.make().connectionString
        let run = try doctor(database, certificate.environment)
        #expect(run.output.contains("ok     file rights: 2 files, none can be written by others"), "\(run.output)")
        chmod(certificate.certificate, 0o666)
        let open = try doctor(database, certificate.environment.merging(["LUX_MAX_CONNECTIONS": "1000000"]) { $1 })
        #expect(errors(open).contains("file rights") && errors(open).contains("descriptors"), "\(open.output)")
        #expect(open.output.contains("\(certificate.certificate): others may write it (mode 666)"), "\(open.output)")
    }

    @Test func `reports errors of settings, pool and configuration together`() throws {
        let database = try TestDatabase.make()
        let run = try doctor(
            database.connectionString, ["LUX_DB_POOL": "900", "LUX_TIMEZONE": "Mars", "LUX_PROT": "1"])
        #expect(run.ending == .exit(1))
        #expect(
            errors(run) == [
                "configuration", "configuration", "synchronous_commit", "fsync", "full_page_writes", "connections",
            ], "\(run.output)")
        let away = try doctor("postgresql://lux:hidden@127.0.0.1:1/lux")
        #expect(away.ending == .exit(1) && errors(away) == ["database"], "\(away.output)")
        #expect(away.output.contains("-> start PostgreSQL") && !away.everything.contains("hidden"))
    }

    @Test(arguments: [(20, 30, true, "more days"), (0, 5, false, "renew it"), (-60, -1, false, "ended on")])
    func `checks the dates of the certificate`(_ from: Int, _ to: Int, _ isWell: Bool, _ expected: String) throws {
        let certificate = try TestCertificate()
        if !isWell { try remake(certificate, from: from, to: to) }
        let run = try doctor("postgresql://127.0.0.1:1/lux", certificate.environment)
        #expect(errors(run).contains("certificate") == !isWell, "\(run.output)")
        #expect(run.output.contains(expected), "\(run.output)")
    }

    /// Recreates the certificate with other dates, in days from now.
    private func remake(_ certificate: TestCertificate, from: Int, to: Int) throws {
        func day(_ offset: Int) -> String {
            let text = Date(timeIntervalSinceNow: Double(offset) * 86_400).formatted(.iso8601)
            return text.filter { $0.isNumber } + "Z"
        }
        let configuration = certificate.folder + "/ca.cnf"
        try """
        [ca]
        default_ca=d
        [d]
        database=\(certificate.folder)/index
        serial=\(certificate.folder)/serial
        new_certs_dir=\(certificate.folder)
        default_md=sha256
        policy=p
        [p]
        commonName=supplied
        """.write(toFile: configuration, atomically: true, encoding: .utf8)
        try "".write(toFile: certificate.folder + "/index", atomically: true, encoding: .utf8)
        try "01\n".write(toFile: certificate.folder + "/serial", atomically: true, encoding: .utf8)
        let request = certificate.folder + "/request.pem"
        for arguments in [
            ["req", "-new", "-key", certificate.key, "-subj", "/CN=127.0.0.1", "-out", request],
            [
                "ca", "-batch", "-selfsign", "-config", configuration, "-keyfile", certificate.key, "-in", request,
                "-startdate", day(from), "-enddate", day(to), "-out", certificate.certificate, "-notext",
            ],
        ] {
            let run = try ChildProcess("/usr/bin/openssl", arguments)
            #expect(run.wait() == .exit(0), "\(run.errors)")
        }
    }
}
