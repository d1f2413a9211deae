import Bytes
import JSON

/// What providers' replies need of JSON values. Codes come as numbers here and as strings there, so both are read as text.
extension JSONValue {
    /// The values of an object, without their names.
    var values: [JSONValue]? { members?.map(\.value) }

    /// A string or a number as it is. It may contain anything, so it is compared and never part of a reason.
    var text: String? {
        switch self {
        case .number(let number): number.text
        case .string(let text): text
        default: nil
        }
    }

    /// A code or an id: a number or a string that can be neither a name nor a sentence. Providers may quote the phone number that they
    /// reject, and codes end up in rows and logs.
    var code: String? {
        guard let text, (1...100).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0.isAlphanumeric || "-_.:/".utf8.contains($0) })
        else { return nil }
        return text
    }
}
