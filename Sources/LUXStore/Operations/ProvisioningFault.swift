/// An error in a provisioning file, by line and column. An immutable value.
package struct ProvisioningFault: Error, Equatable, CustomStringConvertible {
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
package struct ProvisioningFaults: Error, Equatable {
    /// More would not be read.
    package static let limit = 100

    /// In the order of the lines, at most ``limit``.
    package let faults: [ProvisioningFault]
    /// Whether there are more.
    package let isCut: Bool

    package init(_ faults: [ProvisioningFault]) {
        let sorted = faults.sorted { ($0.line, $0.column ?? "") < ($1.line, $1.column ?? "") }
        self.faults = Array(sorted.prefix(Self.limit))
        isCut = sorted.count > Self.limit
    }
}
