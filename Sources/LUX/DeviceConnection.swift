/// Whether two texts are the same to the database: the same bytes. Swift's own comparison takes canonically equivalent ones
/// for equal.
func isSameText(_ one: String, _ other: String) -> Bool {
    one.utf8.elementsEqual(other.utf8)
}

/// What is stored of a device when the question is whose it is.
package struct StoredDevice: Sendable, Equatable {
    /// Its id.
    package var id: Int64
    /// The child that it is connected to.
    package var realUserID: Int64?
    /// The serial code, once recorded.
    package var serialCode: String?
    /// The MAC address or its end, once recorded.
    package var macID: String?

    package init(id: Int64, realUserID: Int64?, serialCode: String?, macID: String?) {
        self.id = id
        self.realUserID = realUserID
        self.serialCode = serialCode
        self.macID = macID
    }

    /// Whether the device may be connected to a child by somebody who read these off it.
    ///
    /// - Returns: `true` to connect it, `false` when it is connected to this very child already.
    /// - Throws: `.notFoundDevice` when another serial code or MAC address is recorded, `.alreadyConnectedDevice` when it
    ///   is connected to another child.
    package func canConnect(childID: Int64, serialCode: String, macID: String) throws(LUXError) -> Bool {
        if let recorded = self.serialCode, !isSameText(recorded, serialCode) { throw .notFoundDevice }
        if let recorded = self.macID, !MACAddress.isSameDevice(recorded, macID) { throw .notFoundDevice }
        guard let realUserID else { return true }
        guard realUserID == childID else { throw .alreadyConnectedDevice }
        return false
    }
}
