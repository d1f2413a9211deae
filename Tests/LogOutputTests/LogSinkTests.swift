import Foundation
import Glibc
import LUXTestSupport
import LogOutput
import Testing

@Suite struct LogSinkTests {
    /// A pipe whose ends are closed with it.
    private final class Pipe: Sendable {
        let reader: Int32
        let writer: Int32

        init(nonBlocking: Bool = false) throws {
            (reader, writer) = try Self.open()
            if nonBlocking { _ = fcntl(writer, F_SETFL, O_NONBLOCK) }
        }

        deinit {
            close(reader)
            close(writer)
        }

        /// Two ends that no child of another test inherits; with pipe(2) one could, which would then keep them open.
        static func open() throws -> (reader: Int32, writer: Int32) {
            let folder = try makeTemporaryFolder("lux-pipe")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let path = folder + "/pipe"
            try #require(mkfifo(path, 0o600) == 0)
            let reader = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            let writer = Glibc.open(path, O_WRONLY | O_CLOEXEC)
            try #require(reader >= 0 && writer >= 0 && fcntl(reader, F_SETFL, 0) == 0)
            return (reader, writer)
        }

        /// Reads until a line for which `isLast` is true.
        func lines(until isLast: (String) -> Bool) -> [String] {
            var lines: [String] = []
            var rest: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 8_192)
            while true {
                var descriptor = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
                guard poll(&descriptor, 1, 15_000) == 1 else { return lines }
                let count = read(reader, &buffer, buffer.count)
                guard count > 0 else { return lines }
                rest += buffer[..<count]
                while let end = rest.firstIndex(of: 10) {
                    lines.append(String(decoding: rest[..<end], as: UTF8.self))
                    rest.removeFirst(end + 1)
                    if lines.last.map(isLast) ?? false { return lines }
                }
            }
        }
    }

    private func sink(_ descriptor: Int32, limit: Int = 1_048_576) -> LogSink {
        LogSink(descriptor: descriptor, limit: limit) { Array("dropped \($0)\n".utf8) }
    }

    private func append(_ text: String, to sink: LogSink) {
        sink.append(Array("\(text)\n".utf8))
    }

    @Test func `drops and counts lines while nobody reads, and reports how many once there is room`() async throws {
        try await onThread {
            let pipe = try Pipe()
            // The capacity of a pipe.
            let full = [UInt8](repeating: UInt8(ascii: "-"), count: 65_535) + [10]
            try #require(write(pipe.writer, full, full.count) == full.count)
            let sink = sink(pipe.writer, limit: 32_768)
            let filler = String(repeating: "x", count: 100)
            append("0 \(filler)", to: sink)
            #expect(!sink.flush(within: .seconds(1)), "the thread has it, and nobody reads")
            for number in 1..<5_000 { append("\(number) \(filler)", to: sink) }
            let dropped = sink.droppedLines
            #expect((4_600...4_800).contains(dropped), "\(dropped)")
            let lines = pipe.lines { $0.hasPrefix("dropped") }.dropFirst()
            #expect(lines.last == "dropped \(dropped)")
            #expect(lines.count - 1 == 5_000 - Int(dropped))
            let numbers = lines.dropLast().compactMap { Int($0.prefix { $0 != " " }) }
            #expect(numbers == numbers.sorted() && numbers.count == lines.count - 1, "whole and in order")
            append("after", to: sink)
            #expect(sink.flush(within: .seconds(10)))
            append("last", to: sink)
            #expect(pipe.lines { $0 == "last" } == ["after", "last"], "reported once")
            #expect(sink.flush(within: .seconds(10)))
        }
    }

    @Test func `never mixes the lines of several threads, and loses none`() async throws {
        try await onThread {
            let pipe = try Pipe()
            let sink = sink(pipe.writer, limit: 256 * 1_048_576)
            _ = try simultaneously(5) { index in
                guard index > 0 else {
                    var next = [0, 0, 0, 0]
                    let lines = pipe.lines { _ in
                        next[0] += 1
                        return next[0] == 4 * 2_000
                    }
                    next = [0, 0, 0, 0]
                    for line in lines {
                        let words = line.split(separator: " ")
                        guard words.count == 3, let thread = Int(words[0]), let number = Int(words[1]) else {
                            Issue.record("mixed: \(line.prefix(100))")
                            continue
                        }
                        #expect(next[thread] == number && words[2].count == number % 97 * 100 + 1)
                        next[thread] += 1
                    }
                    return
                }
                for number in 0..<2_000 {
                    append("\(index - 1) \(number) " + String(repeating: "x", count: number % 97 * 100 + 1), to: sink)
                }
            }
            #expect(sink.droppedLines == 0)
            #expect(sink.flush(within: .seconds(10)))
        }
    }

    @Test func `waits for room where another process has set the descriptor to non-blocking`() async throws {
        try await onThread {
            let pipe = try Pipe(nonBlocking: true)
            let sink = sink(pipe.writer)
            for number in 0..<5_000 { append("\(number) " + String(repeating: "x", count: 100), to: sink) }
            append("end", to: sink)
            #expect(pipe.lines { $0 == "end" }.count == 5_001)
            #expect(sink.flush(within: .seconds(10)))
        }
    }

    @Test func `counts the lines that a descriptor does not take, and writes whole ones when it takes them again`()
        async throws
    {
        try await onThread {
            let (reader, descriptor) = try Pipe.open()
            defer { close(descriptor) }
            let sink = sink(descriptor)
            append(String(repeating: "x", count: 100_000), to: sink)
            #expect(!sink.flush(within: .seconds(1)), "the pipe is full, in the middle of the line")
            close(reader)
            #expect(sink.flush(within: .seconds(10)))
            #expect(sink.droppedLines == 1)
            append("lost", to: sink)
            #expect(sink.flush(within: .seconds(10)))
            #expect(sink.droppedLines == 2)
            let next = try Pipe()
            try #require(dup2(next.writer, descriptor) == descriptor)
            append("taken", to: sink)
            #expect(next.lines { $0.hasPrefix("dropped") } == ["", "taken", "dropped 2"])
            append("again", to: sink)
            #expect(next.lines { $0 == "again" } == ["again"])
            #expect(sink.flush(within: .seconds(10)))
        }
    }
}
