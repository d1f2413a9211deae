import Foundation
import LUXAPI
import LUXTestSupport
import Testing

/// The tables of the documents, against the program.
@Suite struct ReadmeTests {
    /// The rows of a page's tables that begin with code.
    private func rows(of page: String) throws -> [[Substring]] {
        let text = try String(contentsOfFile: Locations.package + "/" + page, encoding: .utf8)
        return text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { $0.split(separator: "|") }
    }

    private func code(in text: Substring) -> [String] {
        text.matches(of: /`([^`]+)`/).map { String($0.output.1) }
    }

    /// The options of each command that does something, by its name with those above it.
    private func commands(_ command: JSONValue, under path: [String] = []) -> [String: Set<String>] {
        let path = path + [command["commandName"]?.string ?? ""]
        let inner = (command["subcommands"]?.items ?? []).filter { $0["commandName"]?.string != "help" }
        guard inner.isEmpty else {
            return inner.reduce(into: [:]) { $0.merge(commands($1, under: path)) { first, _ in first } }
        }
        let options = (command["arguments"]?.items ?? []).compactMap { $0["preferredName"]?["name"]?.string }
        return [path.joined(separator: " "): Set(options)]
    }

    @Test func `the README has a row for each endpoint, and no other`() throws {
        let text = try String(contentsOfFile: Locations.package + "/README.md", encoding: .utf8)
        let rows = text.matches(of: /\n\| (GET|POST|PATCH|PUT|DELETE) \| `([a-z-]+)/).map {
            "\($0.output.1) \($0.output.2)"
        }
        #expect(rows == Endpoint.allCases.map { "\($0.method) \($0.name)" })
    }

    @Test func `the README is short, and its links lead somewhere`() throws {
        let text = try String(contentsOfFile: Locations.package + "/README.md", encoding: .utf8)
        #expect(text.utf8.count <= 8_192)
        for match in text.matches(of: /\]\(([^)#:]+)\)/) {
            #expect(
                FileManager.default.fileExists(atPath: Locations.package + "/" + match.output.1), "\(match.output.1)")
        }
    }

    @Test func `docs/commands.md has each command and option of the program, the README each command, and no others`()
        throws
    {
        let help = try LUXCommand.run(["--experimental-dump-help"])
        let commands = commands(try #require(JSONValue(help.everything)?["command"]))
        let groups = Set(commands.keys.map { $0.split(separator: " ").prefix(2).joined(separator: " ") })
        let inReadme = try rows(of: "README.md").flatMap { code(in: $0[0]) }.filter { $0.hasPrefix("lux-server") }
        #expect(groups.symmetricDifference(inReadme) == [], "README.md lacks these, or the program does")
        var named: Set<String> = []
        for row in try rows(of: "docs/commands.md") where row[0].hasPrefix(" `lux-server") {
            // `lux-server device show UNIQUE_ID` (or `disconnect`) names two; options may be anywhere in the row.
            let spans = code(in: row[0])
            let words = spans[0].split(separator: " ").map(String.init)
            let length = try #require(
                (1...words.count).last { commands[words[..<$0].joined(separator: " ")] != nil }, "\(spans[0])")
            let alternatives = spans.dropFirst().map { (words[..<(length - 1)] + [$0]).joined(separator: " ") }
            let meant = [words[..<length].joined(separator: " ")] + alternatives.filter { commands[$0] != nil }
            named.formUnion(meant)
            let options = row.flatMap { $0.matches(of: /--([a-z-]+)/).map { String($0.output.1) } }
            let known = meant.reduce(into: Set<String>()) { $0.formUnion(commands[$1] ?? []) }
            for option in options { #expect(known.contains(option), "\(meant): --\(option)") }
        }
        #expect(named.symmetricDifference(commands.keys) == [], "docs/commands.md lacks these, or the program does")
        for (command, options) in commands { #expect(options.contains("config"), "\(command)") }
    }
}
