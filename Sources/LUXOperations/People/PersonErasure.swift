import LUXStore
import Postgres

/// Erases a person: first the logs, then its data in messages and audit rows, last its row. Owned by its command and used on its
/// thread.
///
/// Each batch is a transaction, so that nobody waits, and adds to the count of the access record. After an interruption the same
/// command continues.
package struct PersonErasure {
    /// Why a person is not erased.
    package enum Rejection: Error, Equatable, CustomStringConvertible {
        case unknown(Person)
        case connected(Person, devices: [String])
        /// While it was erased.
        case changed(Person)

        package var description: String {
            switch self {
            case .unknown(let person): "there is no \(person)"
            case .connected(let person, let devices):
                "\(person) has connected devices (\(devices.joined(separator: ", "))): disconnect them first, or add --disconnect"
            case .changed(let person):
                "a device was connected or a child was added while \(person) was erased: run the command again"
            }
        }
    }

    private let store: PersonStore
    private let support: SupportStore
    private let access: AccessRecords
    private let actor: Actor

    package init(session: PostgresSession, actor: Actor) {
        store = PersonStore(session: session)
        support = SupportStore(session: session)
        access = actor.records(session)
        self.actor = actor
    }

    /// Erases a person.
    ///
    /// - Parameter disconnecting: whether connected devices are disconnected, as un-connect does.
    /// - Throws: ``Rejection``, `AccessRecords.Rejection`, `PostgresError`.
    package func erase(_ person: Person, disconnecting: Bool) throws -> Report {
        guard try store.exists(person) else { throw Rejection.unknown(person) }
        let children = try store.children(of: person)
        // Refers to nobody, as no row may at the end; the text is the proof of what was done.
        let record = try store.session.transaction {
            let devices = try children.flatMap { try support.lockDevices(ofChild: $0) }
            guard disconnecting || devices.isEmpty else {
                throw Rejection.connected(person, devices: devices.map(\.uniqueID))
            }
            for device in devices {
                try support.disconnect(device)
                _ = try support.record("disconnect", of: device, by: actor.name, detail: "{}")
            }
            return try access.begin("\(person.kind) erase", AccessSubject("\(person)"))
        }
        var report = Report()
        report.add("erased", .text("\(person)"))
        report.add("logs", try children.reduce(0) { try $0 + eraseLogs(ofChild: $1, record) })
        if case .user(let id) = person {
            report.add("children", children.count)
            report.add(
                "messages",
                try batches(record) { () throws(PostgresError) in
                    try store.anonymizeMessages(ofUser: id)
                })
        }
        report.add(
            "support_actions",
            try children.reduce(0) { sum, child in
                try sum
                    + batches(record) { () throws(PostgresError) in try store.anonymizeSupportActions(ofChild: child) }
            })
        let people = Set(children.map { Person.child($0) } + [person]).sorted { "\($0)" < "\($1)" }
        report.add(
            "access_records",
            try people.reduce(0) { sum, person in
                try sum + batches(record) { () throws(PostgresError) in try store.anonymizeAccessRecords(of: person) }
            })
        try delete(person, children, record)
        try access.finish(record)
        return report
    }

    private func eraseLogs(ofChild child: Int64, _ record: Int64) throws -> Int {
        try batches(record) { () throws(PostgresError) in try store.deleteLogs(ofChild: child) }
    }

    /// Executes a statement, each time in a transaction of its own, until it has fewer rows than a batch.
    ///
    /// - Returns: how many rows there were.
    private func batches(_ record: Int64, _ body: () throws(PostgresError) -> Int) throws -> Int {
        var sum = 0
        while true {
            let count = try store.session.transaction {
                let count = try body()
                if count > 0 { try access.add(count, to: record) }
                return count
            }
            sum += count
            if count < PersonStore.batch { return sum }
        }
    }

    /// The database rejects it when a device was connected, a child was added or a log was stored meanwhile.
    private func delete(_ person: Person, _ children: [Int64], _ record: Int64) throws {
        do {
            try store.session.transaction {
                for child in children {
                    try store.lock(child: child)
                    // Logs of an upload that was in flight when its device was disconnected.
                    while try store.deleteLogs(ofChild: child) == PersonStore.batch {}
                    try store.delete(.child(child))
                }
                if case .user(let id) = person {
                    // Messages that were requested meanwhile; from here on there is none.
                    try store.lock(user: id)
                    while try store.anonymizeMessages(ofUser: id) == PersonStore.batch {}
                    try store.delete(person)
                }
                try access.add(Set(children.map { Person.child($0) } + [person]).count, to: record)
            }
        } catch let error as PostgresError where error.sqlState == "23503" {
            throw Rejection.changed(person)
        }
    }
}
