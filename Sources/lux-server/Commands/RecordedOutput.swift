import LUXOperations
import LUXStore
import Postgres

/// Writes data to standard output between the beginning and the end of an access record. A namespace for its one function.
enum RecordedOutput {
    /// - Parameter body: writes the rows, counting each; what it wrote before an error is recorded too.
    /// - Returns: how many rows were written.
    /// - Throws: `ExitCode`; the error is reported on standard error.
    static func write(
        _ action: String, _ subject: AccessSubject, _ databaseURL: String, _ actor: Actor,
        _ body: (PostgresSession, inout Int, (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws -> Int {
        do {
            let output = StandardOutput()
            let session = try PostgresSession(connectionString: databaseURL)
            let records = actor.records(session)
            let record = try records.begin(action, subject)
            var count = 0
            do {
                try body(session, &count, output.write)
                try output.flush()
            } catch {
                try? records.add(count, to: record)
                throw error
            }
            try records.add(count, to: record)
            try records.finish(record)
            return count
        } catch {
            throw Environment.failure(error)
        }
    }
}
