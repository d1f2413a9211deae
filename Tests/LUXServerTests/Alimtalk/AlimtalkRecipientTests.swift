import LUXTestSupport
import Testing

/// Which child and which device a message names.
@Suite struct AlimtalkRecipientTests {
    /// A child of the account, with what its device has done.
    private struct Child {
        var name: String
        var alias: String?
        var hasDevice = true
        /// How long ago its device was connected.
        var connected = "3 days"
        /// Logs: whether temporary, and how long ago the treatment was and the row changed.
        var logs: [(isTemporary: Bool, start: String, changed: String)] = []
    }

    private func variables(_ children: [Child]) throws -> [String?] {
        let kit = AlimtalkKit.nhn
        let provider = try FakeProvider(kit.accepted.reply)
        let world = try World.own(
            environment: kit.environment(
                provider.baseURL,
                ["LUX_ALIMTALK_VARIABLES": #"{"child":"{child}","device":"{device}","children":"{children}"}"#]))
        let user = try world.user(phone: "010-9384-7561")
        for child in children {
            let id = try world.child(of: user, first: child.name)
            guard child.hasDevice else { continue }
            let device = try world.device(of: id, alias: child.alias)
            try world.sql.query(
                "update devices set connected_at = now() - $2::interval where id = $1",
                [String(device.id), child.connected])
            for (number, log) in child.logs.enumerated() {
                try world.sql.query(
                    """
                    insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag, updated_at)
                    values ($1, $2, $3, now() - $4::interval, $5, now() - $6::interval)
                    """,
                    [
                        String(device.id), String(id), String(number), log.start, log.isTemporary ? nil : "1",
                        log.changed,
                    ])
            }
        }
        // Another account's child in treatment does not matter.
        _ = try world.device(of: try world.child(of: try world.user(), first: "Stranger"), alias: "strange")
        expect(try world.call("POST", "alimtalk", as: user), json: "null")
        world.server.stop()
        let sent = try #require(provider.requests.first)
        let parameters = sent.json?["recipientList"]?[0]?["templateParameter"]
        return ["child", "device", "children"].map { parameters?[$0]?.string }
    }

    @Test func `names the child in treatment, else the one whose device was used last`() async throws {
        try await onThread {
            let today = (isTemporary: false, start: "2 hours", changed: "1 hour")
            let cases: [(String, [Child], [String])] = [
                (
                    "a treatment in progress comes before a newer complete log",
                    [
                        Child(name: "A", alias: "a", logs: [(true, "3 hours", "2 hours")]),
                        Child(name: "B", alias: "b", logs: [today]),
                    ], ["A", "a", "A, B"]
                ),
                (
                    "of two treatments in progress the one that changed last",
                    [
                        Child(name: "A", alias: "a", logs: [(true, "20 minutes", "10 minutes")]),
                        Child(name: "B", alias: "b", logs: [(true, "30 minutes", "1 minute")]),
                    ], ["B", "b", "A, B"]
                ),
                (
                    "a temporary log that has not changed for a day is no treatment in progress",
                    [
                        Child(name: "A", alias: "a", logs: [(true, "3 days", "3 days")]),
                        Child(name: "B", alias: "b", logs: [today]),
                    ], ["B", "b", "A, B"]
                ),
                (
                    "a device whose clock is ahead was not used last because of that",
                    [
                        Child(name: "A", alias: "a", logs: [(false, "-400 days", "5 days")]),
                        Child(name: "B", alias: "b", logs: [today]),
                    ], ["B", "b", "A, B"]
                ),
                (
                    "without logs the connection counts, and a child without a device is not named",
                    [
                        Child(name: "A", connected: "1 hour"), Child(name: "B", alias: "b"),
                        Child(name: "C", hasDevice: false),
                    ], ["A", "LUX", "A, B"]
                ),
                ("nobody has a device", [Child(name: "A", hasDevice: false)], ["", "", ""]),
            ]
            for (rule, children, expected) in cases {
                let named = try variables(children)
                #expect(named == expected, "\(rule)")
            }
        }
    }
}
