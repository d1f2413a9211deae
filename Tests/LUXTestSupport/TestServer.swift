import Foundation
import Glibc
import Testing

/// A running `lux-server serve` on a free port.
package final class TestServer: Sendable {
    package struct StartFailure: Error, CustomStringConvertible {
        package let description: String
    }

    package let process: ChildProcess
    package let port: UInt16

    /// Starts the server on `database`; `environment` adds to the usual variables or replaces them (an empty value
    /// takes a variable away); `wrapper` is a command that becomes the server, `descriptors` what it inherits from 3 up.
    package init(
        _ database: TestDatabase, environment: [String: String] = [:], arguments: [String] = [], wrapper: [String] = [],
        descriptors: [Int32] = []
    ) throws {
        var variables = [
            "DATABASE_URL": database.connectionString, "LUX_JWT_SECRET": Token.secret, "LUX_HOST": "127.0.0.1",
            "LUX_PORT": "0", "LUX_LOG_FORMAT": "json",
        ]
        variables.merge(environment) { $1 }
        variables = variables.filter { !$0.value.isEmpty }
        let command = wrapper + [Locations.server, "serve"] + arguments
        process = try ChildProcess(
            command[0], Array(command.dropFirst()), environment: LUXCommand.environment(variables),
            folder: Locations.package, descriptors: descriptors)
        let found = process.waitForOutput(seconds: 30) { lines in
            lines.lazy.compactMap { JSONValue($0) }.first { $0["message"]?.string == "listening" }?["port"]
        }
        guard let port = found?.integer ?? found?.string.flatMap({ Int64($0) }), let number = UInt16(exactly: port)
        else {
            process.signal(SIGKILL)
            throw StartFailure(description: "the server did not start: \(process.output)\(process.errors)")
        }
        self.port = number
    }

    /// Starts the server on a database that it migrates, and waits until it is ready; the port opens earlier.
    package static func migrating(
        _ database: TestDatabase, environment: [String: String] = [:]
    ) throws -> TestServer {
        let server = try TestServer(database, environment: environment, arguments: ["--migrate"])
        guard server.waits(for: 200, at: "/readyz", seconds: 60) else {
            throw StartFailure(
                description: "the server did not become ready: \(server.process.output)\(server.process.errors)")
        }
        return server
    }

    deinit { process.signal(SIGKILL) }

    package func connect(timeout: Double = 15, receiveBuffer: Int32? = nil) throws(HTTPClient.Failure) -> HTTPClient {
        try HTTPClient(port: port, timeout: timeout, receiveBuffer: receiveBuffer)
    }

    /// One request on a connection of its own.
    package func call(
        _ method: String, _ target: String, token: String? = nil, headers: [(String, String)] = [], body: String? = nil
    ) throws(HTTPClient.Failure) -> HTTPReply {
        let client = try connect()
        try client.send(Self.request(method, target, token: token, headers: headers, body: body))
        return try client.receive(to: method)
    }

    /// The bytes of a request as a client in the field sends it.
    package static func request(
        _ method: String, _ target: String, token: String? = nil, headers: [(String, String)] = [], body: String? = nil
    ) -> String {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: lux.test\r\n"
        if let token { text += "Authorization: Bearer \(token)\r\n" }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body { text += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body }
        return body == nil ? text + "\r\n" : text
    }

    /// Requests a target until the response has a status; false after `seconds`.
    package func waits(for status: Int, at target: String, seconds: Double = 15) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while Date() < deadline {
            if (try? call("GET", target))?.status == status { return true }
            usleep(50_000)
        }
        return false
    }

    /// The log lines so far for which `matches` is true; waits a moment for the first one.
    package func logLines(_ matches: @escaping (JSONValue) -> Bool) -> [JSONValue] {
        process.waitForOutput(seconds: 15) { lines in
            let found = lines.compactMap { JSONValue($0) }.filter(matches)
            return found.isEmpty ? nil : found
        } ?? []
    }

    /// The log lines for which `matches` is true, once there are `count` of them; those there are after 15 seconds.
    package func waitForLogLines(count: Int, _ matches: @escaping (JSONValue) -> Bool) -> [JSONValue] {
        let found = process.waitForOutput(seconds: 15) { lines in
            let found = lines.compactMap { JSONValue($0) }.filter(matches)
            return found.count < count ? nil : found
        }
        return found ?? logLines(matches)
    }

    /// The log lines that contain this request id anywhere.
    package func logLines(request id: String) -> [JSONValue] {
        logLines { $0.leaves.contains(id) }
    }

    /// SIGTERM; the server must end by itself with exit status 0.
    package func stop(seconds: Double = 15, sourceLocation: SourceLocation = #_sourceLocation) {
        process.signal(SIGTERM)
        let ending = process.wait(seconds: seconds)
        #expect(ending == .exit(0), "\(process.errors)", sourceLocation: sourceLocation)
    }
}
