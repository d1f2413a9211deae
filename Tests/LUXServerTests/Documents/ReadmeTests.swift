import Foundation
import LUXAPI
import LUXTestSupport
import Testing

/// The tables of the documents, against the program.
@Suite struct ReadmeTests {
    private let rows: [[Substring]]

    init() throws {
        let pages = ["README.md", "docs/commands.md"]
        let text = try pages.map { try String(contentsOfFile: Locations.package + "/" + $0, encoding: .utf8) }
            .joined(separator: "\n")
        rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { $0.split(separator: "|") }
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

    @Test func `name the commands and options that the program has, and no others`() throws {
        let help = try LUXCommand.run(["--experimental-dump-help"])
        let commands = commands(try #require(JSONValue(help.everything)?["command"]))
        var named: Set<String> = []
        for row in rows where row[0].hasPrefix(" `lux-server") {
            // `lux-server device show UNIQUE_ID` (or `disconnect`) names two; options may be anywhere in the row.
            let spans = code(in: row[0])
            let words = spans[0].split(separator: " ").map(String.init)
            // The README names commands with subcommands as a whole.
            guard let length = (1...words.count).last(where: { commands[words[..<$0].joined(separator: " ")] != nil })
            else {
                #expect(commands.keys.contains { $0.hasPrefix(spans[0] + " ") }, "\(spans[0])")
                continue
            }
            let alternatives = spans.dropFirst().map { (words[..<(length - 1)] + [$0]).joined(separator: " ") }
            let meant = [words[..<length].joined(separator: " ")] + alternatives.filter { commands[$0] != nil }
            named.formUnion(meant)
            let options = row.flatMap { $0.matches(of: /--([a-z-]+)/).map { String($0.output.1) } }
            let known = meant.reduce(into: Set<String>()) { $0.formUnion(commands[$1] ?? []) }
            for option in options { #expect(known.contains(option), "\(meant): --\(option)") }
        }
        #expect(named == Set(commands.keys))
        for (command, options) in commands { #expect(options.contains("config"), "\(command)") }
    }
}
