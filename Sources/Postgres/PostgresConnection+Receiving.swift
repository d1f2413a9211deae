import CLibPQ
import Concurrency
import DequeModule
import EventLoop

/// Takes the results of statements in the order in which those were sent.
extension PostgresConnection {
    func ready(_ events: Readiness) {
        loop.assertCurrent()
        guard isOpen else { return }
        if events.contains(.writable) { flush() }
        guard isOpen else { return }
        guard PQconsumeInput(pg) == 1 else {
            deliver()
            return closeBroken()
        }
        lastProgress = loop.now
        availability.heard(at: loop.now)
        deliver()
        if isOpen, watchesWritable { flush() }
        if isOpen, PQstatus(pg) == CONNECTION_BAD { closeBroken() }
    }

    /// Delivers the results that have arrived. On a bad connection `PQgetResult` returns NULL forever, so a NULL that ends
    /// no statement ends the loop.
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
            // The server's last message. For the callers the connection is lost: a commit may have taken place.
            guard error.kind == .server else { return close(error) }
            if error.sqlState == "25006" { isReadOnly = true }
            if batchError == nil { batchError = error }
            current = .failure(error)
        }
    }

    private var nameOfCurrentStatement: String? {
        switch expectations.first {
        case .preparation(let statement, _), .statement(_, let statement, _, _): statement.name
        case .settings: "settings"
        case .sync, nil: nil
        }
    }

    private func finishStatement(_ outcome: StatementOutcome) {
        switch expectations.first {
        case .settings:
            // Where they could not be set, what follows in the batch is not executed.
            expectations.removeFirst()
        case .preparation(let statement, let preparation):
            expectations.removeFirst()
            if case .result = outcome { return }
            forget(preparation, of: statement)
            if case .failure(let error) = outcome { preparation.error = error }
        case .statement(let receiver, let statement, let preparation, let sent):
            expectations.removeFirst()
            let duration = loop.now - sent
            statistics.executed(statement, duration)
            slowStatements.executed(statement.name, duration, for: receiver)
            receiver.received(explained(outcome, of: statement, preparation))
        case .sync, nil:
            close(PostgresError(kind: .connection, message: "an unexpected result"))
        }
    }

    /// A statement that is missing because it could not be prepared failed for that reason; one that is missing or obsolete
    /// for any other reason is prepared again next time.
    private func explained(
        _ outcome: StatementOutcome, of statement: PostgresStatement, _ preparation: Preparation
    ) -> StatementOutcome {
        switch outcome {
        case .result:
            return outcome
        case .failure(let error):
            guard error.requiresPreparation else { return outcome }
            forget(preparation, of: statement)
        case .aborted:
            break
        }
        return preparation.error.map { .failure($0) } ?? outcome
    }

    private func finishBatch() {
        batchError = nil
        slowStatements.synchronized()
        guard case .sync(let receiver)? = expectations.first else {
            return close(PostgresError(kind: .connection, message: "an unexpected Sync"))
        }
        expectations.removeFirst()
        receiver?.synchronized()
        isCommitting = false
        let next = whenCommitted
        whenCommitted = nil
        next?()
    }
}
