import CLibPQ
import Concurrency
import Dispatch
import EventLoop

/// The connections of one event loop: a shared pipeline for reads and leased connections for transactions.
///
/// With two connections or more the first is the pipeline: the reads of all requests of a loop's turn travel together.
/// The others are leased, one owner at a time. A single connection is leased for everything. Lost connections are
/// reopened on a background queue, with a pause that doubles up to 0.2 seconds.
///
/// `@unchecked Sendable`: all state is confined to the loop, which `assertCurrent()` checks in debug builds.
package final class PostgresPool: @unchecked Sendable {
    private final class Slot {
        let isPipeline: Bool
        /// A queue of its own: an attempt that waits for a server in vain must not delay the others.
        let queue = DispatchQueue(label: "postgres.connect")
        var connection: PostgresConnection?
        /// The time at which the opening of a connection began.
        var connectingSince: MonotonicTime?
        var failures = 0
        var retryAt = MonotonicTime(nanoseconds: .min)

        init(isPipeline: Bool) {
            self.isPipeline = isPipeline
        }
    }

    /// The loop that the pool is confined to.
    package let loop: EventLoop
    package let statistics = PostgresStatistics()
    /// Shared by the pools of a process.
    package let availability: DatabaseAvailability
    private let configuration: PostgresConfiguration
    private let onEvent: @Sendable (PostgresPoolEvent) -> Void
    private let slots: [Slot]
    private let leases: LeaseQueue
    private let reads: ReadLane
    private let cancels = CancelQueue()
    private var started = false
    private var closed = false

    /// Creates a pool that connects once ``start()`` is called. Earlier requests wait, within the usual limits.
    ///
    /// - Parameters:
    ///   - connections: how many connections it keeps, at least 1.
    ///   - onEvent: called on any thread.
    package init(
        loop: EventLoop, configuration: PostgresConfiguration, connections: Int,
        availability: DatabaseAvailability = DatabaseAvailability(),
        onEvent: @escaping @Sendable (PostgresPoolEvent) -> Void
    ) {
        self.loop = loop
        self.configuration = configuration
        self.availability = availability
        self.onEvent = onEvent
        leases = LeaseQueue(configuration, loop: loop, statistics: statistics, availability: availability)
        reads = ReadLane(configuration, loop: loop, availability: availability)
        slots = (0..<max(1, connections)).map { Slot(isPipeline: $0 == 0 && connections > 1) }
        statistics.expect(PostgresTransaction.statements)
        loop.execute {
            loop.onTurnEnd { self.endTurn() }
            loop.onTick { self.tick() }
        }
    }

    /// Begins to connect. From any thread.
    package func start() {
        loop.execute { self.started = true }
    }

    /// Closes all connections and fails all requests that wait. From any thread.
    package func close() {
        loop.execute {
            self.closed = true
            let reason = PostgresError(kind: .connection, message: "the pool is closed")
            for slot in self.slots { slot.connection?.close(reason) }
            self.leases.close(reason)
            self.reads.close(reason)
        }
    }

    // MARK: Reads

    /// Executes a single `select` that takes no lock.
    ///
    /// It shares a connection, so it may be sent a second time when the connection is lost or another read in the same pipeline fails.
    /// - Throws: ``PostgresError``.
    package func read(_ query: PostgresQuery, deadline: MonotonicTime) async throws(PostgresError) -> PostgresRows {
        loop.assertCurrent()
        guard slots[0].isPipeline else { return try await leasedRead(query, deadline: deadline) }
        return try await reads.read(query, deadline: deadline)
    }

    /// Executes a read, together with other calls of the same read in this turn of the loop.
    ///
    /// - Throws: ``PostgresError``; an error that another call causes is not thrown here.
    package func read(
        _ read: GroupableRead, _ parameters: PostgresParameter..., deadline: MonotonicTime
    ) async throws(PostgresError) -> PostgresRows {
        loop.assertCurrent()
        let query = PostgresQuery(statement: read.one, parameters: parameters)
        guard slots[0].isPipeline else { return try await leasedRead(query, deadline: deadline) }
        return try await reads.read(read, query, deadline: deadline)
    }

    private func leasedRead(
        _ query: PostgresQuery, deadline: MonotonicTime, isRepeat: Bool = false
    ) async throws(PostgresError) -> PostgresRows {
        do throws(PostgresError) {
            let results = try await withLease(until: deadline) { connection throws(PostgresError) in
                try await Batch.run([query], on: connection, deadline: deadline)
            }
            if let result = results.first { return PostgresRows(result, 0..<result.count) }
        } catch {
            guard error.kind == .connection || error.requiresPreparation, !isRepeat else { throw error }
            return try await leasedRead(query, deadline: deadline, isRepeat: true)
        }
        throw PostgresError(kind: .protocolViolation, message: "a read without a result")
    }

    // MARK: Transactions

    /// Runs a transaction on a connection of its own.
    ///
    /// `body` has to commit; what it leaves open is rolled back. The whole transaction is retried, up to three times and after
    /// a pause with jitter, when a deadlock or a serialization failure ended it, when one of its statements has to be prepared
    /// again, or when its connection was lost before `COMMIT` was sent: then nothing can have been committed.
    /// - Parameter transientRetries: how often it is retried after a deadlock, a serialization failure or a unique violation;
    ///   evaluated after each failure.
    /// - Throws: what `body` throws, or ``PostgresError``.
    package func transaction<T>(
        deadline: MonotonicTime, transientRetries: @autoclosure () -> Int = 3,
        _ body: (PostgresTransaction) async throws -> T
    ) async throws -> T {
        loop.assertCurrent()
        var attempt = 0
        while true {
            var mayHaveCommitted = false
            do {
                return try await withLease(until: deadline) { connection in
                    let transaction = PostgresTransaction(on: connection, deadline: deadline)
                    defer { mayHaveCommitted = transaction.mayHaveCommitted }
                    do {
                        let value = try await body(transaction)
                        await transaction.rollBackIfOpen()
                        return value
                    } catch {
                        await transaction.rollBackIfOpen()
                        throw error
                    }
                }
            } catch let error as PostgresError
                where attempt < 3 && .now() < deadline && !availability.isUnavailable
                && (error.isTransient && attempt < transientRetries() || error.requiresPreparation
                    || error.kind == .connection && !mayHaveCommitted)
            {
                attempt += 1
                // A cancelled request does not pause, and gets no connection.
                try? await Task.sleep(for: .milliseconds(Int.random(in: 5...(20 << attempt))))
            }
        }
    }

    private func withLease<T>(
        until deadline: MonotonicTime, _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        let connection = try await leases.lease(until: deadline)
        defer { release(connection) }
        return try await body(connection)
    }

    private func withLease<T>(
        until deadline: MonotonicTime, _ body: (PostgresConnection) async throws(PostgresError) -> T
    ) async throws(PostgresError) -> T {
        let connection = try await leases.lease(until: deadline)
        defer { release(connection) }
        return try await body(connection)
    }

    private func release(_ connection: PostgresConnection) {
        if connection.isIdle { return leases.offer(connection) }
        guard connection.isOpen, connection.isCommitting else {
            return connection.close(
                PostgresError(kind: .connection, message: "released in the middle of a transaction"))
        }
        // Its owner was not prepared to wait for the commit.
        connection.whenCommitted = { [unowned self, unowned connection] in release(connection) }
    }

    // MARK: Turns and ticks

    private func endTurn() {
        reads.endTurn()
        for slot in slots { slot.connection?.endTurn() }
    }

    private func tick() {
        let now = loop.now
        for slot in slots {
            slot.connection?.expire(at: now)
            if let since = slot.connectingSince, now - since > DatabaseAvailability.suspicion {
                availability.suspect(at: now)
            }
        }
        if availability.isUnavailable {
            // Sessions of a server that has stopped responding are of no use, even if it should continue one day.
            for slot in slots { slot.connection?.close(.knownUnavailable) }
            leases.fail(.knownUnavailable)
        }
        connectMissing(at: now)
        leases.expire(at: now)
        reads.tick()
        let (idle, waiting) = leases.counts
        let isPipelineOpen = slots[0].isPipeline && slots[0].connection != nil
        statistics.set(
            size: slots.count, open: slots.count { $0.connection != nil }, idle: idle + (isPipelineOpen ? 1 : 0),
            waiting: waiting + reads.waitingCount)
    }

    // MARK: Connecting

    /// The pipeline comes first: where the server has fewer connections for us than the pool wants, reads must not be left
    /// without one.
    private func connectMissing(at now: MonotonicTime) {
        guard started, !closed else { return }
        let isPipelineMissing = slots[0].isPipeline && slots[0].connection == nil
        for slot in isPipelineMissing ? slots[..<1] : slots[...]
        where slot.connection == nil && slot.connectingSince == nil && slot.retryAt <= now {
            connect(slot)
        }
    }

    private func connect(_ slot: Slot) {
        slot.connectingSince = .now()
        let settings = slot.isPipeline ? configuration.readSettings : configuration.transactionSettings
        let connectionString = configuration.connectionString
        let sharing = configuration.sharing()
        let index = slots.firstIndex { $0 === slot } ?? 0
        slot.queue.async {
            let outcome = ConnectedSession.open(connectionString(), settings: sharing == .none ? settings : [])
            self.loop.execute { self.connected(self.slots[index], outcome, sharing) }
        }
    }

    private func connected(
        _ slot: Slot, _ outcome: Result<ConnectedSession, PostgresError>, _ sharing: SessionSharing
    ) {
        slot.connectingSince = nil
        do throws(PostgresError) {
            let session = try outcome.get()
            guard !closed else { return session.finish() }
            let settings = slot.isPipeline ? configuration.readSettings : configuration.transactionSettings
            let connection = try PostgresConnection(
                adopting: session.pg, dispatch: StatementDispatch(sharing, settings: settings), loop: loop,
                statistics: statistics, cancels: cancels,
                availability: availability,
                silenceLimit: slot.isPipeline ? configuration.readSilence : configuration.commitSilence,
                slowStatements: SlowStatementLog(threshold: configuration.slowStatement) { [onEvent] in
                    onEvent(.slow($0))
                }
            ) { [weak self, weak slot] reason in
                guard let self, let slot else { return }
                self.lost(slot, reason)
            }
            slot.connection = connection
            slot.failures = 0
            availability.opened(to: connection.address)
            onEvent(.connected)
            guard slot.isPipeline else { return leases.offer(connection) }
            reads.connection = connection
            reads.sendWaiting()
            connectMissing(at: .now())
        } catch {
            pause(slot)
            guard !closed else { return }
            availability.connectFailed(error)
            onEvent(.connectFailed(error))
        }
    }

    private func lost(_ slot: Slot, _ reason: PostgresError) {
        leases.withdraw(slot.connection)
        slot.connection = nil
        if slot.isPipeline { reads.connection = nil }
        availability.closed(closed ? nil : reason)
        guard !closed else { return }
        // The first attempt follows immediately, with a little jitter so that not all connections return in one moment.
        slot.retryAt = loop.now + .milliseconds(Int.random(in: 0...50))
        onEvent(.lost(reason))
    }

    private func pause(_ slot: Slot) {
        slot.failures = min(slot.failures + 1, 5)
        slot.retryAt = .now() + .milliseconds(min(200, 50 << slot.failures) - Int.random(in: 0...50))
    }
}
