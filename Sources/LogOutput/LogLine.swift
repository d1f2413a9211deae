import Bytes
import Logging

/// One line of the log as bytes: time, level, message, then fields in the order in which they are added.
///
/// No value can end the line or steer a terminal: control characters, those of U+0080 to U+009F among them, are escaped in JSON
/// and blanked in text.
package struct LogLine {
    /// Messages up to so many characters do not move the column after them.
    private static let messageWidth = 12

    /// The line so far.
    private(set) var bytes: [UInt8] = []
    private let style: LogStyle

    init(_ style: LogStyle, _ time: LogTime, _ level: Logger.Level, _ message: String) {
        self.style = style
        bytes.reserveCapacity(384)
        switch style {
        case .json:
            append("{\"time\":\"")
            time.append(to: &bytes)
            append("\",\"level\":\"")
            append(level.rawValue)
            append("\",\"message\":")
            appendJSON(message)
        case .text(let colored):
            time.append(to: &bytes)
            append(" ")
            if colored { append("\u{1B}[\(level.color)m") }
            append(level.rawValue)
            if colored { append("\u{1B}[0m") }
            pad(8 - level.rawValue.utf8.count + 1)
            let start = bytes.count
            appendText(message)
            pad(Self.messageWidth - (bytes.count - start))
        }
    }

    /// Adds a text. The name is trusted: letters and `_` only.
    package mutating func field(_ name: String, _ value: String) {
        begin(name)
        guard case .text = style else { return appendJSON(value) }
        guard value.utf8.allSatisfy(Self.isPlain), !value.isEmpty else {
            append("\"")
            appendText(value, escapesQuotes: true)
            return append("\"")
        }
        append(value)
    }

    /// Adds a whole number.
    package mutating func field(_ name: String, _ value: Int64) {
        begin(name)
        bytes.append(decimal: value)
    }

    /// Adds a Boolean field.
    package mutating func field(_ name: String, _ value: Bool) {
        begin(name)
        append(value ? "true" : "false")
    }

    /// Adds a number of milliseconds with three decimals; it may not be negative.
    package mutating func field(_ name: String, milliseconds: Double) {
        begin(name)
        let microseconds = Int64(exactly: (max(0, milliseconds) * 1_000).rounded()) ?? .max
        bytes.append(decimal: microseconds / 1_000)
        append(".")
        bytes.append(decimal: microseconds % 1_000, width: 3)
    }

    /// Ends the line.
    mutating func end() -> [UInt8] {
        append(isJSON ? "}\n" : "\n")
        return bytes
    }

    private var isJSON: Bool { if case .json = style { true } else { false } }

    private mutating func begin(_ name: String) {
        append(isJSON ? ",\"" : " ")
        append(name)
        append(isJSON ? "\":" : "=")
    }

    private mutating func pad(_ count: Int) {
        for _ in 0..<max(0, count) { append(" ") }
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// Whether a value with this byte needs no quotation marks in text.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "=")
            && byte != UInt8(ascii: "\\")
    }

    private mutating func appendJSON(_ text: String) {
        append("\"")
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            append(text)
        } else {
            for scalar in text.unicodeScalars {
                switch scalar {
                case "\"", "\\":
                    append("\\")
                    append(String(scalar))
                case _ where Self.isControl(scalar):
                    append("\\u00")
                    bytes.append(hexadecimal: UInt8(truncatingIfNeeded: scalar.value))
                default: append(String(scalar))
                }
            }
        }
        append("\"")
    }

    private mutating func appendText(_ text: String, escapesQuotes: Bool = false) {
        for scalar in text.unicodeScalars {
            if escapesQuotes, scalar == "\"" || scalar == "\\" { append("\\") }
            append(Self.isControl(scalar) ? " " : String(scalar))
        }
    }

    /// General category Cc: C0, DEL and C1.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }
}

extension Logger.Level {
    /// A parameter of SGR (ECMA-48 section 8.3.117).
    fileprivate var color: Int {
        switch self {
        case .trace, .debug: 90
        case .info: 32
        case .notice: 36
        case .warning: 33
        case .error: 31
        case .critical: 35
        }
    }
}
