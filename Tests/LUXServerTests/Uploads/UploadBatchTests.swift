import Foundation
import Glibc
import LUXTestSupport
import Testing

/// POST devlog: uploads that share a transaction.
@Suite struct UploadBatchTests {
    private static func upload(_ user: Int64, _ child: Int64, _ device: World.Device, file: Int64, flag: Int = 1)
        -> String
    {
        let record = World.record(child: child, device: device, date: "2025-05-01T10:00:00Z", flag: flag, file: file)
        return TestServer.request(
            "POST", World.api + "devlog", token: Token.access(user: user), body: World.logArrays([record]))
    }

    @Test func `each upload keeps its own outcome, whatever shares its transaction`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database, environment: ["LUX_LOOPS": "1"])
            let world = try World(database, server)
            let families = try (0..<24).map { _ in try world.family() }
            let stranger = try world.family()
            let free = try world.device()
            // The database rejects one device's logs; which upload that is is not known before.
            let culprit = families[5].device
            try world.sql.script(
                """
                create function reject() returns trigger language plpgsql as
                    $$ begin raise exception 'no' using errcode = '23514'; end $$;
                create trigger reject before insert on device_logs for each row
                    when (new.device_id = \(culprit.id)) execute function reject();
                """)
            let before = try UploadTransactions(of: server)
            let replies = try simultaneously(24) { index -> [String] in
                let client = try server.connect()
                let family = families[index]
                return try (0..<30).map { round -> String in
                    let text =
                        switch index {
                        case 0: Self.upload(family.user, stranger.child, family.device, file: Int64(round))
                        case 1: Self.upload(family.user, 1 << 40, family.device, file: Int64(round))
                        case 2: Self.upload(family.user, family.child, free, file: Int64(round))
                        case 3:
                            Self.upload(
                                family.user, family.child, World.Device(id: 1 << 40, unique: "no"), file: Int64(round))
                        default: Self.upload(family.user, family.child, family.device, file: Int64(round))
                        }
                    try client.send(text)
                    return try client.receive().summary
                }
            }
            let after = try UploadTransactions(of: server)
            // How many share one depends on the machine, and the culprit's are repeated alone.
            let (uploads, transactions) = (after.uploads - before.uploads, after.count - before.count)
            print("\(uploads) uploads in \(transactions) transactions")
            #expect(uploads > transactions)
            let rejections: [Int: (Int, String)] = [
                0: (401, "Not authorized user"), 1: (404, "Not Found User"), 2: (409, "Not Connected Device"),
                3: (404, "Not Found Device"), 5: (409, "Create Device Log Failed"),
            ]
            for (index, summaries) in replies.enumerated() {
                if let (status, detail) = rejections[index] {
                    #expect(summaries.allSatisfy { $0.hasPrefix("\(status) ") && $0.contains(detail) }, "\(summaries)")
                    #expect(try world.logs(of: families[index].device).isEmpty)
                } else {
                    #expect(Set(summaries) == ["200 " + Saved.complete])
                    #expect(try world.logs(of: families[index].device).count == 30)
                }
            }
            server.stop()
        }
    }

    @Test func `uploads of one device are stored in the order in which they arrived`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database, environment: ["LUX_LOOPS": "1"])
            let world = try World(database, server)
            let (user, child, device) = try world.family()
            let holder = try database.session()
            try holder.script("begin; select * from devices where id = \(device.id) for update")
            // The same log each time, so that the last one is what remains.
            let clients = try (1...6).map { flag in
                let client = try server.connect()
                try client.send(Self.upload(user, child, device, file: 1, flag: flag))
                usleep(40_000)
                return client
            }
            try holder.script("rollback")
            for client in clients { #expect(try client.receive().status == 200) }
            #expect(try world.logs(of: device) == ["\(child) | 1 | 2025-05-01T10:00:00.000Z | 6 | 2 | 60 | -"])
            server.stop()
        }
    }

    @Test func `an upload whose client has reset the connection is not stored afterwards, its successor is`()
        async throws
    {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database, environment: ["LUX_LOOPS": "1"])
            let world = try World(database, server)
            let (user, child, device) = try world.family()
            let holder = try database.session()
            try holder.script("begin; select * from devices where id = \(device.id) for update")
            var gone: HTTPClient? = try server.connect()
            try gone?.send(Self.upload(user, child, device, file: 1))
            usleep(50_000)
            let next = try server.connect()
            try next.send(Self.upload(user, child, device, file: 2))
            usleep(50_000)
            gone?.abort()
            gone = nil
            usleep(200_000)
            try holder.script("rollback")
            #expect(try next.receive().status == 200)
            #expect(try world.logs(of: device).map { $0.split(separator: "|")[1] } == [" 2 "])
            server.stop()
        }
    }

    @Test func `mixed with connecting, renaming and deleting in SQL nothing deadlocks`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database)
            let world = try World(database, server)
            let user = try world.user()
            let children = try (0..<3).map { _ in try world.child(of: user) }
            let devices = try children.map { try world.device(of: $0) }
            let token = Token.access(user: user)
            let end = Date(timeIntervalSinceNow: 4)
            let statuses = try simultaneously(14) { index -> Set<Int> in
                var statuses: Set<Int> = []
                var generator = SplitMix64(state: UInt64(index))
                let client = try server.connect()
                let sql = try database.session()
                while Date() < end {
                    let child = children.randomElement(using: &generator) ?? 0
                    let picked = devices.shuffled(using: &generator)
                    let device = picked[0]
                    switch index {
                    case 0, 1:
                        // Children and logs first and devices last: the order opposite to the server's.
                        try sql.script(
                            """
                            set deadlock_timeout = '10s';
                            begin; select * from real_users where id = \(child) for update;
                            select * from device_logs where real_user_id = \(child) for update;
                            """)
                        _ = try? sql.script("select * from devices where id = \(device.id) for update")
                        try sql.script("rollback")
                        usleep(20_000)
                        continue
                    case 2:
                        try client.send(
                            TestServer.request(
                                "PATCH", World.api + "un-connect?unique_id=\(device.unique)&real_user_id=\(child)",
                                token: token))
                    case 3:
                        try client.send(
                            TestServer.request(
                                "POST",
                                World.api
                                    + "set-my-device?serial_code=S&mac_id=41AD&unique_id=\(device.unique)&real_user_id=\(child)",
                                token: token))
                    case 4:
                        let alias = #"{"device_id":\#(device.id),"real_user_id":\#(child),"device_alias":"x"}"#
                        try client.send(
                            TestServer.request("PATCH", World.api + "update-alias", token: token, body: alias))
                    default:
                        let records = picked.prefix(2).map {
                            World.record(
                                child: child, device: $0, date: "2025-05-01T10:00:00Z", flag: index % 2 == 0 ? 1 : nil,
                                file: Int64.random(in: 0..<5, using: &generator))
                        }
                        try client.send(
                            TestServer.request(
                                "POST", World.api + "devlog", token: token, body: World.logArrays(Array(records))))
                    }
                    statuses.insert(try client.receive().status)
                }
                return statuses
            }
            #expect(statuses.reduce(into: Set<Int>()) { $0.formUnion($1) }.isSubset(of: [200, 404, 409, 429]))
            let deadlocks = try world.sql.integer(
                "select deadlocks from pg_stat_database where datname = current_database()")
            #expect(deadlocks == 0)
            server.stop()
        }
    }
}
