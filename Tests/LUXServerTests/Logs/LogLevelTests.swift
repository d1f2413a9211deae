import Foundation
import Glibc
import LUXTestSupport
import Testing

/// SIGUSR1 and SIGUSR2
@Suite struct LogLevelTests {
    /// Sends a signal and waits for the line that reports the level.
    private func level(after signal: Int32, _ process: ChildProcess, _ changes: Int) -> String? {
        process.signal(signal)
        return process.waitForOutput { lines in
            let changed = lines.compactMap { JSONValue($0) }.filter { $0["message"]?.string == "log level" }
            return changed.count > changes ? changed[changes] : nil
        }.flatMap { $0["log_level"]?.string }
    }

    @Test func `change the level by one step, within its range, and always report it`() async throws {
        try await onThread {
            let server = try TestServer(World.sharedDatabase)
            var changes = 0
            func step(_ signal: Int32, _ expected: String) {
                #expect(level(after: signal, server.process, changes) == expected)
                changes += 1
            }
            func isLogged(_ method: String, _ id: String, _ status: Int) throws -> Bool {
                let reply = try server.call(method, "/healthz", headers: [("X-Request-ID", id)])
                #expect(reply.status == status)
                // The next change of the level follows the line, if there is one.
                step(SIGUSR1, "info")
                let isThere = server.process.outputLines.contains { $0.contains("\"\(id)\"") }
                step(SIGUSR2, "notice")
                return isThere
            }
            #expect(try !server.logLines(request: server.call("GET", "/healthz").requestID ?? "?").isEmpty)
            step(SIGUSR2, "notice")
            #expect(try !isLogged("GET", "quiet", 200))
            for level in ["warning", "error", "critical", "critical"] { step(SIGUSR2, level) }
            for level in ["error", "warning", "notice", "info", "debug", "trace", "trace"] { step(SIGUSR1, level) }
            #expect(try !server.logLines(request: server.call("GET", "/healthz").requestID ?? "?").isEmpty)
            server.stop()
        }
    }

    @Test func `change the level of lux-server dev, too`() async throws {
        try await onThread {
            let folder = try makeTemporaryFolder("lux-dev")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let process = try ChildProcess(
                Locations.server, ["dev", "--port", "0"], environment: LUXCommand.environment([:]), folder: folder)
            #expect(process.waitForOutput(seconds: 60) { $0.contains { $0.hasPrefix("Ctrl-C") } ? true : nil } == true)
            #expect(level(after: SIGUSR1, process, 0) == "debug")
            process.signal(SIGTERM)
            #expect(process.wait(seconds: 20) == .exit(0), "\(process.errors)")
        }
    }
}
