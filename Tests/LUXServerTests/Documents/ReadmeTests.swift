import Foundation
import LUXTestSupport
import Testing

@testable import LUXSettings

/// The tables of the documents, against the program.
@Suite struct ReadmeTests {
    private let rows: [[Substring]]

    init() throws {
        let pages = ["README.md", "docs/commands.md", "docs/configuration.md", "docs/alimtalk.md"]
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

    @Test func `name the variables that the program knows, and no others`() {
        let first = rows.compactMap(\.first).filter { $0.hasPrefix(" `LUX_") || $0.hasPrefix(" `DATABASE_URL") }
        let names = first.flatMap { $0.matches(of: /`([A-Z_]+)`/).map { String($0.output.1) } }
        let known = KnownVariable.all.flatMap { $0.hasFile ? [$0.name, $0.name + "_FILE"] : [$0.name] }
        #expect(names.sorted() == known.sorted())
    }

    @Test func `tell the defaults that are in force`() throws {
        let known = Dictionary(uniqueKeysWithValues: KnownVariable.all.map { ($0.name, $0.otherwise) })
        var compared = 0
        for row in rows where row[0].hasPrefix(" `LUX_") && row.count > 2 {
            let names = row[0].matches(of: /`([A-Z_]+)`/).map { String($0.output.1) }
            let told = row[1].replacing("`", with: "").trimmingCharacters(in: .whitespaces)
            let each = told.components(separatedBy: ", ")
            for (index, name) in names.enumerated() {
                guard let value = known[name] else { continue }
                let isUnset = value == "unset" && (told.hasPrefix("none") || told.hasPrefix("unset"))
                let own = each.count == names.count ? each[index] : told
                #expect(isUnset || own == value || told.hasPrefix(value), "\(name): \(told), and \(value) in force")
                compared += 1
            }
        }
        #expect(compared >= 50)
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
            // `lux-server device show UNIQUE_ID` (or `disconnect`) names two; options stand anywhere in the row.
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
