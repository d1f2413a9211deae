/// A parameter or a member of a body that is not what it must be.
struct FieldError: Error, Equatable {
    /// Its name, with the path to it in a body.
    var field: String
    /// What it must be.
    var message: String

    /// The text that the client reads.
    var detail: String { "\(field): \(message)" }
}
