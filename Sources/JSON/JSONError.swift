/// Why bytes are not a JSON text that `JSONReader` accepts.
package struct JSONError: Error, Equatable, Sendable {
    /// The classes of error.
    package enum Kind: Sendable, Equatable {
        /// Not the grammar of RFC 8259, or not valid UTF-8.
        case syntax
        /// More nested arrays and objects than allowed.
        case tooDeep
    }

    /// The class of the error.
    package var kind: Kind
    /// Where in the bytes, counted from 0.
    package var offset: Int

    package init(kind: Kind, offset: Int) {
        self.kind = kind
        self.offset = offset
    }
}
