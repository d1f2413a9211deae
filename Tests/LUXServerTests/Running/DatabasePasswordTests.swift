import Foundation
import Glibc
import LUXTestSupport
import Testing

/// A password of the database that changes while the server runs.
@Suite struct DatabasePasswordTests {
    @Test func `uses a rotated password from DATABASE_URL_FILE at the next connection`() async throws {
        try await onThread {
            let cluster = try TestCluster()
            let database = try TestDatabase.makeEmpty(in: cluster)
            let sql = try database.session()
            try sql.script("create role rotated login superuser password 'first'")
            let rules = try #require(try sql.query("show hba_file").first?.first ?? nil)
            let others = try String(contentsOfFile: rules, encoding: .utf8)
            try ("host all rotated 127.0.0.1/32 scram-sha-256\n" + others)
                .write(toFile: rules, atomically: false, encoding: .utf8)
            try sql.script("select pg_reload_conf()")
            let file = try makeTemporaryFolder() + "/url"
            func write(_ password: String) throws {
                try "host=127.0.0.1 port=\(cluster.port) dbname=\(database.name) user=rotated password=\(password)\n"
                    .write(toFile: file, atomically: false, encoding: .utf8)
                chmod(file, 0o600)
            }
            try write("first")
            let server = try TestServer.migrating(
                database, environment: ["DATABASE_URL": "", "DATABASE_URL_FILE": file])
            try sql.script(
                """
                alter role rotated password 'second';
                select pg_terminate_backend(pid) from pg_stat_activity where usename = 'rotated'
                """)
            #expect(server.waits(for: 503, at: "/readyz"), "the old password must not work any more")
            try write("second")
            #expect(server.waits(for: 200, at: "/readyz"))
            server.stop()
        }
    }
}
