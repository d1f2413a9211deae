import Foundation
import Testing

/// The commands of docs/operations.md, which tests run as they are, but for paths and users.
enum OperationsPage {
    static func text() throws -> String { try DeploymentFile.text("docs/operations.md") }

    /// The blocks of shell commands.
    static func blocks() throws -> [String] {
        try text().matches(of: /(?m)^( *)```sh\n([\s\S]*?)^ *```$/).map { match in
            match.output.2.split(separator: "\n", omittingEmptySubsequences: false)
                .map { $0.hasPrefix(match.output.1) ? String($0.dropFirst(match.output.1.count)) : String($0) }
                .joined(separator: "\n")
        }
    }

    /// The one block that contains a text.
    static func block(containing text: String) throws -> String {
        let found = try blocks().filter { $0.contains(text) }
        try #require(found.count == 1, "\(text): \(found.count) blocks")
        return found[0]
    }
}

extension String {
    /// The text with each key replaced, and an issue for each that is not there.
    func replacing(_ pairs: KeyValuePairs<String, String>) -> String {
        var text = self
        for (old, new) in pairs {
            #expect(text.contains(old), "\(old) is not in \(self)")
            text = text.replacing(old, with: new)
        }
        return text
    }
}
