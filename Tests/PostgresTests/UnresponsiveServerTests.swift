import Concurrency
import EventLoop
import Glibc
import LUXTestSupport
import Testing

@testable import Postgres

/// A database that does not respond, or less than it seems.
@Suite(.ownThread) struct UnresponsiveServerTests {
    static let one = PostgresStatement("one", "select 1::bigint")
    static let insert = PostgresStatement("insert_t", "insert into t values ($1)")

    @Test func `all reads that wait for a connection fail in time, however many they are`() async throws {
        let cluster = try TestCluster()
        let fixture = try PoolFixture(connections: 2, cluster: cluster)
        _ = try await fixture.run { try await $0.read(Self.one(), deadline: .within(.seconds(10))).count }
        cluster.stop()
        let elapsed = try await fixture.run { pool in
            let start = MonotonicTime.now()
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<500 {
                    group.addTask(executorPreference: pool.loop) {
                        (try? await pool.read(Self.one(), deadline: .within(.milliseconds(300)))) == nil
                    }
                }
                for await failed in group { #expect(failed) }
            }
            return MonotonicTime.now() - start
        }
        #expect(elapsed < Sanitizer.limit(.seconds(2)))
    }

    @Test func `sessions that fall silent are replaced, for reads and for transactions`() async throws {
        let fixture = try PoolFixture(connections: 2) {
            $0.readTimeout = .milliseconds(300)
            $0.commitSilence = .seconds(2)
        }
        let pids = try await fixture.run { pool in
            let own = PostgresStatement("pid", "select pg_backend_pid()::bigint")
            let read = try await pool.read(own(), deadline: .within(.seconds(10))).first?.int8(0)
            let leased = try await pool.transaction(deadline: .within(.seconds(10))) { transaction in
                try await transaction.run([own()]).first?.first?.int8(0)
            }
            return [read, leased].compactMap { $0.flatMap { pid_t(exactly: $0) } }
        }
        #expect(pids.count == 2)
        for pid in pids { kill(pid, SIGSTOP) }
        defer { for pid in pids { kill(pid, SIGCONT) } }
        let served = try await fixture.run { pool in
            let start = MonotonicTime.now()
            var failures = 0
            while MonotonicTime.now() - start < .seconds(15) {
                do {
                    _ = try await pool.read(Self.one(), deadline: .within(.milliseconds(500)))
                    try await pool.transaction(deadline: .within(.milliseconds(500))) { try await $0.commit([]) }
                    return (failures, MonotonicTime.now() - start)
                } catch {
                    failures += 1
                }
            }
            return (failures, .seconds(99))
        }
        #expect(served.0 > 0, "the sessions were silent")
        #expect(served.1 < Sanitizer.limit(.seconds(10)))
    }

    @Test func `a session that was idle for longer than the limit of silence serves like any other`() async throws {
        let fixture = try PoolFixture(connections: 2) {
            $0.readTimeout = .milliseconds(100)
            $0.commitSilence = .milliseconds(500)
        }
        try await Task.sleep(for: .seconds(3))
        let pause = PostgresStatement("pause", "select 1::bigint from pg_sleep(0.2)")
        let count = try await fixture.run { pool in
            try await pool.transaction(deadline: .within(.seconds(5))) { try await $0.run([pause()]).count }
        }
        #expect(count == 1)
        #expect(try await fixture.run { try await $0.read(Self.one(), deadline: .within(.seconds(5))).count } == 1)
    }

    /// A cluster whose commits wait for a standby that does not exist.
    private func withoutStandby() throws -> TestCluster {
        let cluster = try TestCluster()
        let session = try cluster.session()
        _ = try session.script("alter role postgres set synchronous_commit = on")
        _ = try session.script("alter system set synchronous_standby_names = 'nobody'")
        return cluster
    }

    private func setStandby(_ cluster: TestCluster, exists: Bool) throws {
        let session = try cluster.session()
        if exists { _ = try session.script("alter system set synchronous_standby_names = ''") }
        _ = try session.script("select pg_reload_conf()")
        usleep(200_000)
    }

    @Test func `a commit whose wait for its standby was broken off is not a success`() async throws {
        let cluster = try withoutStandby()
        let fixture = try PoolFixture(connections: 2, schema: "create table t (a bigint)", cluster: cluster)
        try setStandby(cluster, exists: false)
        let outcome = Task {
            try await fixture.error { pool in
                try await pool.transaction(deadline: .within(.seconds(20))) {
                    try await $0.commit([Self.insert(.int8(1))])
                }
            }
        }
        let session = try fixture.database.session()
        var cancelled: Int64 = 0
        for _ in 0..<800 where cancelled == 0 {
            try await Task.sleep(for: .milliseconds(20))
            cancelled = try session.integer(
                "select count(pg_cancel_backend(pid)) from pg_stat_activity where wait_event = 'SyncRep'")
        }
        let error = try await outcome.value
        #expect(error?.kind == .connection)
        #expect(error?.isUnavailable == true)
        #expect(try session.integer("select count(*) from t") == 1, "it is stored here, and perhaps only here")
        try setStandby(cluster, exists: true)
        cluster.stop()
    }

    @Test func `a commit that takes too long is neither cancelled nor seen, and its session is used again`()
        async throws
    {
        let cluster = try withoutStandby()
        let fixture = try PoolFixture(connections: 2, schema: "create table t (a bigint)", cluster: cluster)
        try await fixture.run { pool in
            try await pool.transaction(deadline: .within(.seconds(20))) { try await $0.commit([]) }
        }
        try setStandby(cluster, exists: false)
        let error = try await fixture.error { pool in
            try await pool.transaction(deadline: .within(.milliseconds(400))) {
                try await $0.commit([Self.insert(.int8(1))])
            }
        }
        #expect(error?.kind == .timeout)
        let session = try fixture.database.session()
        try await Task.sleep(for: .milliseconds(300))
        #expect(try session.integer("select count(*) from t") == 0)
        let waiting = "select min(pid) from pg_stat_activity where wait_event = 'SyncRep'"
        let pid = try session.integer(waiting)
        try setStandby(cluster, exists: true)
        let next = try await fixture.run { pool in
            let own = PostgresStatement("pid", "select pg_backend_pid()::bigint, count(*) from t")
            return try await pool.transaction(deadline: .within(.seconds(10))) { transaction in
                let row = try await transaction.run([own()]).first?.first
                return (try row?.int8(0), try row?.int8(1))
            }
        }
        #expect(next.0 == pid)
        #expect(next.1 == 1)
        cluster.stop()
    }
}
