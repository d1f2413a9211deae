import Bytes
import LUX

/// The text of a message as far as it can be known afterwards: the template, user and time are fixed, what came from the children or
/// devices is any text, as they may have changed since.
struct TextPattern: Sendable {
    /// Texts in order, with any text between two of them.
    private var parts: [String] = [""]

    /// - Parameters:
    ///   - template: the approved text with its `#{variables}`.
    ///   - variables: their values.
    init(_ template: String, _ variables: TemplateVariables, for message: SoughtMessage) {
        var rest = template[...]
        while let open = rest.firstRange(of: "#{") {
            parts[parts.count - 1] += rest[..<open.lowerBound]
            guard let close = rest[open.upperBound...].firstIndex(of: "}"),
                let value = variables.patterns[String(rest[open.upperBound..<close])]
            else {
                parts[parts.count - 1] += "#{"
                rest = rest[open.upperBound...]
                continue
            }
            append(value, variables.wallClock(message.time), message)
            rest = rest[rest.index(after: close)...]
        }
        parts[parts.count - 1] += rest
        parts = parts.map(Self.normalized)
    }

    /// Appends the value of a variable, in which every placeholder but user and time is any text.
    private mutating func append(_ value: String, _ time: String, _ message: SoughtMessage) {
        var rest = value[...]
        while let open = rest.firstIndex(of: "{") {
            parts[parts.count - 1] += rest[..<open]
            guard let close = rest[open...].firstIndex(of: "}") else {
                rest = rest[open...]
                break
            }
            switch rest[rest.index(after: open)..<close] {
            case "user_id": parts[parts.count - 1] += String(message.userID)
            case "time": parts[parts.count - 1] += time
            default: parts.append("")
            }
            rest = rest[rest.index(after: close)...]
        }
        parts[parts.count - 1] += rest
    }

    /// Providers change line breaks and trim.
    private static func normalized(_ text: String) -> String {
        text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    }

    /// Whether a text that a provider lists can be the message's.
    func matches(_ text: String) -> Bool {
        let text = Self.normalized(text).trimmingWhitespace()
        guard parts.count > 1 else { return text == parts[0].trimmingWhitespace() }
        guard text.hasPrefix(String(parts[0].drop { $0.isWhitespace })) else { return false }
        var rest = text.dropFirst(parts[0].drop { $0.isWhitespace }.count)
        for part in parts[1..<(parts.count - 1)] where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        var last = parts[parts.count - 1]
        while last.last?.isWhitespace == true { last.removeLast() }
        return rest.hasSuffix(last)
    }
}
