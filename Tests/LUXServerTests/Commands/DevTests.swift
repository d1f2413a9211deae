import Foundation
import Glibc
import LUXAPI
import LUXTestSupport
import Testing

/// lux-server dev
@Suite struct DevTests {
    /// Starts in `folder` and waits for what it prints when it is ready.
    private func start(in folder: String) throws -> (ChildProcess, curlLines: [String]) {
        let process = try ChildProcess(
            Locations.server, ["dev", "--port", "0"], environment: LUXCommand.environment([:]), folder: folder)
        let lines = process.waitForOutput(seconds: 60) { lines in
            lines.contains { $0.hasPrefix("Ctrl-C") } ? lines.filter { $0.hasPrefix("curl ") } : nil
        }
        return (process, try #require(lines, "\(process.output)\(process.errors)"))
    }

    @Test func `prints curl lines that work when pasted, keeps its data, and takes its database down with it`()
        async throws
    {
        try await onThread {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lux-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            for (round, ending) in [SIGTERM, SIGHUP].enumerated() {
                let (process, lines) = try start(in: folder.path)
                var responses: [Endpoint: String] = [:]
                for endpoint in Endpoint.allCases {
                    let line = try #require(
                        lines.first { $0.contains("\(endpoint.path)?") || $0.contains("\(endpoint.path)'") })
                    let shell = try ChildProcess(
                        "/bin/sh", ["-c", "PATH=/usr/bin:/bin; \(line) -s -w ' %{http_code}'"])
                    #expect(shell.wait() == .exit(0), "\(line)")
                    #expect(shell.output.hasSuffix(" 200"), "\(line) → \(shell.output)")
                    responses[endpoint] = shell.output
                }
                #expect(lines.count == Endpoint.allCases.count)
                let alias = round == 0 ? #""device_alias":"Living room""# : #""device_alias":"Bedroom""#
                #expect(responses[.childDevice]?.contains(alias) == true, "round \(round)")
                for (endpoint, response) in [
                    (.setMyDevice, #"{"statuscode":200,"message":"device connected"} 200"#),
                    (.unConnect, #"{"statusCode":200,"message":"device unconnected"} 200"#),
                    (.devlog, #"{"statusCode":200,"message":"Temp devlog saved successfully"} 200"#),
                    (.alimtalk, "null 200"),
                ] as [(Endpoint, String)] {
                    #expect(responses[endpoint] == response)
                }
                #expect(responses[.usageLogs]?.hasPrefix(#"{"logs":[{"id":"#) == true)
                let postmaster = try String(
                    contentsOf: folder.appendingPathComponent(".lux/data/postmaster.pid"), encoding: .utf8)
                let pid = try #require(pid_t(postmaster.prefix { $0 != "\n" }))
                #expect(kill(pid, 0) == 0)
                process.signal(ending)
                #expect(process.wait(seconds: 20) == .exit(0), "\(process.errors)")
                #expect(kill(pid, 0) != 0, "the database ended before the server did")
            }
        }
    }
}
