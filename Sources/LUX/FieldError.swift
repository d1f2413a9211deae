/// A parameter, or a member of a body, with an invalid value. An immutable value.
package struct FieldError: Error, Equatable {
    /// Its name, with the path to it in a body.
    package var field: String
    /// What it must be.
    package var message: String

    package init(field: String, message: String) {
        self.field = field
        self.message = message
    }

    /// The text that the client reads.
    package var detail: String { "\(field): \(message)" }
}
