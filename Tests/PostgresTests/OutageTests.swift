import Concurrency
import EventLoop
import LUXTestSupport
import Metrics
import Testing

@testable import Postgres

/// A database that cannot be reached: how fast that is known, what requests get meanwhile, and how fast its return is noticed.
@Suite(.ownThread) struct OutageTests {
    private static let one = PostgresStatement("one", "select 1::bigint")
    private static let nap = PostgresStatement("nap", "select 1::bigint from pg_sleep($1 / 1000.0)")

    /// - Parameter includesReconnected: no for outages that begin with sessions being ended: a connection that was being opened
    ///   then may still succeed, and be the end of a loss of sessions before the outage is known.
    private func names(_ fixture: PoolFixture, includesReconnected: Bool = true) -> [String] {
        let names = fixture.events.withLock { $0 }.map { event in
            switch event {
            case .lost: "lost"
            case .stillUnavailable: "still unavailable"
            case .recovered: "recovered"
            case .reconnected: "reconnected"
            case .incomplete: "incomplete"
            }
        }
        return includesReconnected ? names : names.filter { $0 != "reconnected" }
    }

    @Test func `rejects requests immediately while the database is stopped, and serves them soon after its return`()
        async throws
    {
        let cluster = try TestCluster()
        let fixture = try PoolFixture(connections: 4, cluster: cluster)
        _ = try await fixture.timeUntilServed(Self.one())
        cluster.stop()
        try await Task.sleep(for: .milliseconds(500))
        for _ in 0..<3 {
            let elapsed = try await fixture.run { pool in
                let start = MonotonicTime.now()
                await #expect(throws: PostgresError.self) {
                    try await pool.read(Self.one(), deadline: .within(.seconds(10)))
                }
                await #expect(throws: PostgresError.self) {
                    try await pool.transaction(deadline: .within(.seconds(10))) { try await $0.commit([]) }
                }
                return MonotonicTime.now() - start
            }
            #expect(elapsed < Sanitizer.limit(.milliseconds(50)))
        }
        #expect(names(fixture, includesReconnected: false) == ["lost"])
        try cluster.start()
        #expect(try await fixture.timeUntilServed(Self.one()) < Sanitizer.limit(.seconds(1)))
        #expect(names(fixture, includesReconnected: false) == ["lost", "recovered"])
        cluster.stop()
    }

    @Test func `knows within two seconds that the server has frozen, and serves soon after it continues`() async throws
    {
        let cluster = try TestCluster()
        let fixture = try PoolFixture(connections: 4, cluster: cluster)
        _ = try await fixture.timeUntilServed(Self.one())
        cluster.freeze(true)
        defer { cluster.freeze(false) }
        let (first, second) = try await fixture.run { pool in
            let start = MonotonicTime.now()
            async let read: Bool =
                (try? await pool.read(Self.one(), deadline: .within(.seconds(10)))) == nil
            async let write: Bool =
                (try? await pool.transaction(deadline: .within(.seconds(10))) { try await $0.commit([]) }) == nil
            #expect(await (read, write) == (true, true))
            let known = MonotonicTime.now()
            #expect((try? await pool.read(Self.one(), deadline: .within(.seconds(10)))) == nil)
            return (known - start, MonotonicTime.now() - known)
        }
        #expect(first < Sanitizer.limit(.seconds(2.2)))
        #expect(second < Sanitizer.limit(.milliseconds(50)))
        #expect(names(fixture) == ["lost"])
        cluster.freeze(false)
        #expect(try await fixture.timeUntilServed(Self.one()) < Sanitizer.limit(.seconds(1)))
        #expect(names(fixture) == ["lost", "recovered"])
        cluster.stop()
    }

    @Test func `does not mistake a wait for a lock or a slow statement for an outage`() async throws {
        let fixture = try PoolFixture(connections: 3)
        _ = try await fixture.timeUntilServed(Self.one())
        let error = try await fixture.error { pool in
            try await pool.transaction(deadline: .within(.seconds(10))) {
                try await $0.commit([Self.nap(.int8(3_000))])
            }
        }
        #expect(error == nil)
        #expect(names(fixture) == [])
    }

    @Test func `reports an outage when it begins, once a minute, and when it ends`() {
        let events = Locked<[String]>([])
        let availability = DatabaseAvailability { event in
            let line =
                switch event {
                case .lost: "lost"
                case .stillUnavailable(_, let duration):
                    "still unavailable for \(duration.wholeNanoseconds / 1_000_000_000)"
                case .recovered(let duration): "recovered after \(duration.wholeNanoseconds / 1_000_000_000)"
                case .reconnected, .incomplete: "\(event)"
                }
            events.withLock { $0.append(line) }
        }
        let start = MonotonicTime.now()
        // Several connections try to open ten times a second; the second failure is the beginning.
        for tenth in 0...1_501 {
            availability.connectFailed(
                PostgresError(kind: .connection, message: "connection refused"), at: start + .milliseconds(100 * tenth))
        }
        availability.opened(to: nil, at: start + .milliseconds(151_100))
        let expected = ["lost", "still unavailable for 60", "still unavailable for 120", "recovered after 151"]
        #expect(events.withLock { $0 } == expected)
        #expect(!availability.isUnavailable)
    }

    @Test func `reports sessions that were ended and reopened in one event`() async throws {
        let fixture = try PoolFixture(connections: 4)
        _ = try await fixture.timeUntilServed(Self.one())
        for _ in 0..<3 {
            _ = try fixture.terminateSessions()
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(try await fixture.timeUntilServed(Self.one()) < Sanitizer.limit(.seconds(1)))
        #expect(names(fixture) == ["reconnected"])
    }

    @Test func `measures the waits for a connection that fail, too`() async throws {
        let fixture = try PoolFixture(connections: 2)
        let error = try await fixture.error { pool in
            try await pool.transaction(deadline: .within(.seconds(10))) { transaction in
                _ = try await transaction.run([Self.one()])
                try await pool.transaction(deadline: .within(.milliseconds(400))) { try await $0.commit([]) }
            }
        }
        #expect(error?.kind == .poolExhausted)
        let waits = fixture.pool.statistics.values.waits
        #expect(waits.count == 2)
        #expect(waits.sum >= 0.3)
    }
}
