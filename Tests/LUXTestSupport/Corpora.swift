import Foundation

/// Public collections of hostile texts, for extra runs where they are found: in the folder `LUX_TEST_CORPORA`, else in a folder
/// `corpora` beside the package or one of its parents.
package enum Corpora {
    package enum Name: String, Sendable {
        case jsonTestSuite = "jsontestsuite.json"
        case naughtyStrings = "blns.json"
    }

    package static func has(_ name: Name) -> Bool { folder(containing: name.rawValue) != nil }

    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    /// The texts of nst/JSONTestSuite by name: `y_` must be taken, `n_` must be rejected, `i_` is left open.
    package static func jsonTestSuite() throws -> [String: [UInt8]] {
        struct File: Decodable { var cases: [String: Data] }
        return try load(Name.jsonTestSuite.rawValue, as: File.self).cases.mapValues { Array($0) }
    }

    /// The big list of naughty strings.
    package static func naughtyStrings() throws -> [String] {
        struct File: Decodable { var strings: [String] }
        return try load(Name.naughtyStrings.rawValue, as: File.self).strings
    }

    private static func load<File: Decodable>(_ name: String, as type: File.Type) throws -> File {
        guard let folder = folder(containing: name) else {
            throw Missing(description: "no folder with \(name): set LUX_TEST_CORPORA to the one that contains it")
        }
        return try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
    }

    private static func folder(containing name: String) -> String? {
        if let path = ProcessInfo.processInfo.environment["LUX_TEST_CORPORA"] {
            return FileManager.default.fileExists(atPath: path + "/" + name) ? path : nil
        }
        var parent = URL(fileURLWithPath: Locations.package)
        while parent.path != "/" {
            parent = parent.deletingLastPathComponent()
            let siblings = (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
            for sibling in [""] + siblings.sorted() {
                let path = parent.appendingPathComponent(sibling).appendingPathComponent("corpora").path
                if FileManager.default.fileExists(atPath: path + "/" + name) { return path }
            }
        }
        return nil
    }
}
