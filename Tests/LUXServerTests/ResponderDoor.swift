import Concurrency
import Dispatch
import EventLoop
import Foundation
@testable import HTTP
import LUXAPI
@testable import LUXServer
import LUXSettings
import LUXTestSupport
import LogOutput
import Logging
import Postgres

/// Sends requests to a responder in the test process, without a socket, so that a debugger stops in a handler. Everything but
/// the sockets is the program's: settings, parser, connections to the database, responder, encoder.
///
/// The responder runs on the thread of its loop; a request blocks the thread of its test.
final class ResponderDoor: Door {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The one on the database of ``World/sharedServer``.
    static let shared: ResponderDoor = {
        do {
            return try ResponderDoor(World.sharedDatabase)
        } catch {
            preconditionFailure("no responder for the tests: \(error)")
        }
    }()

    private let loop: EventLoop
    private let limits: HTTPLimits
    private let responder: APIResponder

    init(_ database: TestDatabase) throws {
        let variables = [
            "DATABASE_URL": database.connectionString, "LUX_JWT_SECRET": Token.secret,
            "LUX_MIGRATIONS": Locations.migrations, "LUX_LOOPS": "1",
        ]
        let configuration = try Configuration(environment: variables, isTerminal: false)
        let log = LineLog(style: .json, level: .critical, descriptor: open("/dev/null", O_WRONLY | O_CLOEXEC))
        let server = Server(configuration: configuration, log: log)
        let gate = ReadinessGate(migrations: try Migration.all(in: configuration.migrations))
        let (loops, pools) = try server.createLoops(DatabaseAvailability())
        let parts = try ServerParts(server, loops: loops, pools: pools, gate: gate)
        guard let loop = loops.first, let responder = parts.responders(server).first else {
            throw Failure(description: "no loop")
        }
        self.loop = loop
        self.responder = responder
        limits = configuration.limits
        gate.open()
        for pool in pools { pool.start() }
        loop.start()
    }

    func send(_ request: String, method: String) throws -> HTTPReply {
        let response = Guarded<[UInt8]?>(nil)
        let done = DispatchSemaphore(value: 0)
        Task(executorPreference: loop) {
            let bytes = await self.response(to: request)
            response.withLock { $0 = bytes }
            done.signal()
        }
        done.wait()
        guard let bytes = response.withLock({ $0 }), let reply = HTTPReply(bytes: bytes) else {
            throw Failure(description: "no whole response to \(request)")
        }
        return reply
    }

    /// The bytes of the response; `nil` for a request that is not complete.
    private func response(to request: String) async -> [UInt8]? {
        var parser = RequestParser(limits: limits)
        Array(request.utf8).withUnsafeBytes { parser.append($0) }
        var admission: (any Sendable)?
        do throws(HTTPParseError) {
            while let step = try parser.next() {
                switch step {
                case .head(let head):
                    switch responder.admit(head, received: loop.now) {
                    case .proceed(let known, _): admission = known
                    case .respond(let response): return encode(response, to: head)
                    }
                case .request(let request):
                    let response = await responder.respond(to: request, admission: admission, received: loop.now)
                    return encode(response, to: request)
                }
            }
            return nil
        } catch {
            return encode(responder.reject(error.status, reason: error.reason, request: parser.unfinished), to: nil)
        }
    }

    private func encode(_ response: HTTPResponse, to request: HTTPRequest?) -> [UInt8] {
        var bytes: [UInt8] = []
        ResponseEncoder.encode(
            response, isHead: request?.method == .head, version: request?.version ?? .http11,
            keepAlive: request?.keepAlive ?? false, date: Array("Sun, 06 Nov 1994 08:49:37 GMT".utf8), into: &bytes)
        return bytes
    }
}
