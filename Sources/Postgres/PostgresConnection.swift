import CLibPQ
import Concurrency
import DequeModule
import EventLoop

/// A libpq connection in non-blocking pipeline mode, confined to one event loop.
///
/// `+Sending` sends statements, `+Receiving` takes results. It owns its `PGconn` from its creation to ``close(_:)``. Its socket is watched level-triggered, since `PQconsumeInput`
/// reads once. libpq may notice a dead connection wherever it touches the socket, and closes it there without an event of
/// epoll; so ``endTurn()`` checks `PQstatus` in each turn of the loop.
///
/// Owned by its pool's slot. `@unchecked Sendable`: confined to its loop, where the tasks that lease it run; entries check it.
final class PostgresConnection: EventHandler, @unchecked Sendable {
    /// A statement that was prepared in this session, or is being prepared.
    final class Preparation {
        /// Its name on the server.
        let name: String
        /// Why it could not be prepared.
        var error: PostgresError?

        init(name: String) {
            self.name = name
        }

        /// That of a statement whose text is sent each time.
        static var unnamed: Preparation { Preparation(name: "") }
    }

    enum Expectation {
        case settings
        case preparation(PostgresStatement, Preparation)
        case statement(any OutcomeReceiver, PostgresStatement, Preparation, sent: MonotonicTime)
        case sync((any OutcomeReceiver)?)
    }

    let pg: OpaquePointer
    let descriptor: Int32
    let loop: EventLoop
    let statistics: PostgresStatistics
    private let cancels: CancelQueue
    let dispatch: StatementDispatch
    let availability: DatabaseAvailability
    /// Where the server listens.
    let address: SessionAddress?
    private let silenceLimit: Duration
    var slowStatements: SlowStatementLog
    private let onClose: (PostgresError) -> Void
    var expectations: Deque<Expectation> = []
    /// By the index of their statements.
    var preparations: [Preparation?] = []
    var preparationCount = 0
    var current: StatementOutcome?
    var batchError: PostgresError?
    var needsSync = false
    var watchesWritable = false
    var encoder = ParameterEncoder()
    /// When the server last sent something, or began to owe a result.
    var lastProgress = MonotonicTime.now()

    /// Whether the server has rejected a write: the primary is elsewhere by now, and a new connection may find it.
    var isReadOnly = false

    /// Whether a `COMMIT` is in flight.
    var isCommitting = false
    /// `false` when the last commit is stored here, but its wait for a standby was interrupted.
    private(set) var isCommitConfirmed = true
    /// Called once when the commit in flight has ended, its owner having given up.
    var whenCommitted: (() -> Void)?

    /// Whether statements may be sent.
    private(set) var isOpen = true

    /// Statements sent whose outcome is not known.
    var inFlight: Int { expectations.count }

    /// Takes the ownership of a connected, idle `PGconn`.
    ///
    /// - Parameters:
    ///   - dispatch: how statements reach a session that has their settings.
    ///   - silenceLimit: for how long the server may owe a result without sending anything.
    ///   - slowStatements: receives how long each statement took.
    /// - Throws: ``PostgresError`` of the kind `.connection`; the `PGconn` is closed then.
    init(
        adopting pg: OpaquePointer, dispatch: StatementDispatch, loop: EventLoop, statistics: PostgresStatistics,
        cancels: CancelQueue,
        availability: DatabaseAvailability, silenceLimit: Duration, slowStatements: SlowStatementLog,
        onClose: @escaping (PostgresError) -> Void
    ) throws(PostgresError) {
        self.pg = pg
        self.dispatch = dispatch
        self.loop = loop
        self.statistics = statistics
        self.cancels = cancels
        self.availability = availability
        self.silenceLimit = silenceLimit
        address = SessionAddress(of: pg)
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

    func assertCurrent() { loop.assertCurrent() }

    /// Called before the batch that commits is sent.
    func beginCommit() {
        loop.assertCurrent()
        assert(!isCommitting, "two commits in flight")
        isCommitting = true
        isCommitConfirmed = true
    }

    /// A `SyncRepWaitForLSN` that is cancelled warns, and the commit then succeeds as any other (PostgreSQL manual,
    /// "Synchronous Replication").
    fileprivate func take(notice: OpaquePointer) {
        guard let function = PQresultErrorField(notice, Int32(Character("R").asciiValue ?? 0)) else { return }
        if String(cString: function) == "SyncRepWaitForLSN" { isCommitConfirmed = false }
    }

    /// Whether the session is as it was at the beginning: no transaction, nothing in flight, and able to write.
    var isIdle: Bool {
        isOpen && !isReadOnly && expectations.isEmpty && PQtransactionStatus(pg) == PQTRANS_IDLE
    }

    // MARK: Ending

    /// Fails what has waited too long.
    func expire(at now: MonotonicTime) {
        loop.assertCurrent()
        guard isOpen, !expectations.isEmpty else { return }
        let silence = now - lastProgress
        if silence > silenceLimit {
            return close(PostgresError(kind: .connection, message: "the server owes a result and is silent"))
        }
        if silence > DatabaseAvailability.suspicion { availability.suspect(at: now) }
        var giveUp = false
        for expectation in expectations {
            switch expectation {
            case .statement(let receiver, _, _, _), .sync(let receiver?):
                if receiver.expired(at: now) { giveUp = true }
            case .settings, .preparation, .sync(nil):
                break
            }
        }
        if giveUp {
            cancels.cancel(pg)
            close(PostgresError(kind: .timeout, message: "the deadline has passed"))
        }
    }

    /// Ends a session whose connection libpq has found to be lost.
    func closeBroken() {
        if isOpen { close(PostgresError(connection: pg)) }
    }

    /// Ends the session; the receivers of all outcomes that are owed are informed. A second call does nothing.
    func close(_ reason: PostgresError) {
        loop.assertCurrent()
        guard isOpen else { return }
        isOpen = false
        loop.unwatch(descriptor, handler: self)
        PQfinish(pg)
        let lost = expectations
        expectations = []
        // First the pool, so that a read that is sent again goes to another connection.
        onClose(reason)
        // What did not end counts as slow, too.
        for case .statement(let receiver, let statement, _, let sent) in lost {
            slowStatements.executed(statement.name, loop.now - sent, for: receiver)
        }
        slowStatements.synchronized()
        for expectation in lost {
            switch expectation {
            case .statement(let receiver, _, _, _), .sync(let receiver?): receiver.lost(reason)
            case .settings, .preparation, .sync(nil): break
            }
        }
    }
}

/// libpq's `PQnoticeReceiver`.
private func noticed(_ context: UnsafeMutableRawPointer?, _ notice: OpaquePointer?) {
    guard let context, let notice else { return }
    Unmanaged<PostgresConnection>.fromOpaque(context).takeUnretainedValue().take(notice: notice)
}
