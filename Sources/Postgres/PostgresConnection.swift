import CLibPQ
import DequeModule
import Dispatch
import EventLoop

/// What became of one statement of a pipeline.
enum StatementOutcome {
    case result(PostgresResult)
    case failure(PostgresError)
    /// Not executed, because an earlier statement of the same batch failed: `cause`.
    case aborted(cause: PostgresError)
}

/// Whoever sent a statement and waits for what becomes of it. All calls come on the connection's loop.
protocol OutcomeReceiver: AnyObject {
    /// One statement ended.
    func received(_ outcome: StatementOutcome)
    /// All statements up to the Sync sent for this receiver ended (libpq manual, "Pipeline Mode").
    func synchronized()
    /// The connection was lost; nothing more will come.
    func lost(_ error: PostgresError)
    /// Called at each tick. `true` when the connection must be given up for it.
    func expired(at now: MonotonicTime) -> Bool
}

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
        case statement(any OutcomeReceiver, name: String)
        case sync((any OutcomeReceiver)?)
    }

    private let pg: OpaquePointer
    private let descriptor: Int32
    private let loop: EventLoop
    private let onClose: (PostgresError) -> Void
    private var expectations: Deque<Expectation> = []
    private var prepared: Set<String> = []
    private var current: StatementOutcome?
    private var batchError: PostgresError?
    private var needsSync = false
    private var watchesWritable = false
    private var encoder = ParameterEncoder()

    /// Whether statements may be sent.
    private(set) var isOpen = true

    /// Statements sent whose outcome is not known.
    var inFlight: Int { expectations.count }

    /// Takes the ownership of a connected, idle `PGconn`.
    init(
        adopting pg: OpaquePointer, loop: EventLoop, onClose: @escaping (PostgresError) -> Void
    ) throws(PostgresError) {
        self.pg = pg
        self.loop = loop
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
    }

    /// Whether the session is as it was at the beginning: no transaction, nothing under way.
    var isIdle: Bool {
        isOpen && expectations.isEmpty && PQtransactionStatus(pg) == PQTRANS_IDLE
    }

    // MARK: Sending

    /// Sends a statement, preparing it first where it is new to this session. The next Sync makes its outcome known.
    func send(_ query: PostgresQuery, for receiver: any OutcomeReceiver) {
        loop.assertCurrent()
        guard isOpen else {
            receiver.lost(PostgresError(kind: .connection, message: "the connection is closed"))
            return
        }
        let name = query.statement.name
        if prepared.insert(name).inserted {
            let types = query.parameters.map { Oid($0.typeOID) }
            guard PQsendPrepare(pg, name, query.statement.sql, Int32(types.count), types) == 1 else {
                receiver.lost(PostgresError(connection: pg))
                return close(PostgresError(connection: pg))
            }
            expectations.append(.preparation(name: name))
        }
        let sent = encoder.withEncoded(query.parameters) { count, values, lengths, formats in
            PQsendQueryPrepared(pg, name, count, values, lengths, formats, 1)
        }
        guard sent == 1 else {
            receiver.lost(PostgresError(connection: pg))
            return close(PostgresError(connection: pg))
        }
        expectations.append(.statement(receiver, name: name))
        needsSync = true
    }

    /// Ends a batch for its receiver and sends all of it.
    func synchronize(for receiver: any OutcomeReceiver) {
        guard isOpen else { return }
        needsSync = false
        guard PQpipelineSync(pg) == 1 else { return close(PostgresError(connection: pg)) }
        expectations.append(.sync(receiver))
        flush()
    }

    /// Ends what this turn sent with one Sync, and finds out whether the connection still lives.
    func endTurn() {
        guard isOpen else { return }
        if needsSync {
            needsSync = false
            guard PQpipelineSync(pg) == 1 else { return close(PostgresError(connection: pg)) }
            expectations.append(.sync(nil))
            flush()
        }
        if PQstatus(pg) == CONNECTION_BAD { close(PostgresError(connection: pg)) }
    }

    private func flush() {
        let state = PQflush(pg)
        guard state >= 0 else { return close(PostgresError(connection: pg)) }
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
            return close(PostgresError(connection: pg))
        }
        deliver()
        if isOpen, watchesWritable { flush() }
        if isOpen, PQstatus(pg) == CONNECTION_BAD { close(PostgresError(connection: pg)) }
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
            if batchError == nil { batchError = error }
            current = .failure(error)
        }
    }

    private var nameOfCurrentStatement: String? {
        switch expectations.first {
        case .preparation(let name), .statement(_, let name): name
        case .sync, nil: nil
        }
    }

    private func finishStatement(_ outcome: StatementOutcome) {
        switch expectations.first {
        case .preparation(let name):
            expectations.removeFirst()
            if case .result = outcome { return }
            prepared.remove(name)
        case .statement(let receiver, _):
            expectations.removeFirst()
            receiver.received(outcome)
        case .sync, nil:
            // The server's last word when it ends a session between two statements; it stays unknown to whoever waits
            // for the Sync whether a commit took place.
            if case .failure(var error) = outcome {
                error.kind = .connection
                return close(error)
            }
            close(PostgresError(kind: .connection, message: "a result that nothing asked for"))
        }
    }

    private func finishBatch() {
        batchError = nil
        guard case .sync(let receiver)? = expectations.first else {
            return close(PostgresError(kind: .connection, message: "a Sync that nothing asked for"))
        }
        expectations.removeFirst()
        receiver?.synchronized()
    }

    // MARK: Ending

    /// Gives up what has waited for too long.
    func expire(at now: MonotonicTime) {
        guard isOpen else { return }
        var giveUp = false
        for expectation in expectations {
            switch expectation {
            case .statement(let receiver, _), .sync(let receiver?):
                if receiver.expired(at: now) { giveUp = true }
            case .preparation, .sync(nil):
                break
            }
        }
        if giveUp {
            cancel()
            close(PostgresError(kind: .timeout, message: "the deadline has passed"))
        }
    }

    /// Asks the server to stop what it does for this session. `PQcancel` opens a connection and blocks, hence the queue.
    private func cancel() {
        guard let cancel = PQgetCancel(pg) else { return }
        let request = CancelRequest(pointer: cancel)
        DispatchQueue.global().async { request.send() }
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
        for expectation in lost {
            switch expectation {
            case .statement(let receiver, _), .sync(let receiver?): receiver.lost(reason)
            case .preparation, .sync(nil): break
            }
        }
    }
}

/// A `PGcancel` on its way to another thread.
///
/// `@unchecked Sendable`: libpq documents `PQcancel` as safe from any thread; the object is used once and freed there.
private struct CancelRequest: @unchecked Sendable {
    let pointer: OpaquePointer

    func send() {
        var message = [CChar](repeating: 0, count: 256)
        PQcancel(pointer, &message, Int32(message.count))
        PQfreeCancel(pointer)
    }
}
