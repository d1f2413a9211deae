import Foundation
import Glibc
import LUXTestSupport
import Testing

/// The log on a terminal.
@Suite struct LogTextTests {
    /// What a server writes to a terminal of its own until it has served a request and ended.
    private func log(_ environment: [String: String]) throws -> [String] {
        // pts(4), by ioctl(2): the Glibc module leaves posix_openpt(3) and its kin out.
        let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (locked, number): (Int32, UInt32) = (0, 0)
        let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)  // TIOCSPTLCK, TIOCGPTN
        try #require(
            terminal >= 0 && ioctl(terminal, setLock, &locked) == 0 && ioctl(terminal, getNumber, &number) == 0)
        defer { close(terminal) }
        let name = "/dev/pts/\(number)"
        var variables = [
            "DATABASE_URL": World.sharedDatabase.connectionString, "LUX_JWT_SECRET": Token.secret,
            "LUX_HOST": "127.0.0.1", "LUX_PORT": "0", "TERM": "xterm",
        ]
        variables.merge(environment) { $1 }
        let process = try ChildProcess(
            "/bin/sh", ["-c", "exec \"$0\" serve > '\(name)'", Locations.server],
            environment: LUXCommand.environment(variables), folder: Locations.package)
        defer { process.signal(SIGKILL) }
        var bytes: [UInt8] = []
        func readLine(_ text: String) throws -> String {
            while true {
                let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
                if let line = lines.first(where: { $0.contains(text) }), bytes.last == 10 { return String(line) }
                var descriptor = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
                try #require(poll(&descriptor, 1, 15_000) == 1, "no \(text) in \(lines)")
                var buffer = [UInt8](repeating: 0, count: 4_096)
                let count = read(terminal, &buffer, buffer.count)
                // Between two processes that have it open a terminal may have none.
                if count > 0 { bytes += buffer[..<count] } else { usleep(10_000) }
            }
        }
        let listening = try readLine("listening")
        let port = try #require(listening.firstMatch(of: /port"?[=:]([0-9]+)/).flatMap { UInt16($0.output.1) })
        let client = try HTTPClient(port: port)
        try client.send(TestServer.request("GET", "/healthz", headers: [("X-Request-ID", "its-id")]))
        #expect(try client.receive().status == 200)
        return [listening, try readLine("its-id")]
    }

    @Test func `is text in columns, colored unless NO_COLOR or TERM=dumb is set`() async throws {
        try await onThread {
            let colored = try log([:])
            #expect(colored[0].contains(" \u{1B}[32minfo\u{1B}[0m     listening    host=127.0.0.1 port="))
            #expect(
                colored[1].contains(
                    " \u{1B}[32minfo\u{1B}[0m     request      request_id=its-id client=127.0.0.1 method=GET "))
            for environment in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
                let plain = try log(environment)
                #expect(
                    plain[1].contains(
                        "Z info     request      request_id=its-id client=127.0.0.1 method=GET route=/healthz status=200 "
                    )
                )
                #expect(!plain.joined().contains("\u{1B}"), "\(environment)")
            }
            #expect(try log(["NO_COLOR": ""])[1].contains("\u{1B}[32m"), "an empty NO_COLOR is none")
            let json = try log(["LUX_LOG_FORMAT": "json"])
            #expect(JSONValue(json[1])?["message"]?.string == "request")
        }
    }

    @Test func `is without colors where text goes into a file`() async throws {
        try await onThread {
            let process = try ChildProcess(
                Locations.server, ["serve"],
                environment: LUXCommand.environment([
                    "DATABASE_URL": World.sharedDatabase.connectionString, "LUX_JWT_SECRET": Token.secret,
                    "LUX_HOST": "127.0.0.1", "LUX_PORT": "0", "LUX_LOG_FORMAT": "text", "TERM": "xterm",
                ]))
            #expect(process.waitForOutput { $0.contains { $0.contains("listening") } ? true : nil } == true)
            process.signal(SIGTERM)
            #expect(process.wait() == .exit(0))
            #expect(!process.output.contains("\u{1B}"))
        }
    }
}
