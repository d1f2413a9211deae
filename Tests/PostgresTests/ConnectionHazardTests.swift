import Concurrency
import EventLoop
import LUXTestSupport
import Testing

@testable import Postgres

/// Failures between libpq and a database that dies, hangs or rejects connections: every caller that waits gets an error, in time, and the
/// pool recovers by itself.
@Suite(.ownThread) struct ConnectionHazardTests {
    private static let one = PostgresStatement("one", "select 1::bigint")
    private static let echo = PostgresStatement("echo", "select $1")

    private static let nap = PostgresStatement("nap", "select 1::bigint from pg_sleep($1 / 1000.0)")
    private static let divide = PostgresStatement("divide", "select 1 / $1")

    @Test func `reads survive sessions that are ended under load, none is lost and none wrong`() async throws {
        let fixture = try PoolFixture(connections: 4)
        let done = Flag()
        let load = Task {
            try await fixture.run { pool in
                var wrong = 0
                var rejected = 0
                var correct = 0
                try await withThrowingTaskGroup(of: (Int, Int, Int).self) { group in
                    for client in 0..<60 {
                        group.addTask(executorPreference: pool.loop) {
                            var counts = (0, 0, 0)
                            var number = Int64(client) << 32
                            while !done.isSet {
                                number += 1
                                do {
                                    let result = try await pool.read(
                                        Self.echo(.int8(number)), deadline: .within(.seconds(10)))
                                    if try result.first?.int8(0) == number { counts.0 += 1 } else { counts.1 += 1 }
                                } catch let error as PostgresError {
                                    #expect(error.isUnavailable, "\(error)")
                                    counts.2 += 1
                                }
                            }
                            return counts
                        }
                    }
                    for try await counts in group {
                        correct += counts.0
                        wrong += counts.1
                        rejected += counts.2
                    }
                }
                return (correct, wrong, rejected)
            }
        }
        var ended: Int64 = 0
        for _ in 0..<8 {
            try await Task.sleep(for: .milliseconds(150))
            ended += try fixture.terminateSessions()
        }
        try await Task.sleep(for: .milliseconds(300))
        done.set()
        let (correct, wrong, rejected) = try await load.value
        #expect(ended >= 8)
        #expect(wrong == 0)
        #expect(correct > 1_000)
        // Each is sent once more; only one that meets two dying sessions is rejected.
        #expect(rejected * 100 < correct)
    }

    @Test func `a session that is ended while it idles is replaced, the next request is served`() async throws {
        for connections in [1, 2] {
            let fixture = try PoolFixture(connections: connections)
            for _ in 0..<5 {
                let value = try await fixture.run { pool in
                    try await pool.transaction(deadline: .within(.seconds(10))) { transaction in
                        let result = try await transaction.run([Self.one()])
                        try await transaction.commit([])
                        return try result.first?.first?.int8(0)
                    }
                }
                #expect(value == 1)
                let read = try await fixture.run {
                    try await $0.read(Self.one(), deadline: .within(.seconds(10))).count
                }
                #expect(read == 1)
                #expect(try fixture.terminateSessions() >= 1)
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    @Test func `a session that is ended inside a transaction is a lost connection, not a rejection`() async throws {
        let fixture = try PoolFixture(connections: 2)
        for statements in [[], [Self.one()]] {
            let error = try await fixture.error { pool in
                try await pool.transaction(deadline: .within(.seconds(10))) { transaction in
                    _ = try await transaction.run([Self.one()])
                    _ = try fixture.terminateSessions()
                    try await transaction.commit(statements)
                }
            }
            #expect(error?.isUnavailable == true)
            #expect(error?.isTransient == false)
        }
    }

    @Test func `a statement past its deadline is abandoned, and cancelled on the server`() async throws {
        let fixture = try PoolFixture(connections: 2)
        let error = try await fixture.error { pool in
            // The connection is open, and has seen a transaction.
            try await pool.transaction(deadline: .within(.seconds(20))) { _ = try await $0.run([Self.one()]) }
            // Timed on the loop, which no other test keeps busy.
            let start = MonotonicTime.now()
            defer { #expect(MonotonicTime.now() - start < Sanitizer.limit(.seconds(2))) }
            try await pool.transaction(deadline: .within(.milliseconds(200))) {
                _ = try await $0.run([Self.nap(.int8(30_000))])
            }
        }
        #expect(error?.kind == .timeout)
        var active: Int64 = 1
        for _ in 0..<100 where active > 0 {
            active = try fixture.sessions(in: "active")
            if active > 0 { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(active == 0)
        let next = try await fixture.run { pool in
            try await pool.transaction(deadline: .within(.seconds(5))) { try await $0.run([Self.one()]).count }
        }
        #expect(next == 1)
    }

    @Test func `a slow read is abandoned at its deadline, and those after it are served`() async throws {
        let fixture = try PoolFixture(connections: 2) { $0.readTimeout = .milliseconds(500) }
        let (kind, count) = try await fixture.run { pool in
            // The connection is open.
            _ = try await pool.read(Self.one(), deadline: .within(.seconds(20)))
            let start = MonotonicTime.now()
            defer { #expect(MonotonicTime.now() - start < Sanitizer.limit(.seconds(4))) }
            async let behind = pool.read(Self.one(), deadline: .within(.seconds(10))).count
            do {
                _ = try await pool.read(Self.nap(.int8(30_000)), deadline: .within(.milliseconds(200)))
                return (nil as PostgresError.Kind?, try await behind)
            } catch let error as PostgresError {
                return (error.kind, try await behind)
            }
        }
        #expect(kind == .timeout)
        #expect(count == 1)
    }

    @Test func `a read that fails does not harm those that share its batch`() async throws {
        let fixture = try PoolFixture(connections: 2)
        let outcomes = try await fixture.run { pool in
            try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<40 {
                    group.addTask(executorPreference: pool.loop) {
                        do {
                            let result =
                                number % 10 == 5
                                ? try await pool.read(Self.divide(.int8(0)), deadline: .within(.seconds(10)))
                                : try await pool.read(Self.echo(.int8(7)), deadline: .within(.seconds(10)))
                            return "\(try result.first?.int8(0) ?? -1)"
                        } catch let error as PostgresError {
                            return error.sqlState ?? "\(error)"
                        }
                    }
                }
                return try await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
            }
        }
        #expect(outcomes["22012"] == 4)
        #expect(outcomes["7"] == 36)
    }

    @Test func `a caller that waits too long for a connection gets an error`() async throws {
        let fixture = try PoolFixture(connections: 1) { $0.connectionWait = .seconds(2) }
        let error = try await fixture.run { pool in
            try await pool.transaction(deadline: .within(.seconds(10))) { transaction in
                _ = try await transaction.run([Self.one()])
                do {
                    _ = try await pool.read(Self.one(), deadline: .within(.seconds(10)))
                    return nil as PostgresError?
                } catch let error as PostgresError {
                    return error
                }
            }
        }
        #expect(error?.kind == .poolExhausted)
        #expect(error?.isUnavailable == true)
    }

    @Test func `a pool of one serves reads and transactions in turn`() async throws {
        let fixture = try PoolFixture(connections: 1)
        let sum = try await fixture.run { pool in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<100 {
                    group.addTask(executorPreference: pool.loop) {
                        if number % 2 == 0 {
                            return try await pool.read(Self.one(), deadline: .within(.seconds(20))).count
                        }
                        return try await pool.transaction(deadline: .within(.seconds(20))) { transaction in
                            let result = try await transaction.run([Self.one()])
                            try await transaction.commit([])
                            return result.count
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
        }
        #expect(sum == 100)
        #expect(try fixture.sessions(in: "idle", "active", "idle in transaction") == 1)
    }

    @Test func `serves more reads than one pipeline takes`() async throws {
        let fixture = try PoolFixture(connections: 2) { $0.maximumReadsInFlight = 8 }
        let numbers = try await fixture.run { pool in
            try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 0..<2_000 {
                    group.addTask(executorPreference: pool.loop) {
                        let result = try await pool.read(
                            Self.echo(.int8(Int64(number))), deadline: .within(.seconds(20)))
                        return try #require(result.first).int8(0)
                    }
                }
                return try await group.reduce(into: Set<Int64>()) { $0.insert($1) }
            }
        }
        #expect(numbers.count == 2_000)
    }

    @Test func `closing a pool fails all callers that wait`() async throws {
        let fixture = try PoolFixture(connections: 2)
        let waiting = (0..<10).map { number in
            Task {
                try await fixture.error { pool in
                    if number % 2 == 0 {
                        _ = try await pool.read(Self.nap(.int8(20_000)), deadline: .within(.seconds(30)))
                    } else {
                        try await pool.transaction(deadline: .within(.seconds(30))) {
                            try await $0.commit([Self.nap(.int8(20_000))])
                        }
                    }
                }
            }
        }
        try await Task.sleep(for: .milliseconds(200))
        fixture.pool.close()
        for task in waiting { #expect(try await task.value?.isUnavailable == true) }
    }

    @Test func `notices of the server are not mistaken for results`() async throws {
        let fixture = try PoolFixture(connections: 2)
        let raise = PostgresStatement("raise", "do $$ begin raise notice 'n'; raise warning 'w'; end $$")
        let count = try await fixture.run { pool in
            try await pool.transaction(deadline: .within(.seconds(10))) { transaction in
                let results = try await transaction.run([raise(), Self.one(), raise(), Self.one()])
                try await transaction.commit([raise()])
                return results.count
            }
        }
        #expect(count == 4)
    }

    @Test func `a statement that cannot be prepared fails, and can be prepared later`() async throws {
        let fixture = try PoolFixture(connections: 2)
        let late = PostgresStatement("late", "select count(*) from late")
        for exists in [false, true] {
            if exists { try fixture.database.session().script("create table late ()") }
            let error = try await fixture.error { _ = try await $0.read(late(), deadline: .within(.seconds(10))) }
            #expect(error?.sqlState == (exists ? nil : "42P01"))
            #expect(error?.statement == (exists ? nil : "late"))
        }
    }
}
