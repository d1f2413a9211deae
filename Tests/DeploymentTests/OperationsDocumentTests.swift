import Foundation
import LUXTestSupport
import Testing

/// docs/operations.md
@Suite struct OperationsDocumentTests {
    private static let name = "docs/operations.md"

    /// As GitHub creates them: lower case, spaces to hyphens, no punctuation.
    private func anchors(_ text: String) -> Set<String> {
        Set(
            text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { line in
                line.drop { $0 == "#" || $0 == " " }.lowercased().replacing(" ", with: "-")
                    .filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
            })
    }

    @Test func `each alert has its entry, under the anchor of its runbook_url`() throws {
        let text = try DeploymentFile.text(Self.name)
        let rules = try DeploymentFile.text("deploy/prometheus.rules.yml")
        let alerts = try AlertTests.alerts()
        #expect(text.matches(of: /(?m)^### (Lux\w+)$/).map { String($0.output.1) } == alerts)
        let links = rules.matches(of: /runbook_url: (\S+)#(\S+)/)
        #expect(links.count == alerts.count && alerts.count == rules.matches(of: /- alert:/).count)
        for (alert, link) in zip(alerts, links) {
            #expect(link.output.1 == "docs/operations.md" && link.output.2 == alert.lowercased())
            #expect(anchors(text).contains(String(link.output.2)), "\(link.output.0)")
            // What it means, where to look, what to do.
            let entry = try #require(text.split(separator: "### \(alert)\n").last?.split(separator: "\n#").first)
            #expect(entry.contains("*Look* at") && entry.contains("*Do*:"), "\(alert)")
        }
    }

    @Test func `runbooks quote only what the log and the tables contain`() throws {
        let text = try DeploymentFile.text(Self.name)
        let start = try #require(text.range(of: "\n## Alerts\n")).upperBound
        let end = try #require(text.range(of: "\n## Sizes\n")).lowerBound
        var sources = ""
        for folder in ["Sources", "Migrations", "deploy"] {
            let files = FileManager.default.enumerator(atPath: DeploymentFile.path(folder))
            while let file = files?.nextObject() as? String {
                guard file.hasSuffix(".swift") || file.hasSuffix(".sql") || file == "renew-hook" else { continue }
                sources += try DeploymentFile.text("\(folder)/\(file)")
            }
        }
        let fields = sources.matches(of: /(?m)^    case (.*)$/).flatMap { $0.output.1.split(separator: ", ") }
        let others: Set<Substring> = ["alimtalks", "error", "unknown", "renew_hook"]
        let programs = /^(systemctl|journalctl|certbot|lux-server|promtool|select|ss|ca-certificates)\b/
        var seen = 0
        for match in text[start..<end].matches(of: /`([a-z][a-z_: -]*)`/) {
            let quoted = match.output.1
            if quoted.firstMatch(of: programs) != nil { continue }
            seen += 1
            if quoted.contains(" ") {
                #expect(sources.contains(quoted), "\(quoted)")
            } else {
                #expect(fields.contains(quoted) || others.contains(quoted), "\(quoted)")
            }
        }
        #expect(seen > 5)
    }

    @Test func `each link leads somewhere`() throws {
        let text = try DeploymentFile.text(Self.name)
        let links = text.matches(of: /\]\(([^)#]*)(?:#([^)]*))?\)/)
        #expect(links.count > 10)
        for link in links {
            let file = link.output.1.isEmpty ? Self.name : "docs/" + link.output.1
            let target = try DeploymentFile.text(file)
            if let anchor = link.output.2 { #expect(anchors(target).contains(String(anchor)), "\(link.output.0)") }
        }
    }

    @Test func `everything it names exists: files, variables, metrics, commands`() throws {
        let text = try DeploymentFile.text(Self.name)
        for match in text.matches(of: /(?:[\s`]|current\/)((?:deploy|Scripts|Tests)\/[\w.\/-]*\w)/) {
            let name = String(match.output.1)
            let isThere = FileManager.default.fileExists(atPath: DeploymentFile.path(name))
            #expect(isThere || name.hasPrefix("deploy/secrets"), "\(name)")
        }
        let report = try LUXCommand.run(
            ["config", "check"], environment: ["DATABASE_URL": "dbname=lux", "LUX_JWT_SECRET": Token.secret])
        let known = Set(report.output.split(separator: "\n").compactMap { $0.split(separator: " ").first })
        for match in text.matches(of: /\bLUX_\w+/) {
            let isKnown = known.contains(match.output) || known.contains(match.output.dropLast("_FILE".count))
            #expect(isKnown, "\(match.output)")
        }
        let commands = try LUXCommand.run(["--help"]).output
        // In code alone: in prose a verb may follow.
        let code = text.matches(of: /```sh\n[\s\S]*?```|`[^`\n]+`/).map { String($0.output) }.joined(separator: "\n")
        for match in code.matches(of: /lux-server ([a-z]+)/) {
            #expect(commands.contains("\n  \(match.output.1) "), "\(match.output.0)")
        }
    }

    @Test func `the server and the image install the same packages`() throws {
        let text = try DeploymentFile.text(Self.name)
        let line = try #require(text.firstMatch(of: /apt-get install -y --no-install-recommends (ca-cert.*)/)).output.1
        let image = try #require(
            DeploymentFile.text("Dockerfile").firstMatch(
                of: /apt-get install -y --no-install-recommends (ca-cert.*) \\/)
        ).output.1
        #expect(Set(line.split(separator: " ")) == Set(image.split(separator: " ")).union(["postgresql"]))
    }
}
