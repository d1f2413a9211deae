/// A column that a provisioning file may have. An immutable value.
package struct ProvisioningColumn: Equatable {
    /// What its fields are.
    package enum Content: Equatable {
        /// A code that apps send.
        case code
        case text, phoneNumber, timestamp
        case integer(atLeast: Int64)
    }

    package var name: String
    package var content = Content.text
    /// SQL for the value of an empty field where that is not NULL.
    package var otherwise: String?
    package var isRequired = false
    /// The table whose rows it refers to.
    package var references: String?

    /// Its type in the staging table. Times stay text there, so that a bad one is found with its line.
    package var stagingType: String { if case .integer = content { "bigint" } else { "text" } }

    /// Its value as the table wants it; SQL over the staging table `s`.
    package var value: String {
        let value = content == .timestamp ? "s.\(name)::timestamptz" : "s.\(name)"
        return otherwise.map { "coalesce(\(value), \($0))" } ?? value
    }
}
