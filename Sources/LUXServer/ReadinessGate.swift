import Concurrency
import LUXStore
import Postgres

/// Decides whether `/readyz` reports that requests can be served. Owned by the server, called on any thread.
package final class ReadinessGate: Sendable {
    private enum State {
        /// The schema is not verified yet. The value is what the server waits for.
        case closed(waitingFor: String)
        case open
        /// For good: the check of the schema may still be in flight.
        case stopping
    }

    private let gate = Locked(State.closed(waitingFor: "the database"))
    private let versions: [Int64]

    /// - Parameter migrations: those that the program knows.
    package init(migrations: [Migration]) {
        versions = migrations.map { Int64($0.version) }
    }

    /// Called once the schema is the one that the program knows.
    func open() {
        change(to: .open)
    }

    /// Called while the schema cannot be checked or migrated.
    ///
    /// - Parameter what: what the server waits for; public, so without secrets.
    func wait(for what: String) {
        change(to: .closed(waitingFor: what))
    }

    /// Called when the server is about to stop.
    package func close() {
        gate.withLock { $0 = .stopping }
    }

    private func change(to state: State) {
        gate.withLock {
            if case .stopping = $0 { return }
            $0 = state
        }
    }

    /// Checks that the database accepts writes, every known migration is applied, and any other is marked compatible.
    ///
    /// - Returns: what the server waits for; `nil` when it is ready.
    package func missing(_ pool: PostgresPool, deadline: MonotonicTime) async -> String? {
        switch gate.withLock({ $0 }) {
        case .closed(let what): return what
        case .stopping: return "nothing: the server is stopping"
        case .open: break
        }
        let deadline = min(deadline, .now() + .milliseconds(900))
        guard let state = await SchemaState.read(versions, pool, deadline: deadline) else { return "the database" }
        if state.isReadOnly { return "a database that accepts writes" }
        if state.applied != versions.count { return "migrations that are not applied" }
        return state.incompatible == 0
            ? nil : "an upgrade of this server: a newer migration is not compatible with it"
    }
}
