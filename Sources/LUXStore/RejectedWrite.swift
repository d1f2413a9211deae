import LUX
import Postgres

/// A log that the database rejects: a constraint, a trigger, a missing right or column. An error of the installation, which the
/// operator has to repair; the description, for the log, has SQLSTATE and statement.
package struct RejectedWrite: Error, CustomStringConvertible {
    /// `.updateDeviceLogFailed` or `.createDeviceLogFailed`.
    package let error: LUXError
    private let cause: PostgresError

    /// `nil` for an error that is none, such as a lost connection.
    init?(_ error: any Error) {
        guard let cause = error as? PostgresError, cause.kind == .server, !cause.isUnavailable,
            let error = DeviceStore.rejection(ofStatement: cause.statement)
        else { return nil }
        self.error = error
        self.cause = cause
    }

    package var description: String { "\(error.detail): \(cause)" }
}
