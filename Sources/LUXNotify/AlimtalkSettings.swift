import Foundation
import LUX

/// What a provider reads at the start: its own variables, and what is common to all.
package struct AlimtalkSettings {
    /// A variable that is wrong, and why.
    package struct Fault: Equatable, Sendable {
        /// Its whole name.
        package var variable: String
        /// Why; never holds a value that may be secret.
        package var reason: String
    }

    /// What goes into the template's variables.
    package let variables: TemplateVariables
    /// The sender of a text message instead, when the parent has no KakaoTalk; `nil` for none.
    package let smsSender: String?
    /// All that is wrong so far.
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

    /// Notes that something is wrong with a variable.
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

    /// A text of several lines. `\n` stands for a line break too, for environments that can hold none.
    package mutating func requiredText(_ name: String, _ what: String) -> String {
        if let text = environment[variable(name)], !text.isEmpty { return text.replacing("\\n", with: "\n") }
        fault(variable(name), "is required: \(what)")
        return ""
    }

    /// A variable that becomes part of a path, so that no character of it needs an escape: signatures cover paths as sent.
    package mutating func requiredPathPart(_ name: String, _ what: String) -> String {
        let text = required(name, what)
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: ":"), UInt8(ascii: "~"):
                true
            default: false
            }
        }
        if !isPlain { fault(variable(name), "must consist of letters, digits and - _ . : ~") }
        return text
    }
}

/// The template's variables by name, and how their values are made for a message.
package struct TemplateVariables: Sendable, Equatable {
    /// Values by bare name (`name`, not `#{name}`), with `{user_id}`, `{children}` and `{time}` still in them.
    package let patterns: [String: String]
    private let timeZone: TimeZone

    /// Variables whose times are told in a zone.
    ///
    /// - Parameter patterns: names as `name` or `#{name}`.
    package init(patterns: [String: String], timeZone: TimeZone) {
        self.patterns = Dictionary(
            patterns.map { (Self.bareName($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
        self.timeZone = timeZone
    }

    private static func bareName(_ name: String) -> String {
        name.hasPrefix("#{") && name.hasSuffix("}") ? String(name.dropFirst(2).dropLast()) : name
    }

    /// The values for one message.
    func values(for notification: Notification) -> [(name: String, value: String)] {
        patterns.sorted { $0.key < $1.key }.map { name, pattern in (name, filled(pattern, notification)) }
    }

    /// One pass, so that a child whose name looks like a placeholder changes nothing.
    private func filled(_ pattern: String, _ notification: Notification) -> String {
        var rest = pattern[...]
        var text = ""
        while let open = rest.firstIndex(of: "{") {
            text += rest[..<open]
            rest = rest[open...]
            let known: [(String, () -> String)] = [
                ("{user_id}", { String(notification.userID) }),
                ("{children}", { notification.children.joined(separator: ", ") }),
                ("{time}", { wallClock(notification.time) }),
            ]
            if let (name, value) = known.first(where: { rest.hasPrefix($0.0) }) {
                text += value()
                rest = rest.dropFirst(name.count)
            } else {
                text.append("{")
                rest = rest.dropFirst()
            }
        }
        return text + rest
    }

    /// `2025-02-21 15:48`
    func wallClock(_ time: Timestamp) -> String {
        minutes(of: time, in: timeZone)
    }

    /// The names that a text uses as `#{name}`.
    static func names(in text: String) -> [String] {
        text.split(separator: "#{", omittingEmptySubsequences: false).dropFirst().compactMap { part in
            part.firstIndex(of: "}").map { String(part[..<$0]) }
        }
    }

    /// A text with each `#{name}` in it replaced, and not one character else changed.
    func rendered(_ text: String, for notification: Notification) -> String {
        let values = Dictionary(uniqueKeysWithValues: values(for: notification).map { ($0.name, $0.value) })
        let parts = text.split(separator: "#{", omittingEmptySubsequences: false)
        return String(parts[0])
            + parts.dropFirst().map { part in
                guard let end = part.firstIndex(of: "}"), let value = values[String(part[..<end])] else {
                    return "#{" + part
                }
                return value + part[part.index(after: end)...]
            }.joined()
    }
}

/// `2025-02-21 15:48`, as the clocks of a zone show it.
func minutes(of time: Timestamp, in zone: TimeZone) -> String {
    let shifted = time.adding(
        seconds: Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time.microseconds) / 1e6))))
    var bytes: [UInt8] = []
    shifted.appendISO8601(to: &bytes)
    return String(decoding: bytes.prefix(16), as: UTF8.self).replacing("T", with: " ")
}
