import Concurrency
import EventLoop
import LUXTestSupport
import Metrics
import Testing

@testable import Postgres

/// Calls of one read in one turn of a loop, which become one statement.
@Suite(.ownThread) struct GroupedReadTests {
    /// As many rows as the first parameter says; division by zero for the second parameter 0.
    private static let rows = GroupableRead(
        one: PostgresStatement(
            "rows", "select $1, $2, i from generate_series(1, ($1)::integer) i where 1 / length($2) >= 0"),
        many: PostgresStatement(
            "rows_many",
            """
            select k.count, k.text, i, k.n
            from unnest($1::bigint[], $2::text[]) with ordinality as k (count, text, n)
            cross join lateral (select i from generate_series(1, k.count::integer) i where 1 / length(k.text) >= 0) i
            order by k.n, i
            """))

    private func call(_ pool: PostgresPool, _ count: Int64, _ text: String) async throws(PostgresError) -> [String] {
        let rows = try await pool.read(Self.rows, .int8(count), .text(text), deadline: .within(.seconds(10)))
        #expect(rows.count == Int(count))
        var values: [String] = []
        for row in rows.rows { values.append("\(try row.int8(0)) \(try row.text(1))") }
        return values
    }

    @Test func `each call of a turn gets its own rows, and only the one that fails its error`() async throws {
        let fixture = try PoolFixture(connections: 2)
        _ = try await fixture.run { try await call($0, 1, "x") }
        let wrong = try await fixture.run { pool in
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<300 {
                    group.addTask(executorPreference: pool.loop) {
                        let count = Int64(number % 4)
                        let text = number == 100 ? "" : "t\(number)"
                        do throws(PostgresError) {
                            let values = try await call(pool, max(count, number == 100 ? 1 : 0), text)
                            return number == 100 || values != Array(repeating: "\(count) \(text)", count: Int(count))
                        } catch {
                            return number != 100 || error.sqlState != "22012"
                        }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
        }
        #expect(wrong == 0)
        let statements = fixture.pool.statistics.values.statements
        #expect((2...40).contains(statements["rows_many"]?.count ?? 0))
        #expect((statements["rows"]?.count ?? 0) < 80)
    }

    @Test func `a call that is alone is sent as it is, and so are calls over a single connection`() async throws {
        for connections in [1, 2] {
            let fixture = try PoolFixture(connections: connections)
            for number in 1...5 {
                let values = try await fixture.run { try await call($0, Int64(number), "x") }
                #expect(values.count == number)
            }
            #expect(fixture.pool.statistics.values.statements["rows"]?.count == 5)
            #expect(fixture.pool.statistics.values.statements["rows_many"] == nil)
        }
    }

    @Test func `calls in groups survive sessions that are ended`() async throws {
        let fixture = try PoolFixture(connections: 3)
        let done = Flag()
        async let outcome = fixture.run { pool in
            await withTaskGroup(of: (served: Int, wrong: Int).self) { group in
                for client in 0..<30 {
                    group.addTask(executorPreference: pool.loop) {
                        var outcome = (served: 0, wrong: 0)
                        while !done.isSet {
                            do throws(PostgresError) {
                                let values = try await call(pool, 2, "c\(client)")
                                if values == ["2 c\(client)", "2 c\(client)"] {
                                    outcome.served += 1
                                } else {
                                    outcome.wrong += 1
                                }
                            } catch {
                                if !error.isUnavailable { outcome.wrong += 1 }
                            }
                        }
                        return outcome
                    }
                }
                return await group.reduce((served: 0, wrong: 0)) { ($0.served + $1.served, $0.wrong + $1.wrong) }
            }
        }
        for _ in 0..<5 {
            try await Task.sleep(for: .milliseconds(150))
            _ = try fixture.terminateSessions()
        }
        try await Task.sleep(for: .milliseconds(200))
        done.set()
        let (served, wrong) = try await outcome
        #expect(served > 300)
        #expect(wrong == 0)
    }
}
