import LUX
import LUXNotify
import LUXStore
import Postgres

/// Settles the messages of unknown outcome of one provider: `lux-server alimtalk reconcile`. Blocking; stays on the thread of its
/// session.
package struct Reconciliation {
    /// How a run ended.
    package enum End: Sendable, Equatable {
        /// With so many rows left open that a later run may not settle either, or that were not looked up.
        case done(left: Int)
        /// Another process is looking messages up.
        case busy
    }

    private let session: PostgresSession
    private let messages: OpenMessages
    private let access: AccessRecords
    private let provider: String
    private let lookUp: (SoughtMessage) -> ProviderNotifier.LookUp
    private let report: (String) -> Void

    /// - Parameters:
    ///   - actor: whose access record a run leaves, unless there is nothing to look up.
    ///   - provider: the name in the rows.
    ///   - lookUp: asks the provider, at its pace; blocks.
    ///   - report: called with each line for the operator.
    package init(
        session: PostgresSession, actor: Actor, provider: String,
        lookUp: @escaping (SoughtMessage) -> ProviderNotifier.LookUp, report: @escaping (String) -> Void
    ) {
        self.session = session
        messages = OpenMessages(session: session)
        access = actor.records(session)
        self.provider = provider
        self.lookUp = lookUp
        self.report = report
    }

    /// Looks up each row that is older than a number of seconds.
    ///
    /// - Throws: `AccessRecords.Rejection`, `PostgresError`.
    package func run(olderThan seconds: Int) throws -> End {
        guard try messages.acquire() else {
            report("another run is looking messages up")
            return .busy
        }
        let (rows, record) = try begin(olderThan: seconds)
        var (left, waiting) = (0, 0)
        loop: for (index, row) in rows.enumerated() {
            let message = SoughtMessage(
                userID: row.userID, phoneNumber: row.phoneNumber.flatMap { PhoneNumber($0) }, time: row.createdAt,
                reference: AlimtalkMessage.reference(row: row.id, created: row.createdAt),
                otherIDs: try messages.otherMessageIDs(of: row, provider: provider))
            if let record { try access.add(1, to: record) }
            switch lookUp(message) {
            case .settled(let outcome): try settle(row, outcome)
            case .waits(let reason):
                report("\(row.id) waits: \(reason)")
                waiting += 1
            case .open(let reason):
                report("\(row.id) left open: \(reason)")
                left += 1
            case .paused(let reason):
                report("\(row.id) left open: \(reason); \(rows.count - index - 1) more are not looked up")
                left += rows.count - index
                break loop
            }
        }
        if let record { try access.finish(record) }
        let forgotten = try messages.countForgotten(of: provider)
        if forgotten > 0 { report("\(forgotten) older than 30 days are not looked up") }
        if waiting > 0 { report("\(waiting) wait for the provider") }
        report(left == 0 ? "nothing is left open" : "\(left) left open")
        return .done(left: left)
    }

    /// Reads the rows, which contain numbers, and leaves an access record in the same transaction if there are any.
    private func begin(olderThan seconds: Int) throws -> (rows: [OpenMessages.Row], record: Int64?) {
        try session.transaction {
            let rows = try messages.rows(of: provider, olderThan: seconds)
            let subject = AccessSubject("messages of \(provider)")
            return (rows, rows.isEmpty ? nil : try access.begin("alimtalk reconcile", subject))
        }
    }

    private func settle(_ row: OpenMessages.Row, _ outcome: MessageOutcome) throws(PostgresError) {
        var messageID: String?
        if case .accepted(let id) = outcome { messageID = id }
        let isSettled = try messages.settle(
            id: row.id, status: outcome.auditStatus, messageID: messageID, error: outcome.reason)
        // The server, or an operator, may have been faster.
        if isSettled { report("\(row.id) \(outcome.auditStatus)" + (outcome.reason.map { ": \($0)" } ?? "")) }
    }
}
