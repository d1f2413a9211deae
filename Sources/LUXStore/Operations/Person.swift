/// A person whose data are copied or erased: an account or a child, by its id. An immutable value.
package enum Person: Hashable, Sendable, CustomStringConvertible {
    case user(Int64)
    case child(Int64)

    package var id: Int64 {
        switch self {
        case .user(let id), .child(let id): id
        }
    }

    /// The word for it in commands and records.
    package var kind: String {
        switch self {
        case .user: "user"
        case .child: "child"
        }
    }

    package var description: String { "\(kind) \(id)" }

    /// As an access record names it.
    package var subject: AccessSubject {
        switch self {
        case .user(let id): AccessSubject(description, userID: id)
        case .child(let id): AccessSubject(description, childID: id)
        }
    }
}
