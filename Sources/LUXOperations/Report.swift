import JSON

/// What a command found or did: a table for people, an object for programs. A value without state.
package struct Report {
    package enum Value {
        case text(String?)
        case number(Int64?)
        /// A list that may be long: the table shows the first ones.
        case list([String])
        /// Rows in words for the table, and as JSON.
        case rows([(text: String, json: String)])
    }

    package struct Entry {
        package let name: String
        package let value: Value
    }

    /// How many elements of a list the table shows.
    private static let shown = 10

    package private(set) var entries: [Entry] = []

    package init() {}

    package mutating func add(_ name: String, _ value: Value) {
        entries.append(Entry(name: name, value: value))
    }

    package mutating func add(_ name: String, _ number: Int) {
        add(name, .number(Int64(number)))
    }

    /// One line for each entry, the values below each other.
    package var table: String {
        let rows = entries.flatMap { entry in Self.lines(entry.value).map { (entry.name, $0) } }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { name, value in
            name + String(repeating: " ", count: width - name.count) + "  " + value
        }.joined(separator: "\n")
    }

    private static func lines(_ value: Value) -> [String] {
        switch value {
        case .text(let text): return [text ?? "none"]
        case .number(let number): return [number.map { String($0) } ?? "none"]
        case .rows(let rows): return rows.isEmpty ? ["none"] : rows.map(\.text)
        case .list(let items):
            guard !items.isEmpty else { return ["none"] }
            let rest = items.count > shown ? ", and \(items.count - shown) more" : ""
            return [items.prefix(shown).joined(separator: ", ") + rest]
        }
    }

    /// One object, without line ends.
    package var json: String {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for (index, entry) in entries.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONWriter.append(string: entry.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            Self.append(entry.value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(_ value: Value, to bytes: inout [UInt8]) {
        switch value {
        case .text(let text?): JSONWriter.append(string: text, to: &bytes)
        case .number(let number?): bytes.append(contentsOf: String(number).utf8)
        case .text(nil), .number(nil): bytes.append(contentsOf: "null".utf8)
        case .list(let items):
            append(
                items.map { item in
                    var text: [UInt8] = []
                    JSONWriter.append(string: item, to: &text)
                    return text
                }, to: &bytes)
        case .rows(let rows): append(rows.map { Array($0.json.utf8) }, to: &bytes)
        }
    }

    private static func append(_ elements: [[UInt8]], to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "["))
        bytes.append(contentsOf: elements.joined(separator: [UInt8(ascii: ",")]))
        bytes.append(UInt8(ascii: "]"))
    }
}
