import Foundation
import LUXTestSupport
import Testing

/// What clients and operators see of a database that is stopped, frozen, locked or changed.
@Suite struct OutageTests {
    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = Date()
        try body()
        return Date().timeIntervalSince(start)
    }

    private func isOfDatabase(_ line: JSONValue) -> Bool {
        line["message"]?.string?.contains("the database") == true
    }

    @Test func `responds 503 immediately during an outage, and logs its beginning and its end once each`() async throws
    {
        try await onThread {
            let cluster = try TestCluster()
            let database = try TestDatabase.makeEmpty(in: cluster)
            let server = try TestServer.migrating(database)
            let world = try World(database, server)
            let (user, child, device) = try world.family()
            let token = Token.access(user: user)
            let read = World.api + "child-device?real_user_id=\(child)"
            let upload = World.logArrays([World.record(child: child, device: device, date: "2025-02-21T15:48:49")])
            #expect(try server.call("GET", read, token: token).status == 200)
            for isFrozen in [false, true] {
                let before = server.logLines { isOfDatabase($0) }.count
                if isFrozen { cluster.freeze(true) } else { cluster.stop() }
                let first = try seconds {
                    expect(try server.call("GET", read, token: token), 503, "Service temporarily unavailable")
                }
                #expect(first < Sanitizer.seconds(2.5))
                usleep(300_000)
                let later = try seconds {
                    for _ in 0..<5 {
                        expect(try server.call("GET", read, token: token), 503, "Service temporarily unavailable")
                        let reply = try server.call("POST", World.api + "devlog", token: token, body: upload)
                        expect(reply, 503, "Service temporarily unavailable")
                        #expect(reply.header("Retry-After") != nil)
                        #expect(try server.call("GET", "/readyz").status == 503)
                    }
                }
                #expect(later < Sanitizer.seconds(1))
                if isFrozen { cluster.freeze(false) } else { try cluster.start() }
                let back = try seconds {
                    while try server.call("GET", read, token: token).status != 200 { usleep(5_000) }
                }
                #expect(back < Sanitizer.seconds(1))
                // The log is written by a thread of its own.
                let lines = server.waitForLogLines(count: before + 2) { isOfDatabase($0) }.dropFirst(before)
                #expect(
                    lines.map { $0["message"]?.string } == [
                        "the database is unavailable", "the database is available again",
                    ])
            }
            server.stop()
            cluster.stop()
        }
    }

    @Test func `a locked table fails only what needs it, and a changed column nothing`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database)
            let world = try World(database, server)
            let (user, child, _) = try world.family()
            let token = Token.access(user: user)
            let one = World.api + "child-device?real_user_id=\(child)"
            let all = World.api + "get-all-device"
            try world.sql.script("begin; lock table firmwares")
            let needing = try simultaneously(4) { _ in
                try (0..<5).map { _ in try server.call("GET", all, token: token).status }
            }
            #expect(Set(needing.joined()) == [503])
            let end = Date(timeIntervalSinceNow: 2)
            let times = try simultaneously(6) { index -> [Double] in
                var times: [Double] = []
                while Date() < end {
                    let start = Date()
                    let status = try server.call("GET", index < 3 ? one : all, token: token).status
                    #expect(status == (index < 3 ? 200 : 503))
                    if index < 3 { times.append(Date().timeIntervalSince(start)) }
                    usleep(3_000)
                }
                return times
            }.joined().sorted()
            #expect(times[times.count / 2] < 0.1)
            #expect(times.last ?? 9 < 1)
            try world.sql.script("commit")
            let back = try seconds { while try server.call("GET", all, token: token).status != 200 { usleep(10_000) } }
            #expect(back < 2)
            // Each loop finds out by itself, within half a second.
            usleep(700_000)

            for type in ["varchar(100)", "text"] {
                try world.sql.script("alter table devices alter column device_alias type \(type)")
                for target in [one, all] {
                    let statuses = try simultaneously(4) { _ in try server.call("GET", target, token: token).status }
                    #expect(Set(statuses) == [200])
                }
            }
            try world.sql.script("alter table devices alter column last_log_file_id type integer")
            #expect(try server.call("GET", one, token: token).status == 200)
            #expect(try server.call("GET", all, token: token).status == 200)
            server.stop()
        }
    }
}
