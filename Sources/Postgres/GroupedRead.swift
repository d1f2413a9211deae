import Concurrency
import EventLoop

/// Calls of one ``GroupableRead``, in flight as one statement. Confined to the pool's loop.
final class GroupedRead: OutcomeReceiver {
    private let reads: [PipelinedRead]
    /// Called once, when the statement has ended or is lost.
    private let onEnd: () -> Void

    /// - Parameter reads: at least one.
    init(_ reads: [PipelinedRead], onEnd: @escaping () -> Void) {
        self.reads = reads
        self.onEnd = onEnd
    }

    var caller: String? { reads.first?.caller }

    /// The statement to send; a single call uses `one`.
    func query(_ read: GroupableRead) -> PostgresQuery {
        if reads.count == 1 { return reads[0].query }
        let columns = reads[0].query.parameters.indices
        return PostgresQuery(
            statement: read.many,
            parameters: columns.map { column in PostgresParameter(array: reads.map { $0.query.parameters[column] }) })
    }

    func received(_ outcome: StatementOutcome) {
        onEnd()
        if reads.count == 1 { return reads[0].received(outcome) }
        switch outcome {
        case .result(let result):
            distribute(result)
        case .failure(let error) where error.isUnavailable && !error.requiresPreparation:
            // Not caused by the parameters of one call, so each would fail.
            for read in reads { read.received(outcome) }
        case .failure(let error), .aborted(let error):
            // Each alone, so that only the call that caused the error fails.
            for read in reads { read.retry(or: error) }
        }
    }

    private func distribute(_ result: PostgresResult) {
        let ordinal = result.columnCount - 1
        var row = 0
        do throws(PostgresError) {
            for (index, read) in reads.enumerated() {
                let start = row
                while row < result.count, try result.row(row).int8(ordinal) == Int64(index + 1) { row += 1 }
                read.received(result, rows: start..<row)
            }
            guard row == result.count else {
                throw PostgresError(kind: .protocolViolation, message: "the rows of a grouped read are out of order")
            }
        } catch {
            for read in reads { read.received(.failure(error)) }
        }
    }

    func synchronized() {}

    func lost(_ error: PostgresError) {
        onEnd()
        for read in reads { read.lost(error) }
    }

    func expired(at now: MonotonicTime) -> Bool {
        for read in reads { _ = read.expired(at: now) }
        return false
    }
}
