import Foundation
import LUXTestSupport
import Testing

/// /healthz and /readyz, with the database running, stopped and restarted.
@Suite struct HealthTests {
    @Test func `responds to both without a token`() throws {
        let server = World.sharedServer
        for path in ["/healthz", "/readyz"] {
            #expect(try server.call("GET", path).status == 200)
            #expect(try server.call("HEAD", path).status == 200)
            expect(try server.call("DELETE", path), 405, "Method not allowed")
        }
    }

    @Test func `reports a stopped database by 503, stays alive, and recovers by itself`() async throws {
        try await onThread {
            let cluster = try TestCluster()
            let database = try TestDatabase.makeEmpty(in: cluster)
            let server = try TestServer.migrating(database, environment: ["LUX_REQUEST_TIMEOUT": "1"])
            let world = try World(database, server)
            let (user, child, device) = try world.family()
            let target = World.api + "child-device?real_user_id=\(child)"
            let token = Token.access(user: user)
            let body = World.logArrays([World.record(child: child, device: device, date: "2025-02-21T15:48:49")])
            #expect(try server.call("GET", target, token: token).status == 200)

            for _ in 0..<2 {
                cluster.stop()
                for _ in 0..<2 {
                    for reply in [
                        try server.call("GET", target, token: token), try server.call("GET", "/readyz"),
                        try server.call("POST", World.api + "devlog", token: token, body: body),
                    ] {
                        expect(reply, 503, "Service temporarily unavailable")
                        #expect(reply.header("Retry-After").flatMap { Int($0) } ?? 0 > 0)
                    }
                }
                #expect(try server.call("GET", "/healthz").status == 200)
                expect(try server.call("GET", target), 401, "Could not validate credentials", "needs no database")
                try cluster.start()
                #expect(server.waits(for: 200, at: "/readyz", seconds: 20))
                let again = try server.call("GET", target, token: token)
                #expect(again.json?["id"]?.integer == device.id, "\(again.summary)")
                expect(
                    try server.call("POST", World.api + "devlog", token: token, body: body), json: Saved.temporary)
            }
            server.stop()
            cluster.stop()
        }
    }

    @Test func `waits for a database that is not there at the start`() async throws {
        try await onThread {
            let cluster = try TestCluster()
            let database = try TestDatabase.makeEmpty(in: cluster)
            let migrate = try LUXCommand.run(["migrate"], environment: ["DATABASE_URL": database.connectionString])
            #expect(migrate.ending == .exit(0), "\(migrate.everything)")
            cluster.stop()
            let server = try TestServer(database, environment: ["LUX_REQUEST_TIMEOUT": "2"])
            #expect(try server.call("GET", "/readyz").status == 503)
            #expect(try server.call("GET", "/healthz").status == 200)
            let token = Token.access(user: 1)
            for (method, target) in [("GET", "get-all-device"), ("POST", "alimtalk")] {
                expect(
                    try server.call(method, World.api + target, token: token), 503, "Service temporarily unavailable")
            }
            try cluster.start()
            #expect(server.waits(for: 200, at: "/readyz", seconds: 20))
            let user = try World(database, server).user()
            expect(try server.call("GET", World.api + "get-all-device", token: Token.access(user: user)), json: "[]")
            server.stop()
            cluster.stop()
        }
    }
}
