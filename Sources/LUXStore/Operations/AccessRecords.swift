import Postgres

/// The data that an access record is about. An immutable value.
package struct AccessSubject: Sendable {
    /// Names it without a person's name: `child 7`, `device unit-1`, `logs`.
    package let text: String
    package let userID: Int64?
    package let childID: Int64?
    package let deviceID: Int64?

    package init(_ text: String, userID: Int64? = nil, childID: Int64? = nil, deviceID: Int64? = nil) {
        self.text = text
        self.userID = userID
        self.childID = childID
        self.deviceID = deviceID
    }
}

/// Writes `access_records`: who accessed which data from the command line. Owned by one command and used on its thread.
///
/// A record is written before the data are accessed, and its count grows with what was done, so that a command which is
/// interrupted leaves one too.
package struct AccessRecords {
    /// The reason why no record can be written; nothing may be accessed then.
    package enum Rejection: Error, Equatable, CustomStringConvertible {
        case notMigrated, readOnly

        package var description: String {
            switch self {
            case .notMigrated: "the database has no table access_records; run lux-server migrate"
            case .readOnly: "the database is read-only, and each access to personal data has to leave a record"
            }
        }
    }

    private let session: PostgresSession
    /// Who acts, and on which machine.
    private let operatorName: String
    private let host: String

    package init(session: PostgresSession, operatorName: String, host: String) {
        self.session = session
        self.operatorName = operatorName
        self.host = host
    }

    /// Writes a record.
    ///
    /// - Returns: its id.
    /// - Throws: ``Rejection``, `PostgresError`.
    package func begin(_ action: String, _ subject: AccessSubject, count: Int = 0) throws -> Int64 {
        do throws(PostgresError) {
            let rows = try session.query(
                """
                insert into access_records (operator, host, action, subject, user_id, child_id, device_id, count)
                values ($1, $2, $3, $4, $5, $6, $7, $8) returning id
                """,
                [
                    operatorName, host, action, subject.text, subject.userID.map { String($0) },
                    subject.childID.map { String($0) }, subject.deviceID.map { String($0) }, String(count),
                ])
            return rows.first?.first?.flatMap { Int64($0) } ?? 0
        } catch {
            switch error.sqlState {
            case "42P01": throw Rejection.notMigrated
            case "25006": throw Rejection.readOnly
            default: throw error
            }
        }
    }

    /// Adds to the count of a record.
    ///
    /// - Throws: `PostgresError`.
    package func add(_ count: Int, to record: Int64) throws(PostgresError) {
        try session.query(
            "update access_records set count = count + $2 where id = $1", [String(record), String(count)])
    }

    /// Marks a record as finished.
    ///
    /// - Throws: `PostgresError`.
    package func finish(_ record: Int64) throws(PostgresError) {
        try session.query("update access_records set finished_at = now() where id = $1", [String(record)])
    }
}
