import Concurrency
import EventLoop
import LUXTestSupport
import Testing

@testable import Postgres

/// Tables that somebody locks or changes while statements read them.
@Suite(.ownThread) struct ChangedTableTests {
    private static let readA = PostgresStatement("read_a", "select n, name from a where n = $1")
    private static let readB = PostgresStatement("read_b", "select n from b where n = $1")
    private static let writeA = PostgresStatement("write_a", "update a set name = 'x' where n = $1 returning n, name")
    private static let groupB = GroupableRead(
        one: readB,
        many: PostgresStatement(
            "read_b_many",
            """
            select b.n, k.n from unnest($1::bigint[]) with ordinality as k (key, n)
            cross join lateral (select * from b where n = k.key offset 0) b order by k.n
            """))
    private static let schema = """
        create table a (n bigint primary key, name text);
        create table b (n bigint primary key);
        insert into a values (1, 'one');
        insert into b values (1);
        """

    /// Reads `query` from `clients` tasks until `done`, and returns the errors and the longest success.
    private func load(
        _ fixture: PoolFixture, _ query: PostgresQuery, clients: Int, until done: Flag
    ) async throws -> (errors: [PostgresError], served: Int, longest: Duration) {
        try await fixture.run { pool in
            await withTaskGroup(of: (errors: [PostgresError], served: Int, longest: Duration).self) { group in
                for _ in 0..<clients {
                    group.addTask(executorPreference: pool.loop) {
                        var outcome = (errors: [PostgresError](), served: 0, longest: Duration.zero)
                        while !done.isSet {
                            let start = MonotonicTime.now()
                            do throws(PostgresError) {
                                _ = try await pool.read(query, deadline: .within(.seconds(5)))
                                outcome.served += 1
                                outcome.longest = max(outcome.longest, MonotonicTime.now() - start)
                            } catch {
                                outcome.errors.append(error)
                            }
                            try? await Task.sleep(for: .milliseconds(5))
                        }
                        return outcome
                    }
                }
                return await group.reduce(([], 0, .zero)) {
                    ($0.0 + $1.errors, $0.1 + $1.served, max($0.2, $1.longest))
                }
            }
        }
    }

    @Test
    func `a table that is locked while its statement is prepared fails its own reads as unavailable, and no others`()
        async throws
    {
        let fixture = try PoolFixture(connections: 2, schema: Self.schema)
        _ = try await fixture.timeUntilServed(Self.readB(.int8(1)))
        let session = try fixture.database.session()
        try session.script("begin; lock table a")
        let done = Flag()
        async let locked = load(fixture, Self.readA(.int8(1)), clients: 8, until: done)
        async let other = load(fixture, Self.readB(.int8(1)), clients: 8, until: done)
        try await Task.sleep(for: .seconds(2))
        try session.script("commit")
        #expect(try await fixture.timeUntilServed(Self.readA(.int8(1))) < Sanitizer.limit(.seconds(2)))
        done.set()
        let (a, b) = try await (locked, other)
        #expect(!a.errors.isEmpty)
        #expect(a.errors.filter { !$0.isUnavailable }.map(\.description) == [])
        #expect(b.errors.map(\.description) == [])
        // One wait for the lock each half second is shared by all.
        #expect(b.longest < Sanitizer.limit(.seconds(1)))
        #expect(b.served >= 8)
    }

    @Test func `calls in groups fail together after one wait for their table`() async throws {
        let fixture = try PoolFixture(connections: 2, schema: Self.schema)
        _ = try await fixture.timeUntilServed(Self.readB(.int8(1)))
        let session = try fixture.database.session()
        try session.script("begin; lock table b")
        let kinds = try await fixture.run { pool in
            await withTaskGroup(of: PostgresError?.self) { group in
                for number in 0..<100 {
                    group.addTask(executorPreference: pool.loop) {
                        do throws(PostgresError) {
                            _ = try await pool.read(Self.groupB, .int8(Int64(number)), deadline: .within(.seconds(5)))
                            return nil
                        } catch {
                            return error
                        }
                    }
                }
                return await group.reduce(into: [String: Int]()) { $0[$1?.sqlState ?? "none", default: 0] += 1 }
            }
        }
        #expect(kinds == ["55P03": 100])
        try session.script("commit")
        #expect(try await fixture.timeUntilServed(Self.readB(.int8(1))) < Sanitizer.limit(.seconds(2)))
    }

    @Test func `reads and writes go on after a column has got another type`() async throws {
        let fixture = try PoolFixture(connections: 3, schema: Self.schema)
        _ = try await fixture.timeUntilServed(Self.readA(.int8(1)))
        let write = { @Sendable (pool: PostgresPool) in
            try await pool.transaction(deadline: .within(.seconds(5))) { transaction in
                _ = try await transaction.run([Self.writeA(.int8(1))])
                try await transaction.commit([])
            }
        }
        #expect(try await fixture.error(write) == nil)
        let done = Flag()
        async let load = load(fixture, Self.readA(.int8(1)), clients: 8, until: done)
        let session = try fixture.database.session()
        for type in ["varchar(50)", "text", "varchar(20)"] {
            try session.script("alter table a alter column name type \(type)")
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await fixture.error(write) == nil)
        }
        try session.script("alter table a alter column n type integer")
        #expect(try await fixture.error(write) == nil)
        let n = try await fixture.run {
            try await $0.read(Self.readA(.int8(1)), deadline: .within(.seconds(5))).first?.int8(0)
        }
        #expect(n == 1)
        done.set()
        let outcome = try await load
        #expect(outcome.errors.filter { !$0.isUnavailable }.map(\.description) == [])
        #expect(outcome.served > 20)
    }

    @Test func `prepares a statement again that the session has lost`() async throws {
        let fixture = try PoolFixture(connections: 2, schema: Self.schema)
        let deallocate = PostgresStatement("deallocate", "deallocate all")
        for _ in 0..<3 {
            let name = try await fixture.run { pool in
                _ = try? await pool.read(deallocate(), deadline: .within(.seconds(5)))
                return try await pool.read(Self.readA(.int8(1)), deadline: .within(.seconds(5))).first?.text(1)
            }
            #expect(name == "one")
        }
    }
}
