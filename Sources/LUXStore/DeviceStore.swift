import Concurrency
import EventLoop
import LUX
import Postgres

/// What LUX keeps in PostgreSQL, as one request sees it.
///
/// A value for each request: the loop's connections and the time by which the request has to be answered.
package struct DeviceStore: Sendable {
    let pool: PostgresPool
    /// By when the database must have answered.
    package let deadline: MonotonicTime

    /// The store of one request.
    package init(pool: PostgresPool, deadline: MonotonicTime) {
        self.pool = pool
        self.deadline = deadline
    }

    func read(_ query: PostgresQuery) async throws(PostgresError) -> PostgresResult {
        try await pool.read(query, deadline: deadline)
    }

    /// Runs a transaction; until the deadline it is retried when a row is locked for longer than the session's `lock_timeout`,
    /// so that those who wait for a lock do not use up the connections.
    func transaction<T>(_ body: (PostgresTransaction) async throws -> T) async throws -> T {
        while true {
            do {
                return try await pool.transaction(deadline: deadline, body)
            } catch let error as PostgresError where error.isLockNotAvailable && .now() < deadline {
                try await Task.sleep(for: .milliseconds(Int.random(in: 10...50)))
            }
        }
    }
}

extension Device {
    /// The eleven columns in the order in which ``init(row:from:)`` reads them. Each query spells them out, since SQL is
    /// never put together at run time:
    /// `d.id, d.real_user_id, d.project_id, d.hardware_id, d.now_firmware_id, d.unique_id, d.serial_code, d.device_alias,
    /// d.mac_id, d.created_at, d.last_log_file_id`
    init(row: PostgresRow, from first: Int = 0) throws(PostgresError) {
        self.init(
            id: try row.int8(first),
            realUserID: try row.int8OrNull(first + 1),
            projectID: try row.int8OrNull(first + 2),
            hardwareID: try row.int8OrNull(first + 3),
            nowFirmwareID: try row.int8OrNull(first + 4),
            uniqueID: try row.text(first + 5),
            serialCode: try row.textOrNull(first + 6),
            deviceAlias: try row.textOrNull(first + 7),
            macID: try row.textOrNull(first + 8),
            createdAt: Timestamp(microseconds: try row.timestamptz(first + 9)),
            lastLogFileID: try row.int8(first + 10))
    }
}
