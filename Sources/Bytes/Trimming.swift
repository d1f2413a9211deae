extension BidirectionalCollection {
    /// What is left without the elements at both ends that satisfy `predicate`.
    package func trimming(while predicate: (Element) -> Bool) -> SubSequence {
        let rest = drop(while: predicate)
        return rest[..<(rest.lastIndex { !predicate($0) }.map { rest.index(after: $0) } ?? rest.startIndex)]
    }
}

extension StringProtocol {
    /// The text without white space at its ends, line ends included.
    package func trimmingWhitespace() -> String { String(trimming { $0.isWhitespace }) }
}
