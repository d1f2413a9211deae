import Foundation
import Glibc
import LUXTestSupport
import Testing

/// Standard output as a pipe: a reader that is late, or absent, harms only the log.
@Suite struct LogStreamTests {
    /// A server whose standard output is a named pipe that the test reads when it wants to.
    private final class PipedServer {
        let process: ChildProcess
        private(set) var port: UInt16 = 0
        private var reader: Int32
        private var bytes: [UInt8] = []
        private let folder: String

        init(_ environment: [String: String] = [:], of database: TestDatabase = World.sharedDatabase) throws {
            folder = try makeTemporaryFolder("lux-log")
            let path = folder + "/log"
            try #require(mkfifo(path, 0o600) == 0)
            // For reading and writing, so that opening does not wait for the server.
            reader = open(path, O_RDWR | O_CLOEXEC)
            let variables = [
                "DATABASE_URL": database.connectionString, "LUX_JWT_SECRET": Token.secret, "LUX_HOST": "127.0.0.1",
                "LUX_PORT": "0", "LUX_LOG_FORMAT": "json",
            ].merging(environment) { $1 }
            process = try ChildProcess(
                "/bin/sh", ["-c", "exec \"$0\" serve > '\(path)'", Locations.server],
                environment: LUXCommand.environment(variables), folder: Locations.package)
            let line = try line { $0["message"]?.string == "listening" }
            port = try #require(line["port"]?.integer.flatMap { UInt16(exactly: $0) })
            // Now the server has it open, and the end of a reader can be seen.
            let only = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            close(reader)
            reader = only
            _ = fcntl(reader, F_SETFL, 0)
        }

        deinit {
            process.signal(SIGKILL)
            stopReading()
            try? FileManager.default.removeItem(atPath: folder)
        }

        func stopReading() {
            if reader >= 0 { close(reader) }
            reader = -1
        }

        /// Reads lines up to the first that fits; each has to be a whole JSON object.
        func line(_ fits: (JSONValue) -> Bool) throws -> JSONValue {
            while true {
                for line in try lines() where fits(line) { return line }
            }
        }

        /// The lines that come next; none at the end.
        func lines() throws -> [JSONValue] {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            var descriptor = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
            try #require(poll(&descriptor, 1, 15_000) == 1, "no line came")
            let count = read(reader, &buffer, buffer.count)
            bytes += buffer[..<max(0, count)]
            guard count > 0 else { return [] }
            guard let end = bytes.lastIndex(of: 10) else { return try lines() }
            let lines = bytes[..<end].split(separator: 10)
            bytes.removeFirst(end + 1)
            return try lines.map { try #require(JSONValue(Array($0)), "\(String(decoding: $0, as: UTF8.self))") }
        }

        /// Everything up to the end of the stream.
        func rest() throws -> [JSONValue] {
            var all: [JSONValue] = []
            while true {
                let next = try lines()
                if next.isEmpty { return all }
                all += next
            }
        }

        func client() throws -> HTTPClient { try HTTPClient(port: port) }

        /// Sends many requests in one piece and reads all responses.
        func send(_ count: Int, id: (Int) -> String) throws {
            let client = try client()
            for start in stride(from: 0, to: count, by: 50) {
                let numbers = start..<min(start + 50, count)
                let requests = numbers.map {
                    TestServer.request("GET", "/healthz", headers: [("X-Request-ID", id($0))])
                }
                try client.send(requests.joined())
                for _ in numbers { #expect(try client.receive().status == 200) }
            }
        }

        func droppedLines() throws -> Int {
            let client = try client()
            try client.send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
            let name = "lux_log_lines_dropped_total "
            let line = try client.receive().text.split(separator: "\n").first { $0.hasPrefix(name) }
            return try #require(line.flatMap { Int($0.dropFirst(name.count)) })
        }
    }

    private static func longID(_ number: Int) -> String {
        "\(number)-" + String(repeating: "x", count: 120 - String(number).count)
    }

    @Test func `a log that nobody reads stops no request; what is dropped is counted, and reported to the next reader`()
        async throws
    {
        try await onThread {
            let server = try PipedServer(["LUX_MAX_REQUESTS_PER_CONNECTION": "1000000"])
            // Some 5 MiB of lines where the pipe and the buffer have room for 4 MiB.
            let count = 21_000
            try server.send(count, id: Self.longID)
            let dropped = try server.droppedLines()
            #expect((1..<count).contains(dropped), "\(dropped)")
            var seen = 0
            var reported: Int64 = 0
            while reported == 0 {
                for line in try server.lines() {
                    if line["message"]?.string == "request", line["route"]?.string == "/healthz" { seen += 1 }
                    guard line["message"]?.string == "log lines dropped" else { continue }
                    #expect(line["level"]?.string == "warning")
                    reported += line["count"]?.integer ?? 0
                }
            }
            let counted = try server.droppedLines()
            #expect(Int(reported) == counted)
            // The first scrape of the metrics has a line too, for which there may have been no room.
            #expect((dropped...dropped + 1).contains(counted))
            #expect(seen + dropped == count)
            try server.send(10) { "again-\($0)" }
            _ = try server.line { $0["request_id"]?.string == "again-9" }
            #expect(try server.droppedLines() == counted)
            server.process.signal(SIGTERM)
            #expect(try server.rest().last?["message"]?.string == "stopped")
            #expect(server.process.wait(seconds: 15) == .exit(0))
        }
    }

    @Test func `a log that nobody reads does not keep the server from ending`() async throws {
        try await onThread {
            let server = try PipedServer()
            try server.send(1_000, id: Self.longID)
            server.process.signal(SIGTERM)
            #expect(server.process.wait(seconds: 15) == .exit(0))
        }
    }

    @Test func `a closed standard output leaves the server serving`() async throws {
        try await onThread {
            let server = try PipedServer()
            server.stopReading()
            try server.send(500) { "\($0)" }
            let client = try server.client()
            // Lines are written some milliseconds after their requests.
            var dropped = 0
            for _ in 0..<200 where dropped < 500 {
                usleep(10_000)
                dropped = try server.droppedLines()
            }
            #expect(dropped >= 500)
            try client.send(TestServer.request("GET", "/healthz"))
            #expect(try client.receive().status == 200)
            server.process.signal(SIGTERM)
            #expect(server.process.wait(seconds: 15) == .exit(0))
        }
    }

    @Test func `lines of several loops never mix, and those of requests with a response are all there after SIGTERM`()
        async throws
    {
        try await onThread {
            let server = try TestServer(
                World.sharedDatabase, environment: ["LUX_LOOPS": "4", "LUX_DB_POOL": "8"])
            let (clients, requests) = (8, 400)
            _ = try simultaneously(clients) { index in
                let client = try server.connect()
                for number in 0..<requests {
                    let headers = [("X-Request-ID", Self.longID(index * requests + number))]
                    try client.send(TestServer.request("GET", "/healthz", headers: headers))
                    #expect(try client.receive().status == 200)
                }
            }
            server.stop()
            var ids: Set<String> = []
            for text in server.process.outputLines {
                let line = try #require(JSONValue(text), "\(text)")
                if let id = line["request_id"]?.string { #expect(ids.insert(id).inserted, "twice: \(id)") }
            }
            #expect(ids == Set((0..<clients * requests).map { Self.longID($0) }))
            #expect(server.process.output.hasSuffix("\n"))
        }
    }
}
