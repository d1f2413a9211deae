import Glibc
import LUXStore
import Postgres

/// Who runs a command, and where. An immutable value.
package struct Actor: Sendable {
    package let name: String
    package let host: String

    package init(name: String, host: String = Actor.machine) {
        self.name = name
        self.host = host
    }

    /// The name of this machine as gethostname(2) returns it; no name server is asked.
    package static var machine: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The access records of a session, in this actor's name.
    package func records(_ session: PostgresSession) -> AccessRecords {
        AccessRecords(session: session, operatorName: name, host: host)
    }
}
