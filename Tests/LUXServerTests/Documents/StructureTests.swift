import Foundation
import LUXTestSupport
import Testing

/// The documents for contributors, against the folders and files of the package.
@Suite struct StructureTests {
    private static let documents = ["CONTRIBUTING.md", "docs/architecture.md"]
    /// Longer files contain more than one idea.
    private static let longest = 330

    private let files: [String]

    init() {
        let found = FileManager.default.enumerator(atPath: Locations.package)
        var files: [String] = []
        while let path = found?.nextObject() as? String {
            if path.hasPrefix(".") { found?.skipDescendants() } else { files.append(path) }
        }
        self.files = files
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: Locations.package + "/" + path, encoding: .utf8)
    }

    private func code(_ text: some StringProtocol) -> [String] {
        String(text).matches(of: /`([^`\n]+)`/).map { String($0.output.1) }
    }

    private var swiftFiles: [String] { files.filter { $0.hasSuffix(".swift") } }

    @Test func `the table of folders names each folder of Sources, and no other`() throws {
        let rows = try text("CONTRIBUTING.md").split(separator: "\n").filter { $0.hasPrefix("| `Sources/") }
        let named = rows.flatMap { row in
            code(row.split(separator: "|")[0]).map { $0.replacing("Sources/", with: "") }
        }
        let folders = swiftFiles.filter { $0.hasPrefix("Sources/") }.map {
            $0.split(separator: "/").dropFirst().dropLast().joined(separator: "/")
        }
        #expect(Set(named) == Set(folders))
        #expect(named.count == Set(named).count)
    }

    @Test func `each file, folder and suite that the documents name exists`() throws {
        for document in Self.documents {
            for name in code(try text(document)) {
                if name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9+\/_.-]*\.(swift|md|yml|json|sql|txt|toml)/) != nil {
                    #expect(files.contains { $0 == name || $0.hasSuffix("/" + name) }, "\(document): \(name)")
                } else if name.wholeMatch(of: /[A-Z][A-Za-z]+\/([A-Za-z+-]+\/)*/) != nil {
                    #expect(files.contains { ("/" + $0 + "/").contains("/" + name) }, "\(document): \(name)")
                } else if name.wholeMatch(of: /[A-Z][A-Za-z]+Tests/) != nil {
                    #expect(files.contains { ($0 + "/").contains("/\(name)") }, "\(document): \(name)")
                }
            }
        }
    }

    @Test func `no file is longer than one idea needs`() throws {
        for file in swiftFiles {
            let lines = try text(file).split(separator: "\n", omittingEmptySubsequences: false).count - 1
            #expect(lines <= Self.longest, "\(file)")
        }
    }

    @Test func `no two types outside of other types have one name`() throws {
        var owners: [String: String] = [:]
        let declaration =
            /^(?:@\w+(?:\([^)]*\))? )*(?:(?:package|final|indirect|private|fileprivate) )*(?:struct|class|enum|protocol|actor) (\w+)/
        for file in swiftFiles where file.hasPrefix("Sources/") {
            for line in try text(file).split(separator: "\n") {
                guard let name = line.prefixMatch(of: declaration)?.output.1 else { continue }
                #expect(owners[String(name)] == nil, "\(name): \(file) and \(owners[String(name)] ?? "")")
                owners[String(name)] = file
            }
        }
        #expect(owners.count > 300)
    }

    @Test func `the sources import no part of Foundation but FoundationEssentials`() throws {
        for file in swiftFiles where file.hasPrefix("Sources/") {
            let others = try text(file).matches(of: /\bimport (?:\w+ )?Foundation(?!Essentials)\w*/)
            #expect(others.map { String($0.output) } == [], "\(file)")
        }
    }

    @Test func `the sources use no word that the glossary replaces`() throws {
        // Published names, and terms of others.
        let exceptions = [
            "default", "connections_refused", "\"refused\"", "connection refused", "connectionrefused",
            "faulty contacts",
        ]
        let replaced = /fault|refus|answer|\b(?:anew|tells?|told|under way|whoever)\b/
        for file in swiftFiles where file.hasPrefix("Sources/") {
            for (place, line) in try text(file).lowercased().split(separator: "\n", omittingEmptySubsequences: false)
                .enumerated()
            {
                let own = exceptions.reduce(String(line)) { $0.replacing($1, with: "") }
                #expect(!own.contains(replaced), "\(file):\(place + 1)")
            }
        }
    }
}
