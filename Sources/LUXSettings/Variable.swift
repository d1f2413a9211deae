/// One environment variable of the program: a row of ``SettingsTable``. A value without state.
///
/// Whatever needs to know about a variable reads it here: the reader, `config check`, docs/configuration.md and the tests.
package struct Variable<Value: Sendable>: Sendable, DescribedVariable {
    package let description: VariableDescription
    /// Parses its text.
    package let parser: VariableParser<Value>
    /// The value where the variable is unset or cannot be parsed.
    package let defaultValue: Value

    /// A variable with a default.
    ///
    /// - Parameter defaultText: describes a default that depends on the machine or on other variables.
    init(
        _ name: String, _ parser: VariableParser<Value>, default value: Value, as defaultText: String? = nil,
        oldName: String? = nil, _ help: String
    ) {
        let text = parser.text(value)
        description = VariableDescription(
            name: name, defaultText: defaultText ?? text, defaultIsValue: defaultText == nil && !text.isEmpty,
            values: parser.values, oldName: oldName, help: help)
        self.parser = parser
        defaultValue = value
    }

    /// A variable that may be unset.
    init<Parsed>(
        _ name: String, _ parser: VariableParser<Parsed>, otherwise defaultText: String = "unset",
        isSecret: Bool = false, hasFile: Bool = false, _ help: String
    ) where Value == Parsed? {
        description = VariableDescription(
            name: name, defaultText: defaultText, values: parser.values, isSecret: isSecret, hasFile: hasFile,
            help: help)
        self.parser = parser.optional
        defaultValue = nil
    }

    /// A variable that has to be set.
    ///
    /// - Parameter requirement: what the error calls the missing value.
    init(
        _ name: String, _ parser: VariableParser<Value>, required requirement: String, placeholder: Value,
        isSecret: Bool, hasFile: Bool, _ help: String
    ) {
        description = VariableDescription(
            name: name, defaultText: "required", values: parser.values, isSecret: isSecret, hasFile: hasFile,
            requirement: requirement, help: help)
        self.parser = parser
        defaultValue = placeholder
    }
}

/// What is known about a variable apart from the type of its value.
package struct VariableDescription: Sendable {
    package var name: String
    /// The default as text: a value, or words such as `unset`.
    package var defaultText: String
    /// Whether ``defaultText`` is a text that the parser accepts.
    package var defaultIsValue = false
    /// Which texts are accepted, with their unit; empty for any text.
    package var values: String
    /// Whether its value is never printed.
    package var isSecret = false
    /// Whether a file named by `NAME_FILE` is read in its place when the program starts.
    package var hasFile = false
    /// A former name, still read where the current one is unset.
    package var oldName: String?
    /// Names the value in the error about its absence; `nil` where it may be absent.
    package var requirement: String?
    /// One or two sentences for operators, in Markdown.
    package var help: String

    /// The variables of the environment that set it, without former names.
    package var names: [String] { hasFile ? [name, name + "_FILE"] : [name] }
}

/// A part of ``SettingsTable`` that describes one variable.
package protocol DescribedVariable {
    var description: VariableDescription { get }
}
