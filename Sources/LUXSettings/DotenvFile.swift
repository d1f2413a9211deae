/// Reads a file of variables as systemd reads an `EnvironmentFile=` (systemd.exec(5)), so that one file serves both.
///
/// Empty lines and lines that begin with `#` or `;` are ignored. An unquoted value ends at the end of the line, without the
/// white space at its end; `#` and quotation marks inside it are part of it, and a backslash takes the next character as it
/// is or continues the line. Single quotes take everything as it is; in double quotes a backslash escapes `"`, `\`,
/// `` ` `` and `$`. Quoted values may span lines. The last of several assignments counts. No variables are expanded.
package enum DotenvFile {
    /// A variable and where it was assigned.
    package struct Entry: Equatable {
        package var name: String
        package var value: String
        package var line: Int
    }

    /// A line that assigns nothing. Never quotes it: it may contain a secret.
    package struct SyntaxError: Error, Equatable {
        package var line: Int
        package var reason: String
    }

    /// The variables of a file in order.
    package static func entries(_ text: String) throws(SyntaxError) -> [Entry] {
        var parser = Parser()
        for scalar in text.unicodeScalars { try parser.take(scalar) }
        return try parser.finish()
    }

    private struct Parser {
        private enum State {
            case beforeName, name, beforeValue, value, escape, singleQuoted, doubleQuoted, quotedEscape, comment
        }

        private var state = State.beforeName
        private var entries: [Entry] = []
        private var name = ""
        private var value = String.UnicodeScalarView()
        /// How much of `value` a trailing space must not shorten.
        private var kept = 0
        private var line = 1
        private var firstLine = 1

        mutating func take(_ scalar: Unicode.Scalar) throws(SyntaxError) {
            defer { if scalar == "\n" { line += 1 } }
            let isEnd = scalar == "\n" || scalar == "\r"
            switch state {
            case .beforeName:
                if scalar == "#" || scalar == ";" { return state = .comment }
                if scalar.properties.isWhitespace { return }
                (state, firstLine, name) = (.name, line, String(scalar))
            case .name:
                if isEnd { throw SyntaxError(line: firstLine, reason: "is not NAME=value") }
                if scalar == "=" { return state = .beforeValue }
                name.unicodeScalars.append(scalar)
            case .beforeValue:
                switch scalar {
                case "\n", "\r": try assign()
                case "'": state = .singleQuoted
                case "\"": state = .doubleQuoted
                case "\\": state = .escape
                default: if !scalar.properties.isWhitespace { append(scalar, in: .value) }
                }
            case .value:
                if isEnd { return try assign() }
                if scalar == "\\" { return state = .escape }
                append(scalar, in: .value)
            case .escape:
                // A backslash at the end of a line continues it; CR LF is one end.
                if scalar == "\r" { return }
                if scalar == "\n" { return state = .value }
                append(scalar, in: .value)
                kept = value.count
            case .singleQuoted:
                if scalar == "'" { return state = .beforeValue }
                append(scalar, in: .singleQuoted)
            case .doubleQuoted:
                if scalar == "\"" { return state = .beforeValue }
                if scalar == "\\" { return state = .quotedEscape }
                append(scalar, in: .doubleQuoted)
            case .quotedEscape:
                if scalar == "\n" { return state = .doubleQuoted }
                if !"\"\\`$".unicodeScalars.contains(scalar) { value.append("\\") }
                append(scalar, in: .doubleQuoted)
            case .comment:
                if scalar == "\n" { state = .beforeName }
            }
        }

        mutating func finish() throws(SyntaxError) -> [Entry] {
            switch state {
            case .beforeName, .comment: break
            case .name: throw SyntaxError(line: firstLine, reason: "is not NAME=value")
            case .singleQuoted, .doubleQuoted, .quotedEscape:
                throw SyntaxError(line: firstLine, reason: "\(name): a quotation mark that is not closed")
            case .beforeValue, .value, .escape: try assign()
            }
            return entries
        }

        private mutating func append(_ scalar: Unicode.Scalar, in next: State) {
            value.append(scalar)
            if next != .value || !scalar.properties.isWhitespace { kept = value.count }
            state = next
        }

        private mutating func assign() throws(SyntaxError) {
            let trimmed = name.unicodeScalars.reversed().drop { $0.properties.isWhitespace }.reversed()
            name = String(String.UnicodeScalarView(trimmed))
            guard let first = name.unicodeScalars.first, !("0"..."9").contains(first),
                name.unicodeScalars.allSatisfy({
                    $0.isASCII && ($0 == "_" || $0.properties.isAlphabetic || ("0"..."9").contains($0))
                })
            else { throw SyntaxError(line: firstLine, reason: "is not NAME=value") }
            entries.removeAll { $0.name == name }
            entries.append(
                Entry(name: name, value: String(String.UnicodeScalarView(value.prefix(kept))), line: firstLine))
            (state, value, kept) = (.beforeName, String.UnicodeScalarView(), 0)
        }
    }
}
