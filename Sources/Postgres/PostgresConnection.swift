import CLibPQ
import DequeModule
import Concurrency
import EventLoop

/// A libpq connection in non-blocking pipeline mode, confined to one event loop.
///
/// It owns its `PGconn` from ``init(adopting:loop:onClose:)`` to ``close(_:)``. Its socket is watched level-triggered, since
/// `PQconsumeInput` reads once. libpq may notice a dead connection wherever it touches the socket, and closes it
/// there without a word to epoll; so `endTurn()` looks at `PQstatus` in each turn of the loop.
///
/// `@unchecked Sendable`: confined to its loop, where the tasks that lease it run.
final class PostgresConnection: EventHandler, @unchecked Sendable {
    private enum Expectation {
        case preparation(name: String)
        case statement(any OutcomeReceiver, name: String, sent: MonotonicTime)
        case sync((any OutcomeReceiver)?)
    }

    private let pg: OpaquePointer
    private let descriptor: Int32
    private let loop: EventLoop
    private let statistics: PostgresStatistics
    private let cancels: CancelQueue
    private let silenceLimit: Duration
    private var slowStatements: SlowStatementLog
    private let onClose: (PostgresError) -> Void
    private var expectations: Deque<Expectation> = []
    private var prepared: Set<String> = []
    private var current: StatementOutcome?
    private var batchError: PostgresError?
    private var needsSync = false
    private var watchesWritable = false
    private var encoder = ParameterEncoder()
    /// When the server last said something, or began to owe an answer.
    private var lastProgress = MonotonicTime.now()

    /// Whether the server has refused to write: the primary is elsewhere by now, and a new connection may find it.
    private var isReadOnly = false

    /// Whether a `COMMIT` was sent and not answered.
    private(set) var isCommitting = false
    /// `false` when the last commit is stored here, but its wait for a standby was broken off.
    private(set) var isCommitConfirmed = true
    /// Called once when the commit that is under way is answered, its owner having given up.
    var whenCommitted: (() -> Void)?

    /// Whether statements may be sent.
    private(set) var isOpen = true

    /// Statements sent whose outcome is not known.
    var inFlight: Int { expectations.count }

    /// Takes the ownership of a connected, idle `PGconn`.
    ///
    /// - Parameters:
    ///   - silenceLimit: for how long the server may owe an answer without saying anything.
    ///   - slowStatements: is told how long each took.
    init(
        adopting pg: OpaquePointer, loop: EventLoop, statistics: PostgresStatistics, cancels: CancelQueue,
        silenceLimit: Duration, slowStatements: SlowStatementLog,
        onClose: @escaping (PostgresError) -> Void
    ) throws(PostgresError) {
        self.pg = pg
        self.loop = loop
        self.statistics = statistics
        self.cancels = cancels
        self.silenceLimit = silenceLimit
        self.slowStatements = slowStatements
        self.onClose = onClose
        descriptor = PQsocket(pg)
        guard PQsetnonblocking(pg, 1) == 0, PQenterPipelineMode(pg) == 1, descriptor >= 0 else {
            let error = PostgresError(connection: pg)
            PQfinish(pg)
            throw error
        }
        do {
            try loop.watch(descriptor, for: .readable, handler: self)
        } catch {
            PQfinish(pg)
            throw PostgresError(kind: .connection, message: error.description)
        }
        // Unretained: libpq calls it only while this object owns the PGconn.
        PQsetNoticeReceiver(pg, noticed, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Says that the batch that is sent next commits.
    func beginCommit() {
        isCommitting = true
        isCommitConfirmed = true
    }

    /// A `SyncRepWaitForLSN` that is cancelled warns, and the commit is then answered as any other (PostgreSQL manual,
    /// "Synchronous Replication").
    fileprivate func take(notice: OpaquePointer) {
        guard let function = PQresultErrorField(notice, Int32(Character("R").asciiValue ?? 0)) else { return }
        if String(cString: function) == "SyncRepWaitForLSN" { isCommitConfirmed = false }
    }

    /// Whether the session is as it was at the beginning: no transaction, nothing under way, and of use.
    var isIdle: Bool {
        isOpen && !isReadOnly && expectations.isEmpty && PQtransactionStatus(pg) == PQTRANS_IDLE
    }

    // MARK: Sending

    /// Sends a statement, preparing it first where it is new to this session. The next Sync makes its outcome known.
    func send(_ query: PostgresQuery, for receiver: any OutcomeReceiver) {
        loop.assertCurrent()
        guard isOpen else {
            receiver.lost(PostgresError(kind: .connection, message: "the connection is closed"))
            return
        }
        if expectations.isEmpty { lastProgress = loop.now }
        let name = query.statement.name
        if prepared.insert(name).inserted {
            let types = query.parameters.map { Oid($0.typeOID) }
            guard PQsendPrepare(pg, name, query.statement.sql, Int32(types.count), types) == 1 else {
                return fail(receiver)
            }
            expectations.append(.preparation(name: name))
        }
        let sent = encoder.withEncoded(query.parameters) { count, values, lengths, formats in
            PQsendQueryPrepared(pg, name, count, values, lengths, formats, 1)
        }
        guard sent == 1 else { return fail(receiver) }
        expectations.append(.statement(receiver, name: name, sent: loop.now))
        needsSync = true
    }

    /// First the pool is told, so that a read that is sent again goes to another connection.
    private func fail(_ receiver: any OutcomeReceiver) {
        let reason = PostgresError(connection: pg)
        close(reason)
        receiver.lost(reason)
    }

    /// Ends a batch for its receiver and sends all of it.
    func synchronize(for receiver: any OutcomeReceiver) {
        guard isOpen else { return }
        needsSync = false
        guard PQpipelineSync(pg) == 1 else { return closeBroken() }
        expectations.append(.sync(receiver))
        flush()
    }

    /// Ends what this turn sent with one Sync, and finds out whether the connection still lives.
    func endTurn() {
        guard isOpen else { return }
        if needsSync {
            needsSync = false
            guard PQpipelineSync(pg) == 1 else { return closeBroken() }
            expectations.append(.sync(nil))
            flush()
        }
        if isOpen, PQstatus(pg) == CONNECTION_BAD { closeBroken() }
    }

    private func flush() {
        let state = PQflush(pg)
        guard state >= 0 else { return closeBroken() }
        let wantsWritable = state == 1
        guard wantsWritable != watchesWritable else { return }
        watchesWritable = wantsWritable
        do {
            try loop.change(descriptor, to: wantsWritable ? [.readable, .writable] : .readable)
        } catch {
            close(PostgresError(kind: .connection, message: error.description))
        }
    }

    // MARK: Receiving

    func ready(_ events: Readiness) {
        guard isOpen else { return }
        if events.contains(.writable) { flush() }
        guard isOpen else { return }
        guard PQconsumeInput(pg) == 1 else {
            deliver()
            return closeBroken()
        }
        lastProgress = loop.now
        deliver()
        if isOpen, watchesWritable { flush() }
        if isOpen, PQstatus(pg) == CONNECTION_BAD { closeBroken() }
    }

    /// Hands out what has arrived. On a bad connection `PQgetResult` answers NULL for ever, so a NULL that ends no
    /// statement ends the loop.
    private func deliver() {
        while isOpen, !expectations.isEmpty, PQisBusy(pg) == 0 {
            if let result = PQgetResult(pg) {
                take(result)
            } else if let outcome = current {
                current = nil
                finishStatement(outcome)
            } else {
                return
            }
        }
        // Between batches nothing is expected; a message of the server's own (a FATAL one, say) is dropped here.
        while isOpen, expectations.isEmpty, PQisBusy(pg) == 0, let result = PQgetResult(pg) {
            PQclear(result)
        }
    }

    private func take(_ result: OpaquePointer) {
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK:
            current = .result(PostgresResult(owning: result))
        case PGRES_PIPELINE_SYNC:
            PQclear(result)
            finishBatch()
        case PGRES_PIPELINE_ABORTED:
            PQclear(result)
            let unknown = PostgresError(kind: .protocolViolation, message: "the batch was aborted")
            current = .aborted(cause: batchError ?? unknown)
        default:
            let error = PostgresError(result: result, statement: nameOfCurrentStatement)
            PQclear(result)
            // The server's last word. Whoever waits is told that the connection is lost: a commit may have taken place.
            guard error.kind == .server else { return close(error) }
            if error.sqlState == "25006" { isReadOnly = true }
            if batchError == nil { batchError = error }
            current = .failure(error)
        }
    }

    private var nameOfCurrentStatement: String? {
        switch expectations.first {
        case .preparation(let name), .statement(_, let name, _): name
        case .sync, nil: nil
        }
    }

    private func finishStatement(_ outcome: StatementOutcome) {
        switch expectations.first {
        case .preparation(let name):
            expectations.removeFirst()
            if case .result = outcome { return }
            prepared.remove(name)
        case .statement(let receiver, let name, let sent):
            expectations.removeFirst()
            let duration = loop.now - sent
            statistics.executed(name, duration)
            slowStatements.executed(name, duration, for: receiver)
            receiver.received(outcome)
        case .sync, nil:
            close(PostgresError(kind: .connection, message: "a result that nothing asked for"))
        }
    }

    private func finishBatch() {
        batchError = nil
        slowStatements.synchronized()
        guard case .sync(let receiver)? = expectations.first else {
            return close(PostgresError(kind: .connection, message: "a Sync that nothing asked for"))
        }
        expectations.removeFirst()
        receiver?.synchronized()
        isCommitting = false
        let next = whenCommitted
        whenCommitted = nil
        next?()
    }

    // MARK: Ending

    /// Gives up what has waited for too long.
    func expire(at now: MonotonicTime) {
        guard isOpen else { return }
        if !expectations.isEmpty, now - lastProgress > silenceLimit {
            return close(PostgresError(kind: .connection, message: "the server owes an answer and is silent"))
        }
        var giveUp = false
        for expectation in expectations {
            switch expectation {
            case .statement(let receiver, _, _), .sync(let receiver?):
                if receiver.expired(at: now) { giveUp = true }
            case .preparation, .sync(nil):
                break
            }
        }
        if giveUp {
            cancels.cancel(pg)
            close(PostgresError(kind: .timeout, message: "the deadline has passed"))
        }
    }

    /// Ends a session whose connection libpq has found to be lost.
    private func closeBroken() {
        if isOpen { close(PostgresError(connection: pg)) }
    }

    /// Ends the session; whoever waits for an outcome is told that it is lost. A second call does nothing.
    func close(_ reason: PostgresError) {
        guard isOpen else { return }
        isOpen = false
        loop.unwatch(descriptor, handler: self)
        PQfinish(pg)
        let lost = expectations
        expectations = []
        // First the pool, so that a read that is sent again goes to another connection.
        onClose(reason)
        // What was given up on took long, too.
        for case .statement(let receiver, let name, let sent) in lost {
            slowStatements.executed(name, loop.now - sent, for: receiver)
        }
        slowStatements.synchronized()
        for expectation in lost {
            switch expectation {
            case .statement(let receiver, _, _), .sync(let receiver?): receiver.lost(reason)
            case .preparation, .sync(nil): break
            }
        }
    }
}

/// libpq's `PQnoticeReceiver`.
private func noticed(_ context: UnsafeMutableRawPointer?, _ notice: OpaquePointer?) {
    guard let context, let notice else { return }
    Unmanaged<PostgresConnection>.fromOpaque(context).takeUnretainedValue().take(notice: notice)
}
