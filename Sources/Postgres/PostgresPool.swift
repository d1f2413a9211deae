import CLibPQ
import DequeModule
import Dispatch
import EventLoop

/// The connections of one event loop: a shared pipeline for reads and leased connections for transactions.
///
/// With two connections or more the first is the pipeline: the reads of all requests of a loop's turn travel together.
/// The others are leased, one owner at a time. A single connection is leased for everything. Lost connections are made
/// anew on a background queue, with a pause that doubles up to 0.4 seconds.
///
/// `@unchecked Sendable`: all state is confined to the loop, which `assertCurrent()` checks in debug builds.
public final class PostgresPool: @unchecked Sendable {
    private final class Slot {
        let isPipeline: Bool
        var connection: PostgresConnection?
        var connecting = false
        var failures = 0
        var retryAt = MonotonicTime(nanoseconds: .min)

        init(isPipeline: Bool) {
            self.isPipeline = isPipeline
        }
    }

    private final class LeaseWaiter {
        let deadline: MonotonicTime
        let continuation: UnsafeContinuation<Result<PostgresConnection, PostgresError>, Never>

        init(
            _ deadline: MonotonicTime,
            _ continuation: UnsafeContinuation<Result<PostgresConnection, PostgresError>, Never>
        ) {
            self.deadline = deadline
            self.continuation = continuation
        }
    }

    /// The loop that the pool lives on.
    public let loop: EventLoop
    private let configuration: PostgresConfiguration
    private let onEvent: @Sendable (PostgresPoolEvent) -> Void
    private let slots: [Slot]
    private var idle: [PostgresConnection] = []
    private var waiters: Deque<LeaseWaiter> = []
    private var waitingReads: Deque<PipelinedRead> = []
    private var closed = false

    /// Makes a pool that connects once ``start()`` is called.
    ///
    /// - Parameters:
    ///   - connections: how many connections it keeps, at least 1.
    ///   - onEvent: told of connections made and lost, on any thread.
    public init(
        loop: EventLoop, configuration: PostgresConfiguration, connections: Int,
        onEvent: @escaping @Sendable (PostgresPoolEvent) -> Void
    ) {
        self.loop = loop
        self.configuration = configuration
        self.onEvent = onEvent
        slots = (0..<max(1, connections)).map { Slot(isPipeline: $0 == 0 && connections > 1) }
    }

    /// Begins to connect. From any thread, once.
    public func start() {
        loop.execute {
            self.loop.onTurnEnd { self.endTurn() }
            self.loop.onTick { self.tick() }
        }
    }

    /// Closes all connections; whoever waits is told. From any thread.
    public func close() {
        loop.execute {
            self.closed = true
            let reason = PostgresError(kind: .connection, message: "the pool is closed")
            for slot in self.slots { slot.connection?.close(reason) }
            for waiter in self.waiters { waiter.continuation.resume(returning: .failure(reason)) }
            for read in self.waitingReads { read.lost(reason) }
            self.waiters = []
            self.waitingReads = []
        }
    }

    // MARK: Reads

    /// Executes a single `select` that takes no lock.
    ///
    /// It shares a connection, so it may be sent a second time when the connection is lost or another read fails beside it.
    /// - Throws: ``PostgresError``.
    public func read(_ query: PostgresQuery, deadline: MonotonicTime) async throws(PostgresError) -> PostgresResult {
        loop.assertCurrent()
        guard slots[0].isPipeline else {
            return try await withLease(until: deadline) { connection throws(PostgresError) in
                try await PipelinedRead.run(query, deadline: deadline) { read in
                    connection.send(query, for: read)
                    connection.endTurn()
                }
            }
        }
        return try await PipelinedRead.run(query, deadline: deadline) { read in
            read.retry = { [unowned self] in self.submit($0) }
            self.submit(read)
        }
    }

    private func submit(_ read: PipelinedRead) {
        if let connection = slots[0].connection, connection.inFlight < configuration.maximumReadsInFlight {
            send(read, on: connection)
        } else if waitingReads.count < configuration.maximumWaiting {
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
            if read.isWaiting { send(read, on: connection) }
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
    /// `body` has to commit; what it leaves open is rolled back. After a deadlock or a serialization failure the whole
    /// transaction is tried again, up to three times, after a pause with jitter.
    /// - Throws: what `body` throws, or ``PostgresError``.
    public func transaction<T>(
        deadline: MonotonicTime, _ body: (PostgresTransaction) async throws -> T
    ) async throws -> T {
        loop.assertCurrent()
        var attempt = 0
        while true {
            do {
                return try await withLease(until: deadline) { connection in
                    let transaction = PostgresTransaction(on: connection, deadline: deadline)
                    do {
                        let value = try await body(transaction)
                        await transaction.rollBackIfOpen()
                        return value
                    } catch {
                        await transaction.rollBackIfOpen()
                        throw error
                    }
                }
            } catch let error as PostgresError where error.isTransient && attempt < 3 {
                attempt += 1
                try await Task.sleep(for: .milliseconds(Int.random(in: 5...(20 << attempt))))
            }
        }
    }

    private func withLease<T>(
        until deadline: MonotonicTime, _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        let connection = try await lease(until: deadline)
        defer { release(connection) }
        return try await body(connection)
    }

    private func withLease<T>(
        until deadline: MonotonicTime, _ body: (PostgresConnection) async throws(PostgresError) -> T
    ) async throws(PostgresError) -> T {
        let connection = try await lease(until: deadline)
        defer { release(connection) }
        return try await body(connection)
    }

    private func lease(until deadline: MonotonicTime) async throws(PostgresError) -> PostgresConnection {
        while let connection = idle.popLast() {
            if connection.isOpen { return connection }
        }
        guard !closed, waiters.count < configuration.maximumWaiting else {
            throw PostgresError(kind: .poolExhausted, message: "too many requests wait for a connection")
        }
        return try await withUnsafeContinuation { continuation in
            waiters.append(LeaseWaiter(min(deadline, .now() + configuration.connectionWait), continuation))
        }.get()
    }

    private func release(_ connection: PostgresConnection) {
        guard connection.isIdle else {
            return connection.close(
                PostgresError(kind: .connection, message: "given back in the middle of a transaction"))
        }
        offer(connection)
    }

    private func offer(_ connection: PostgresConnection) {
        if let waiter = waiters.popFirst() {
            waiter.continuation.resume(returning: .success(connection))
        } else {
            idle.append(connection)
        }
    }

    // MARK: Turns and ticks

    private func endTurn() {
        for slot in slots { slot.connection?.endTurn() }
        if !waitingReads.isEmpty { sendWaitingReads() }
    }

    private func tick() {
        let now = loop.now
        for slot in slots {
            slot.connection?.expire(at: now)
            if slot.connection == nil, !slot.connecting, slot.retryAt <= now, !closed { connect(slot) }
        }
        while let first = waiters.first, first.deadline <= now {
            waiters.removeFirst()
            let error = PostgresError(kind: .poolExhausted, message: "no connection within the time to wait for one")
            first.continuation.resume(returning: .failure(error))
        }
        // The deadlines of those who wait are in nearly the order of their arrival.
        while let first = waitingReads.first, !first.isWaiting || first.expired(at: now) {
            waitingReads.removeFirst()
        }
    }

    // MARK: Connecting

    private func connect(_ slot: Slot) {
        slot.connecting = true
        let settings = slot.isPipeline ? configuration.readSettings : configuration.transactionSettings
        let connectionString = configuration.connectionString
        let index = slots.firstIndex { $0 === slot } ?? 0
        DispatchQueue.global().async {
            let outcome = ConnectedSession.open(connectionString, settings: settings)
            self.loop.execute { self.connected(self.slots[index], outcome) }
        }
    }

    private func connected(_ slot: Slot, _ outcome: Result<ConnectedSession, PostgresError>) {
        slot.connecting = false
        do throws(PostgresError) {
            let session = try outcome.get()
            guard !closed else { return session.finish() }
            let connection = try PostgresConnection(adopting: session.pg, loop: loop) { [weak self, weak slot] reason in
                guard let self, let slot else { return }
                self.lost(slot, reason)
            }
            slot.connection = connection
            slot.failures = 0
            onEvent(.connected)
            if slot.isPipeline { sendWaitingReads() } else { offer(connection) }
        } catch {
            pause(slot)
            onEvent(.connectFailed(error))
        }
    }

    private func lost(_ slot: Slot, _ reason: PostgresError) {
        idle.removeAll { $0 === slot.connection }
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
