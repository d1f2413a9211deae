import LUX
import TimeZones

/// The template's variables by name, with what their values contain for a message.
package struct TemplateVariables: Sendable, Equatable {
    /// Kakao accepts no longer text.
    package static let longestText = 1_000

    /// Values by bare name (`name`, not `#{name}`), with placeholders such as `{child}` in them.
    package let patterns: [String: String]
    private let clock: WallClock

    /// - Parameters:
    ///   - patterns: names as `name` or `#{name}`.
    ///   - clock: that of `{time}`.
    package init(patterns: [String: String], clock: WallClock) {
        self.patterns = Dictionary(
            patterns.map { (Self.bareName($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
        self.clock = clock
    }

    private static func bareName(_ name: String) -> String {
        name.hasPrefix("#{") && name.hasSuffix("}") ? String(name.dropFirst(2).dropLast()) : name
    }

    private typealias Placeholder = (name: String, value: @Sendable (AlimtalkMessage, WallClock) -> String)

    private static let placeholders: [Placeholder] = [
        ("{child}", { notification, _ in notification.child }),
        ("{device}", { notification, _ in notification.device }),
        ("{children}", { notification, _ in notification.children.joined(separator: ", ") }),
        ("{time}", { notification, clock in minutes(of: notification.time, on: clock) }),
        ("{user_id}", { notification, _ in String(notification.userID) }),
    ]

    // MARK: Values

    /// The values for one message.
    func values(for notification: AlimtalkMessage) -> [(name: String, value: String)] {
        patterns.sorted { $0.key < $1.key }.map { name, pattern in (name, filled(pattern, notification)) }
    }

    /// `2025-02-21 15:48`
    func wallClock(_ time: Timestamp) -> String { minutes(of: time, on: clock) }

    /// One pass, so that a child whose name looks like a placeholder changes nothing.
    private func filled(_ pattern: String, _ notification: AlimtalkMessage) -> String {
        var rest = pattern[...]
        var text = ""
        while let open = rest.firstIndex(of: "{") {
            text += rest[..<open]
            rest = rest[open...]
            if let known = Self.placeholders.first(where: { rest.hasPrefix($0.name) }) {
                text += known.value(notification, clock)
                rest = rest.dropFirst(known.name.count)
            } else {
                text.append("{")
                rest = rest.dropFirst()
            }
        }
        return text + rest
    }

    /// A text with each `#{name}` in it replaced, and not one character else changed.
    func rendered(_ text: String, for notification: AlimtalkMessage) -> String {
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

    // MARK: Checks

    /// Why no message can be sent with these variables; `nil` when it can. An unknown placeholder would be sent literally.
    package var error: String? {
        for (name, pattern) in patterns.sorted(by: { $0.key < $1.key }) {
            if pattern.utf8.contains(UInt8(ascii: "\r")) { return "\(name) must not contain CR, only LF" }
            for part in pattern.split(separator: "{", omittingEmptySubsequences: false).dropFirst() {
                guard let end = part.firstIndex(of: "}") else { return "\(name) has a { without its }" }
                let used = "{\(part[..<end])}"
                guard Self.placeholders.contains(where: { $0.name == used }) else {
                    let known = Self.placeholders.map(\.name).joined(separator: ", ")
                    return "\(name) has the unknown placeholder \(used); known are \(known)"
                }
            }
        }
        return nil
    }

    /// Why a text cannot be that of an approved template; `nil` when it can.
    static func error(inText text: String) -> String? {
        if text.utf8.contains(UInt8(ascii: "\r")) {
            return "must not contain CR: lines end with LF, as in the approved template"
        }
        if text.utf16.count > longestText {
            return "has \(text.utf16.count) characters; a template has at most \(longestText)"
        }
        let parts = text.split(separator: "#{", omittingEmptySubsequences: false).dropFirst()
        return parts.allSatisfy { $0.contains("}") } ? nil : "has a #{ without its }"
    }

    /// The names that a text uses as `#{name}`.
    static func names(in text: String) -> [String] {
        text.split(separator: "#{", omittingEmptySubsequences: false).dropFirst().compactMap { part in
            part.firstIndex(of: "}").map { String(part[..<$0]) }
        }
    }
}

/// `2025-02-21 15:48`, as a clock shows it.
func minutes(of time: Timestamp, on clock: WallClock) -> String {
    let shifted = time.adding(seconds: clock.offset(at: time.microseconds / 1_000_000))
    var bytes: [UInt8] = []
    shifted.appendISO8601(to: &bytes)
    return String(decoding: bytes.prefix(16), as: UTF8.self).replacing("T", with: " ")
}
