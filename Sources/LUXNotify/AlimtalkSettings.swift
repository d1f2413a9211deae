import Bytes

/// The values that a provider is configured with: its own, and what is common to all. It names no environment variable; who creates it
/// does. A value.
package struct AlimtalkSettings {
    /// A setting with an error.
    package enum Setting: Equatable, Sendable {
        /// One of the provider's own, by its name.
        case own(String)
        /// The variables of the template.
        case templateVariables
    }

    package struct SettingError: Equatable, Sendable {
        package var setting: Setting
        /// The error in words; never contains a value that may be secret.
        package var reason: String
    }

    /// What goes into the template's variables.
    package let variables: TemplateVariables
    /// The sender of a text message instead, when the parent has no KakaoTalk; `nil` for none.
    package let smsSender: String?
    /// All errors so far.
    package private(set) var errors: [SettingError] = []
    private let own: [ProviderVariable]
    private let values: [String: String]

    /// The settings of a provider.
    ///
    /// - Parameter values: those of its ``AlimtalkProvider/variables`` that are set, by name.
    package init(
        _ provider: any AlimtalkProvider.Type, values: [String: String], variables: TemplateVariables,
        smsSender: String?
    ) {
        own = provider.variables
        self.values = values
        self.variables = variables
        self.smsSender = smsSender
    }

    /// Records an error.
    package mutating func reject(_ setting: Setting, _ reason: String) {
        errors.append(SettingError(setting: setting, reason: reason))
    }

    /// A variable that may be unset. What is set must fit on one line of a header.
    package mutating func optional(_ name: String) -> String? {
        guard let text = values[name], !text.isEmpty else { return nil }
        if !text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) {
            reject(.own(name), "must not contain control characters")
        }
        return text
    }

    /// A variable that has to be set.
    package mutating func required(_ name: String) -> String {
        if let text = optional(name) { return text }
        rejectMissing(name)
        return ""
    }

    private mutating func rejectMissing(_ name: String) {
        let variable = own.first { $0.name == name }
        assert(variable != nil, "the provider does not declare \(name)")
        reject(.own(name), "is required" + (variable.map { ": " + $0.what } ?? ""))
    }

    /// The text of the approved template, in several lines; `\n` is a line break, too, for environments that cannot contain one.
    package mutating func requiredText(_ name: String) -> String {
        guard let value = values[name], !value.isEmpty else {
            rejectMissing(name)
            return ""
        }
        let text = value.replacing("\\n", with: "\n")
        if let reason = TemplateVariables.error(inText: text) { reject(.own(name), reason) }
        for used in TemplateVariables.names(in: text) where variables.patterns[used] == nil {
            reject(.templateVariables, "has no \(used), which the text of the template uses")
        }
        return text
    }

    /// A variable that becomes part of a path, so that no character of it needs an escape: signatures cover paths as sent.
    package mutating func requiredPathPart(_ name: String) -> String {
        let text = required(name)
        let isPlain = text.utf8.allSatisfy { $0.isAlphanumeric || "-_.:~".utf8.contains($0) }
        if !isPlain { reject(.own(name), "must consist of letters, digits and - _ . : ~") }
        return text
    }
}
