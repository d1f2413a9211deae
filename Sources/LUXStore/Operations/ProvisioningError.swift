/// An error in a provisioning file, or a warning about it, by line and column. An immutable value.
package struct ProvisioningError: Error, Equatable, CustomStringConvertible {
    package let line: Int
    package let column: String?
    package let reason: String

    package init(line: Int, column: String? = nil, reason: String) {
        self.line = line
        self.column = column
        self.reason = reason
    }

    package var description: String {
        "line \(line)" + (column.map { ", column \($0)" } ?? "") + ": \(reason)"
    }
}

/// The errors of a file, as far as they are reported. An immutable value.
package struct ProvisioningErrors: Error, Equatable {
    /// More would not be read.
    package static let limit = 100

    /// In the order of the lines, at most ``limit``.
    package let errors: [ProvisioningError]
    /// Whether there are more.
    package let isCut: Bool

    package init(_ errors: [ProvisioningError]) {
        let sorted = errors.sorted { ($0.line, $0.column ?? "") < ($1.line, $1.column ?? "") }
        self.errors = Array(sorted.prefix(Self.limit))
        isCut = sorted.count > Self.limit
    }
}
