import LUXTestSupport
import Testing

@testable import Postgres

@Suite(.ownThread) struct TransactionTests {
    private static let schema = "create table t (id bigint primary key, v text check (v <> 'bad'))"

    private static let insert = PostgresStatement("insert", "insert into t values ($1, $2)")
    private static let count = PostgresStatement("count", "select count(*) from t")
    private static let pid = PostgresStatement("pid", "select pg_backend_pid()::bigint")

    private struct Stop: Error {}

    @Test func `committed rows are stored, in two round trips or in one`() async throws {
        let fixture = try PoolFixture(connections: 2, schema: Self.schema)
        let counts = try await fixture.run { pool in
            try await pool.transaction(deadline: .within(.seconds(10))) { transaction in
                let results = try await transaction.run([Self.insert(.int8(1), .text("a")), Self.count()])
                try await transaction.commit([Self.insert(.int8(2), .text(nil))])
                return try results.map { try $0.first?.int8(0) }
            }
        }
        #expect(counts == [nil, 1])
        try await fixture.run { pool in
            try await pool.transaction(deadline: .within(.seconds(10))) {
                try await $0.commit([Self.insert(.int8(3), .text("c"))])
            }
        }
        #expect(try fixture.database.session().integer("select count(*) from t") == 3)
    }

    @Test func `an error names SQLSTATE, constraint and statement, and no value`() async throws {
        let fixture = try PoolFixture(connections: 2, schema: Self.schema)
        let error = try #require(
            try await fixture.error { pool in
                try await pool.transaction(deadline: .within(.seconds(10))) {
                    try await $0.commit([
                        Self.insert(.int8(1), .text("a")), Self.insert(.int8(2), .text("bad")), Self.count(),
                    ])
                }
            })
        #expect(error.sqlState == "23514")
        #expect(error.constraint == "t_v_check")
        #expect(error.statement == "insert")
        #expect(error.kind == .server && !error.isUnavailable && !error.isTransient)
        #expect("\(error)" == "PostgreSQL: SQLSTATE 23514, constraint t_v_check, statement insert")
        #expect(try fixture.database.session().integer("select count(*) from t") == 0, "all of it or nothing")
    }

    @Test func `however a transaction ends without a commit, nothing of it stays and the session is used again`()
        async throws
    {
        let fixture = try PoolFixture(connections: 2, schema: Self.schema)
        let pids = try await fixture.run { pool in
            var pids: Set<Int64> = []
            func attempt(_ body: @Sendable (PostgresTransaction) async throws -> Void) async throws {
                do {
                    try await pool.transaction(deadline: .within(.seconds(10))) { transaction in
                        let result = try await transaction.run([Self.pid(), Self.insert(.int8(1), .text("a"))])
                        pids.insert(try #require(result.first?.first).int8(0))
                        try await body(transaction)
                    }
                } catch is Stop {
                } catch let error as PostgresError {
                    #expect(error.sqlState == "23514")
                }
            }
            try await attempt { _ in }
            try await attempt { _ in throw Stop() }
            try await attempt { try await $0.commit([Self.insert(.int8(2), .text("bad"))]) }
            try await attempt { _ = try await $0.run([Self.insert(.int8(2), .text("bad"))]) }
            try await attempt { transaction in
                // The caller that overlooks an error cannot commit: PostgreSQL rolls back, which is reported.
                _ = try? await transaction.run([Self.insert(.int8(2), .text("bad"))])
                do {
                    try await transaction.commit([])
                    Issue.record("a failed transaction was committed")
                } catch let error as PostgresError {
                    #expect(error.kind == .protocolViolation)
                    throw Stop()
                }
            }
            return pids
        }
        #expect(pids.count == 1)
        #expect(try fixture.database.session().integer("select count(*) from t") == 0)
        #expect(try fixture.sessions(in: "idle in transaction", "idle in transaction (aborted)") == 0)
    }

    @Test func `a deadlock and a unique violation are retried, another error is not`() async throws {
        let fixture = try PoolFixture(connections: 2, schema: Self.schema)
        for (statement, attempts) in [
            (PostgresStatement("raise1", "do $$ begin raise sqlstate '40P01'; end $$"), 4),
            (PostgresStatement("raise2", "do $$ begin raise sqlstate '40001'; end $$"), 4),
            (PostgresStatement("raise3", "do $$ begin raise sqlstate '23505'; end $$"), 4),
            (PostgresStatement("raise4", "do $$ begin raise sqlstate '23503'; end $$"), 1),
        ] {
            let tried = try await fixture.run { pool in
                var tried = 0
                do {
                    try await pool.transaction(deadline: .within(.seconds(10))) {
                        tried += 1
                        try await $0.commit([statement()])
                    }
                } catch is PostgresError {}
                return tried
            }
            #expect(tried == attempts, "\(statement.sql)")
        }
    }
}
