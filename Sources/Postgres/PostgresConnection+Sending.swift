import CLibPQ
import Concurrency
import EventLoop

/// Sends statements and the Syncs that end batches.
extension PostgresConnection {
    /// Sends a statement, preparing it first where it is new to this session. Its outcome arrives with the next Sync.
    func send(_ query: PostgresQuery, for receiver: any OutcomeReceiver) {
        loop.assertCurrent()
        guard isOpen else {
            receiver.lost(PostgresError(kind: .connection, message: "the connection is closed"))
            return
        }
        if expectations.isEmpty { lastProgress = loop.now }
        let opensTransaction = dispatch.settings != nil && !needsSync && !isInTransaction
        // `begin` comes first, since it sets the isolation of the transaction.
        let begins = query.statement === PostgresTransaction.begin
        guard !opensTransaction || begins || sendSettings(), send(query, to: receiver),
            !opensTransaction || !begins || sendSettings()
        else { return fail(receiver) }
        needsSync = true
    }

    /// Whether the last batch has left a transaction open. Only batches of a transaction do, and nothing is in flight between them.
    private var isInTransaction: Bool {
        let status = PQtransactionStatus(pg)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR
    }

    /// Whether it could be sent.
    private func sendSettings() -> Bool {
        guard let settings = dispatch.settings else { return true }
        expectations.append(.settings)
        return PQsendQueryParams(pg, settings, 0, nil, nil, nil, nil, 1) == 1
    }

    /// Whether it could be sent.
    private func send(_ query: PostgresQuery, to receiver: any OutcomeReceiver) -> Bool {
        let statement = query.statement
        guard let preparation = dispatch.prepares ? preparation(of: query) : .unnamed else { return false }
        let sent = encoder.withEncoded(query.parameters) { count, values, lengths, formats in
            guard dispatch.prepares else {
                let types = query.parameters.map { Oid($0.typeOID) }
                return PQsendQueryParams(pg, statement.sql, count, types, values, lengths, formats, 1)
            }
            return PQsendQueryPrepared(pg, preparation.name, count, values, lengths, formats, 1)
        }
        guard sent == 1 else { return false }
        expectations.append(.statement(receiver, statement, preparation, sent: loop.now))
        return true
    }

    /// The statement's preparation, which is sent if there is none; `nil` when it cannot be sent.
    private func preparation(of query: PostgresQuery) -> Preparation? {
        let statement = query.statement
        while preparations.count <= statement.index { preparations.append(nil) }
        if let known = preparations[statement.index] { return known }
        preparationCount += 1
        // Another name each time: one that became useless still exists on the server.
        let preparation = Preparation(name: "\(statement.name).\(preparationCount)")
        let types = query.parameters.map { Oid($0.typeOID) }
        guard PQsendPrepare(pg, preparation.name, statement.sql, Int32(types.count), types) == 1 else { return nil }
        preparations[statement.index] = preparation
        expectations.append(.preparation(statement, preparation))
        return preparation
    }

    /// The next execution of the statement prepares it again.
    func forget(_ preparation: Preparation, of statement: PostgresStatement) {
        guard statement.index < preparations.count, preparations[statement.index] === preparation else { return }
        preparations[statement.index] = nil
    }

    /// The pool is informed first, so that a read that is sent again goes to another connection.
    private func fail(_ receiver: any OutcomeReceiver) {
        let reason = PostgresError(connection: pg)
        close(reason)
        receiver.lost(reason)
    }

    /// Ends a batch for its receiver and sends all of it.
    func synchronize(for receiver: any OutcomeReceiver) {
        loop.assertCurrent()
        guard isOpen else { return }
        needsSync = false
        guard PQpipelineSync(pg) == 1 else { return closeBroken() }
        expectations.append(.sync(receiver))
        flush()
    }

    /// Ends what was sent since the last Sync with a Sync.
    func endBatch() {
        loop.assertCurrent()
        guard isOpen, needsSync else { return }
        needsSync = false
        guard PQpipelineSync(pg) == 1 else { return closeBroken() }
        expectations.append(.sync(nil))
        flush()
    }

    /// Sends what this turn gathered, and finds out whether the connection is still open.
    func endTurn() {
        loop.assertCurrent()
        endBatch()
        if isOpen, PQstatus(pg) == CONNECTION_BAD { closeBroken() }
    }

    func flush() {
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
}
