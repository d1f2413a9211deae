import Bytes

/// Writes JSON straight as bytes; what it writes is always a valid text as long as each member and element is one value.
package struct JSONWriter {
    /// What was written.
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// An empty text.
    package init(capacity: Int = 512) {
        bytes.reserveCapacity(capacity)
    }

    /// Writes an object as a value of its own or as an element.
    package mutating func object(_ members: (inout JSONWriter) -> Void) {
        bracketed(UInt8(ascii: "{"), UInt8(ascii: "}"), members)
    }

    /// Writes an array as a value of its own or as an element.
    package mutating func array(_ elements: (inout JSONWriter) -> Void) {
        bracketed(UInt8(ascii: "["), UInt8(ascii: "]"), elements)
    }

    private mutating func bracketed(_ open: UInt8, _ close: UInt8, _ content: (inout JSONWriter) -> Void) {
        comma()
        bytes.append(open)
        needsComma = false
        content(&self)
        bytes.append(close)
        needsComma = true
    }

    /// Writes a member that is a string or `null`.
    package mutating func member(_ name: StaticString, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    /// Writes a member that is an integer or `null`.
    package mutating func member(_ name: StaticString, _ value: Int64?) {
        key(name)
        if let value { integer(value) } else { null() }
    }

    /// Writes a member that is an object.
    package mutating func member(_ name: StaticString, _ members: (inout JSONWriter) -> Void) {
        key(name)
        needsComma = false
        object(members)
    }

    /// Writes a member that is an array.
    package mutating func arrayMember(_ name: StaticString, _ elements: (inout JSONWriter) -> Void) {
        key(name)
        needsComma = false
        array(elements)
    }

    /// Writes a member whose value `append` writes: one whole JSON value.
    package mutating func member(_ name: StaticString, raw append: (inout [UInt8]) -> Void) {
        key(name)
        append(&bytes)
        needsComma = true
    }

    private mutating func comma() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func key(_ name: StaticString) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func null() {
        bytes.append(contentsOf: [UInt8(ascii: "n"), UInt8(ascii: "u"), UInt8(ascii: "l"), UInt8(ascii: "l")])
        needsComma = true
    }

    private mutating func integer(_ value: Int64) {
        bytes.append(decimal: value)
        needsComma = true
    }

    private mutating func string(_ value: String) {
        Self.append(string: value, to: &bytes)
        needsComma = true
    }

    /// Appends a JSON string with its quotation marks and escapes (RFC 8259 section 7).
    package static func append(string value: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(hexadecimal: byte)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
