/// Reads a file of variables, one `NAME=value` a line, as systemd's `EnvironmentFile` and Docker's `--env-file` have them.
///
/// Empty lines and lines that begin with `#` count for nothing; `export` may stand before a name. A value in single quotes is
/// taken as it is; in double quotes `\n`, `\"`, `\\` and `\$` are escapes; without quotes it ends at white space and `#`. No
/// variables are put in: a password with a dollar sign stays what it is.
package enum DotenvFile {
    /// A variable and where it stands.
    package struct Entry: Equatable {
        package var name: String
        package var value: String
        package var line: Int
    }

    /// A line that is none of these. Never quotes it: it may hold a secret.
    package struct Fault: Error, Equatable {
        package var line: Int
        package var reason: String
    }

    /// The variables of a file in their order.
    package static func entries(_ text: String) throws(Fault) -> [Entry] {
        var entries: [Entry] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            guard let entry = try entry(line, number: index + 1) else { continue }
            if let first = entries.first(where: { $0.name == entry.name }) {
                throw Fault(line: entry.line, reason: "\(entry.name) stands on line \(first.line) already")
            }
            entries.append(entry)
        }
        return entries
    }

    private static func entry(_ line: Substring, number: Int) throws(Fault) -> Entry? {
        var rest = line.drop(while: \.isWhitespace)
        if rest.isEmpty || rest.first == "#" { return nil }
        if rest.hasPrefix("export ") { rest = rest.dropFirst(7).drop(while: \.isWhitespace) }
        let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        guard !name.isEmpty, name.first?.isNumber == false, rest.dropFirst(name.count).first == "=" else {
            throw Fault(line: number, reason: "is not NAME=value")
        }
        rest = rest.dropFirst(name.count + 1)
        do throws(ValueFault) {
            return Entry(name: String(name), value: try value(rest), line: number)
        } catch {
            throw Fault(line: number, reason: "\(name): \(error.reason)")
        }
    }

    private struct ValueFault: Error {
        package var reason: String
    }

    private static func value(_ text: Substring) throws(ValueFault) -> String {
        guard let quote = text.first, quote == "'" || quote == "\"" else {
            var value = text.prefix { !$0.isWhitespace }
            // A "#" inside a word belongs to it: passwords have them.
            if value.first == "#" { value = "" }
            try checkEnd(text.dropFirst(value.count))
            return String(value)
        }
        var value = ""
        var rest = text.dropFirst()
        while let character = rest.popFirst() {
            if character == quote {
                try checkEnd(rest)
                return value
            }
            guard character == "\\", quote == "\"" else {
                value.append(character)
                continue
            }
            switch rest.popFirst() {
            case "n": value.append("\n")
            case let escaped? where "\"\\$".contains(escaped): value.append(escaped)
            default: throw ValueFault(reason: "a backslash before something else than n, \", \\ or $")
            }
        }
        throw ValueFault(reason: "a quotation mark that is not closed")
    }

    private static func checkEnd(_ rest: Substring) throws(ValueFault) {
        let left = rest.drop(while: \.isWhitespace)
        guard left.isEmpty || left.first == "#" else {
            throw ValueFault(reason: "something behind the value; one with white space stands in quotes")
        }
    }
}
