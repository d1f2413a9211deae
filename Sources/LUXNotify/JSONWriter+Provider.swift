import JSON

extension JSONWriter {
    /// Writes a member that is an array.
    mutating func array(_ name: StaticString, _ elements: (inout JSONWriter) -> Void) {
        member(
            name,
            raw: { bytes in
                var inner = JSONWriter()
                inner.array(elements)
                bytes.append(contentsOf: inner.bytes)
            })
    }

    /// Writes a member that is `true` or `false`.
    mutating func member(_ name: StaticString, _ value: Bool) {
        member(name, raw: { $0.append(contentsOf: (value ? "true" : "false").utf8) })
    }

    /// Writes a member that is an object of strings with names that are not known when the program is built.
    mutating func strings(_ name: StaticString, _ members: [(name: String, value: String)]) {
        member(
            name,
            raw: { bytes in
                bytes.append(UInt8(ascii: "{"))
                for (index, member) in members.enumerated() {
                    if index > 0 { bytes.append(UInt8(ascii: ",")) }
                    Self.append(string: member.name, to: &bytes)
                    bytes.append(UInt8(ascii: ":"))
                    Self.append(string: member.value, to: &bytes)
                }
                bytes.append(UInt8(ascii: "}"))
            })
    }
}
