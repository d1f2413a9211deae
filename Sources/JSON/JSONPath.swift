/// The way to a value inside a text, for messages: `log_arrays[3].detail_data.battery`.
package enum JSONPath {
    private enum Step {
        case name(JSONString)
        case index(Int)
    }

    /// Longer names are cut.
    private static let nameLength = 64

    /// The path of the number that begins at an offset; `nil` when none does.
    package static func ofNumber(at offset: Int, in bytes: [UInt8]) -> String? {
        var path: String?
        _ = try? JSONReader.read(bytes) { (reader) throws(JSONError) in
            var steps: [Step] = []
            try find(offset, &reader, &steps, &path)
        }
        return path
    }

    private static func find(
        _ offset: Int, _ reader: inout JSONReader, _ steps: inout [Step], _ path: inout String?
    ) throws(JSONError) {
        switch try reader.kind() {
        case .object:
            try reader.object { (name, reader) throws(JSONError) in
                steps.append(.name(name))
                try find(offset, &reader, &steps, &path)
                steps.removeLast()
            }
        case .array:
            var index = 0
            try reader.array { (reader) throws(JSONError) in
                steps.append(.index(index))
                try find(offset, &reader, &steps, &path)
                steps.removeLast()
                index += 1
            }
        default:
            if reader.offset == offset { path = text(steps) }
            try reader.skipValue()
        }
    }

    private static func text(_ steps: [Step]) -> String {
        steps.reduce(into: "") { text, step in
            switch step {
            case .index(let index): text += "[\(index)]"
            case .name(let name):
                if !text.isEmpty { text += "." }
                let name = name.value
                text += name.unicodeScalars.count > nameLength ? "\(name.unicodeScalars.prefix(nameLength))…" : name
            }
        }
    }
}
