import Bytes

/// What a provider reads at the start: its own variables, and what is common to all.
package struct AlimtalkSettings {
    /// An error of a variable.
    package struct Fault: Equatable, Sendable {
        /// Its whole name.
        package var variable: String
        /// Why; never contains a value that may be secret.
        package var reason: String
    }

    /// What goes into the template's variables.
    package let variables: TemplateVariables
    /// The sender of a text message instead, when the parent has no KakaoTalk; `nil` for none.
    package let smsSender: String?
    /// All errors so far.
    package private(set) var faults: [Fault] = []
    private let provider: String
    private let environment: [String: String]

    /// The settings of the provider of that name.
    package init(provider: String, environment: [String: String], variables: TemplateVariables, smsSender: String?) {
        self.provider = provider
        self.environment = environment
        self.variables = variables
        self.smsSender = smsSender
    }

    /// The whole name of one of the provider's own variables.
    package func variable(_ name: String) -> String {
        "LUX_ALIMTALK_\(provider.uppercased())_\(name)"
    }

    /// Records an error of a variable.
    package mutating func fault(_ variable: String, _ reason: String) {
        faults.append(Fault(variable: variable, reason: reason))
    }

    /// A variable that may be unset. What is set must fit on one line of a header.
    package mutating func optional(_ name: String) -> String? {
        guard let text = environment[variable(name)], !text.isEmpty else { return nil }
        if !text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) {
            fault(variable(name), "must not contain control characters")
        }
        return text
    }

    /// A variable that has to be set.
    package mutating func required(_ name: String, _ what: String) -> String {
        if let text = optional(name) { return text }
        fault(variable(name), "is required: \(what)")
        return ""
    }

    /// The text of the approved template, in several lines; `\n` is a line break, too, for environments that cannot contain one.
    package mutating func requiredText(_ name: String, _ what: String) -> String {
        guard let value = environment[variable(name)], !value.isEmpty else {
            fault(variable(name), "is required: \(what)")
            return ""
        }
        let text = value.replacing("\\n", with: "\n")
        if let reason = TemplateVariables.error(inText: text) { fault(variable(name), reason) }
        for used in TemplateVariables.names(in: text) where variables.patterns[used] == nil {
            fault("LUX_ALIMTALK_VARIABLES", "has no \(used), which \(variable(name)) uses")
        }
        return text
    }

    /// A variable that becomes part of a path, so that no character of it needs an escape: signatures cover paths as sent.
    package mutating func requiredPathPart(_ name: String, _ what: String) -> String {
        let text = required(name, what)
        let isPlain = text.utf8.allSatisfy { $0.isAlphanumeric || "-_.:~".utf8.contains($0) }
        if !isPlain { fault(variable(name), "must consist of letters, digits and - _ . : ~") }
        return text
    }
}
