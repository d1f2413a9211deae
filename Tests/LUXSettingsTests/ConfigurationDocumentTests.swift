import Foundation
import LUXTestSupport
import Testing

@testable import LUXSettings

/// The tables of docs/configuration.md, against the settings table, and the table itself.
@Suite struct ConfigurationDocumentTests {
    private static let path = Locations.package + "/docs/configuration.md"
    private static let (begin, end) = ("<!-- generated -->\n", "<!-- end -->\n")

    @Test func `the page has each variable with its default, values and help, and no other`() throws {
        let tables = SettingsTable.shared.groups.map(Self.table).joined(separator: "\n")
        var page = try String(contentsOfFile: Self.path, encoding: .utf8)
        let first = try #require(page.range(of: Self.begin)).upperBound
        let last = try #require(page.range(of: Self.end)).lowerBound
        if ProcessInfo.processInfo.environment["LUX_WRITE_DOCUMENTS"] != nil {
            page.replaceSubrange(first..<last, with: "\n" + tables + "\n")
            try page.write(toFile: Self.path, atomically: true, encoding: .utf8)
        } else {
            #expect(String(page[first..<last]) == "\n" + tables + "\n", "LUX_WRITE_DOCUMENTS=1 writes the page")
        }
    }

    private static func table(_ group: (title: String, variables: [VariableDescription])) -> String {
        let rows = group.variables.map { variable in
            let names = variable.names.map { "`\($0)`" }.joined(separator: ", ")
            let text = variable.defaultIsValue ? "`\(variable.defaultText)`" : variable.defaultText
            let help = variable.help + (variable.isSecret ? " Secret." : "")
            return "| \(names) | \(text) | \(variable.values) | \(help) |\n"
        }
        return "### \(group.title)\n\n| variable | default | values | |\n|---|---|---|---|\n" + rows.joined()
    }

    @Test func `each group belongs to the table, and each variable to one group`() {
        let table = SettingsTable.shared
        let all = SettingsTable.descriptions(in: table).map(\.name)
        #expect(table.descriptions.map(\.name).sorted() == all.sorted())
        let names = table.descriptions.flatMap { $0.names + ($0.oldName.map { [$0] } ?? []) }
        #expect(Set(names).count == names.count)
        for variable in table.descriptions {
            #expect(variable.help.hasSuffix("."), "\(variable.name)")
            #expect(!variable.hasFile || variable.isSecret, "\(variable.name)")
        }
    }

    @Test func `the threat model names the variable of each limit`() throws {
        let page = try String(contentsOfFile: Locations.package + "/docs/threat-model.md", encoding: .utf8)
        let words = Set(page.matches(of: /[A-Z_]+/).map { String($0.output) })
        let limits = SettingsTable.shared.limits
        for name in limits.sizes.map(\.description.name) + limits.times.map(\.description.name) {
            #expect(words.contains(name), "docs/threat-model.md lacks \(name)")
        }
    }

    @Test func `the page of the providers names each of their variables, and no other`() throws {
        let page = try String(contentsOfFile: Locations.package + "/docs/alimtalk.md", encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `LUX_") }.compactMap {
            $0.split(separator: "|").first
        }
        let names = rows.flatMap { $0.matches(of: /`([A-Z_]+)`/).map { String($0.output.1) } }
        let known = SettingsTable.descriptions(in: SettingsTable.shared.alimtalk.ofProviders).flatMap(\.names)
        #expect(names.sorted() == known.sorted())
    }
}
