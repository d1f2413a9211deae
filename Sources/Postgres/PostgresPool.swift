import CLibPQ
import DequeModule
import Dispatch
import Concurrency
import EventLoop

/// The connections of one event loop: a shared pipeline for reads and leased connections for transactions.
///
/// With two connections or more the first is the pipeline: the reads of all requests of a loop's turn travel together.
/// The others are leased, one owner at a time. A single connection is leased for everything. Lost connections are made
/// anew on a background queue, with a pause that doubles up to 0.4 seconds.
///
/// `@unchecked Sendable`: all state is confined to the loop, which `assertCurrent()` checks in debug builds.
package final class PostgresPool: @unchecked Sendable {
    private final class Slot {
        let isPipeline: Bool
        /// A queue of its own: one that waits for a server in vain must not keep the others waiting.
        let queue = DispatchQueue(label: "lux.postgres.connect")
        var connection: PostgresConnection?
        var connecting = false
        var failures = 0
        var retryAt = MonotonicTime(nanoseconds: .min)

        init(isPipeline: Bool) {
            self.isPipeline = isPipeline
        }
    }

    /// The loop that the pool lives on.
    package let loop: EventLoop
    /// What it has done and is doing.
    package let statistics = PostgresStatistics()
    private let configuration: PostgresConfiguration
    private let onEvent: @Sendable (PostgresPoolEvent) -> Void
    private let slots: [Slot]
    private let leases: LeaseQueue
    private let cancels = CancelQueue()
    private var waitingReads: Deque<PipelinedRead> = []
    private var started = false
    private var closed = false

    /// Makes a pool that connects once ``start()`` is called. Who asks earlier waits, within the usual limits.
    ///
    /// - Parameters:
    ///   - connections: how many connections it keeps, at least 1.
    ///   - onEvent: told of connections made and lost and of slow statements, on any thread.
    package init(
        loop: EventLoop, configuration: PostgresConfiguration, connections: Int,
        onEvent: @escaping @Sendable (PostgresPoolEvent) -> Void
    ) {
        self.loop = loop
        self.configuration = configuration
        self.onEvent = onEvent
        leases = LeaseQueue(configuration, loop: loop, statistics: statistics)
        slots = (0..<max(1, connections)).map { Slot(isPipeline: $0 == 0 && connections > 1) }
        loop.execute {
            loop.onTurnEnd { self.endTurn() }
            loop.onTick { self.tick() }
        }
    }

    /// Begins to connect. From any thread.
    package func start() {
        loop.execute { self.started = true }
    }

    /// Closes all connections; whoever waits is told. From any thread.
    package func close() {
        loop.execute {
            self.closed = true
            let reason = PostgresError(kind: .connection, message: "the pool is closed")
            for slot in self.slots { slot.connection?.close(reason) }
            self.leases.close(reason)
            let reads = self.waitingReads
            self.waitingReads = []
            for read in reads { read.lost(reason) }
        }
    }

    // MARK: Reads

    /// Executes a single `select` that takes no lock.
    ///
    /// It shares a connection, so it may be sent a second time when the connection is lost or another read fails beside it.
    /// - Throws: ``PostgresError``.
    package func read(_ query: PostgresQuery, deadline: MonotonicTime) async throws(PostgresError) -> PostgresResult {
        loop.assertCurrent()
        guard slots[0].isPipeline else {
            return try await leasedRead(query, deadline: deadline)
        }
        return try await PipelinedRead.run(query, deadline: deadline) { read in
            read.retry = { [unowned self] in self.submit($0) }
            self.submit(read)
        }
    }

    private func leasedRead(
        _ query: PostgresQuery, deadline: MonotonicTime, isRepeat: Bool = false
    ) async throws(PostgresError) -> PostgresResult {
        do throws(PostgresError) {
            let results = try await withLease(until: deadline) { connection throws(PostgresError) in
                try await Batch.run([query], on: connection, deadline: deadline)
            }
            if let result = results.first { return result }
        } catch {
            guard error.kind == .connection, !isRepeat else { throw error }
            return try await leasedRead(query, deadline: deadline, isRepeat: true)
        }
        throw PostgresError(kind: .protocolViolation, message: "a read without a result")
    }

    private func submit(_ read: PipelinedRead) {
        if waitingReads.isEmpty, let connection = slots[0].connection,
            connection.inFlight < configuration.maximumReadsInFlight
        {
            send(read, on: connection)
        } else if !closed, waitingReads.count < configuration.maximumWaiting {
            read.wait(until: .now() + configuration.connectionWait)
            waitingReads.append(read)
        } else {
            read.lost(PostgresError(kind: .poolExhausted, message: "too many reads are waiting"))
        }
    }

    private func sendWaitingReads() {
        guard let connection = slots[0].connection else { return }
        while connection.isOpen, connection.inFlight < configuration.maximumReadsInFlight,
            let read = waitingReads.popFirst()
        {
            if !read.hasGivenUp(at: loop.now) { send(read, on: connection) }
        }
    }

    /// A read that is sent again has a batch of its own, so that a neighbour's failure harms it once at most.
    private func send(_ read: PipelinedRead, on connection: PostgresConnection) {
        if read.isRepeat { connection.endTurn() }
        connection.send(read.query, for: read)
        if read.isRepeat { connection.endTurn() }
    }

    // MARK: Transactions

    /// Runs a transaction on a connection of its own.
    ///
    /// `body` has to commit; what it leaves open is rolled back. The whole transaction is tried again, up to three times and
    /// after a pause with jitter, when a deadlock or a serialization failure ended it, or when its connection was lost before
    /// `COMMIT` was sent: then nothing can have been committed.
    /// - Parameter transientRetries: how often it is tried again after a deadlock, a serialization failure or a unique violation;
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
                where attempt < 3 && .now() < deadline
                && (error.isTransient && attempt < transientRetries() || error.kind == .connection && !mayHaveCommitted)
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
                PostgresError(kind: .connection, message: "given back in the middle of a transaction"))
        }
        // Its owner was not prepared to wait for the commit.
        connection.whenCommitted = { [unowned self, unowned connection] in release(connection) }
    }

    // MARK: Turns and ticks

    private func endTurn() {
        if !waitingReads.isEmpty { sendWaitingReads() }
        for slot in slots { slot.connection?.endTurn() }
    }

    private func tick() {
        let now = loop.now
        for slot in slots { slot.connection?.expire(at: now) }
        connectMissing(at: now)
        leases.expire(at: now)
        if !waitingReads.isEmpty { waitingReads.removeAll { $0.hasGivenUp(at: now) } }
        let (idle, waiting) = leases.counts
        let isPipelineOpen = slots[0].isPipeline && slots[0].connection != nil
        statistics.set(
            size: slots.count, open: slots.count { $0.connection != nil }, idle: idle + (isPipelineOpen ? 1 : 0),
            waiting: waiting + waitingReads.count)
    }

    // MARK: Connecting

    /// The pipeline comes first: where the server has fewer connections for us than the pool wants, reads must not be left
    /// without one.
    private func connectMissing(at now: MonotonicTime) {
        guard started, !closed else { return }
        let isPipelineMissing = slots[0].isPipeline && slots[0].connection == nil
        for slot in isPipelineMissing ? slots[..<1] : slots[...]
        where slot.connection == nil && !slot.connecting && slot.retryAt <= now {
            connect(slot)
        }
    }

    private func connect(_ slot: Slot) {
        slot.connecting = true
        let settings = slot.isPipeline ? configuration.readSettings : configuration.transactionSettings
        let connectionString = configuration.connectionString
        let index = slots.firstIndex { $0 === slot } ?? 0
        slot.queue.async {
            let outcome = ConnectedSession.open(connectionString, settings: settings)
            self.loop.execute { self.connected(self.slots[index], outcome) }
        }
    }

    private func connected(_ slot: Slot, _ outcome: Result<ConnectedSession, PostgresError>) {
        slot.connecting = false
        do throws(PostgresError) {
            let session = try outcome.get()
            guard !closed else { return session.finish() }
            let connection = try PostgresConnection(
                adopting: session.pg, loop: loop, statistics: statistics, cancels: cancels,
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
            onEvent(.connected)
            guard slot.isPipeline else { return leases.offer(connection) }
            sendWaitingReads()
            connectMissing(at: .now())
        } catch {
            pause(slot)
            onEvent(.connectFailed(error))
        }
    }

    private func lost(_ slot: Slot, _ reason: PostgresError) {
        leases.withdraw(slot.connection)
        slot.connection = nil
        guard !closed else { return }
        // The first attempt follows at once, with a little jitter so that not all connections return in one moment.
        slot.retryAt = loop.now + .milliseconds(Int.random(in: 0...50))
        onEvent(.lost(reason))
    }

    private func pause(_ slot: Slot) {
        slot.failures = min(slot.failures + 1, 5)
        slot.retryAt = .now() + .milliseconds(min(400, 50 << slot.failures) - Int.random(in: 0...50))
    }
}
