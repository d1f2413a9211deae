import LUXStore
import Postgres

/// The result of closing the row of a message by hand: `lux-server alimtalk settle`.
package struct MessageSettlement: CustomStringConvertible {
    /// Whether the row was closed.
    package let isDone: Bool
    /// The result for the operator.
    package let description: String

    /// Closes a row and leaves an access record, both in one transaction.
    ///
    /// - Parameters:
    ///   - status: `sent` or `failed`.
    ///   - longestCall: seconds for which a pending message may be in flight.
    /// - Throws: `AccessRecords.Rejection`, `PostgresError`.
    package static func settle(
        id: Int64, status: String, actor: Actor, longestCall: Int, session: PostgresSession
    ) throws -> MessageSettlement {
        try session.transaction {
            let result = try OpenMessages(session: session).settleByHand(
                id: id, status: status, operator: actor.name, longestCall: longestCall)
            switch result {
            case .done(let userID):
                let records = actor.records(session)
                let subject = AccessSubject("message \(id)", userID: userID)
                try records.finish(records.begin("alimtalk settle", subject, count: 1))
                return MessageSettlement(isDone: true, description: "\(id) \(status), settled by \(actor.name)")
            case .missing: return MessageSettlement(isDone: false, description: "there is no message \(id)")
            case .settled(let status):
                return MessageSettlement(isDone: false, description: "\(id) is \(status) already")
            case .inFlight:
                return MessageSettlement(isDone: false, description: "\(id) may be in flight; try again later")
            }
        }
    }
}
