import LUXStore
import Postgres

/// The result of closing the row of a message by hand: `lux-server alimtalk settle`.
package struct MessageSettlement: CustomStringConvertible {
    /// Whether the row was closed.
    package let isDone: Bool
    /// The result for the operator.
    package let description: String

    /// Closes a row.
    ///
    /// - Parameters:
    ///   - status: `sent` or `failed`.
    ///   - longestCall: seconds for which a pending message may be in flight.
    /// - Throws: `PostgresError`.
    package static func settle(
        id: Int64, status: String, operator name: String, longestCall: Int, session: PostgresSession
    ) throws(PostgresError) -> MessageSettlement {
        let result = try OpenMessages(session: session).settleByHand(
            id: id, status: status, operator: name, longestCall: longestCall)
        return switch result {
        case .done: MessageSettlement(isDone: true, description: "\(id) \(status), settled by \(name)")
        case .missing: MessageSettlement(isDone: false, description: "there is no message \(id)")
        case .settled(let status): MessageSettlement(isDone: false, description: "\(id) is \(status) already")
        case .inFlight: MessageSettlement(isDone: false, description: "\(id) may be in flight; try again later")
        }
    }
}
