/// Why bytes are no JSON text that this reader takes.
public struct JSONError: Error, Equatable, Sendable {
    /// The classes of fault.
    public enum Kind: Sendable, Equatable {
        /// Not the grammar of RFC 8259, or not valid UTF-8.
        case syntax
        /// More nested arrays and objects than allowed.
        case tooDeep
    }

    /// The class of the fault.
    public var kind: Kind
    /// Where in the bytes, counted from 0.
    public var offset: Int

    /// Makes an error.
    public init(kind: Kind, offset: Int) {
        self.kind = kind
        self.offset = offset
    }
}
