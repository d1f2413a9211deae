import Concurrency
import EventLoop
import LUXTestSupport
import Testing

@testable import HTTP

/// The turns of connections on one loop, with a responder whose requests are slow.
@Suite struct TurnTests {
    /// Responds after a busy wait, and records the order of the requests.
    private final class Responder: HTTPResponder {
        static let busyTime = Duration.milliseconds(3)
        let order = Locked<[String]>([])
        /// Called on the loop while the slow request of this number is served.
        let event = Locked<(number: Int, body: @Sendable () -> Void)?>(nil)

        func respond(
            to request: HTTPRequest, admission: (any Sendable)?, received: MonotonicTime
        ) async -> HTTPResponse {
            let number = order.withLock { order in
                order.append(request.path)
                return order.count
            }
            if let event = event.withLock({ $0 }), event.number == number { event.body() }
            if request.path == "/slow" {
                let end = MonotonicTime.now() + Self.busyTime
                while .now() < end {}
            }
            return HTTPResponse(status: .ok)
        }

        func reject(_ status: HTTPStatus, reason: String, request: RejectedRequest) -> HTTPResponse {
            HTTPResponse(status: status)
        }
    }

    @Test(arguments: [1, 4])
    func `a request waits for one request of each connection that pipelines slow ones, not for their queues`(
        _ greedy: Int
    ) async throws {
        let loop = try EventLoop(label: "test.turns")
        loop.start()
        defer { loop.stop() }
        let responder = Responder()
        let server = HTTPServer(loops: [(loop: loop, responder: responder)], limits: HTTPLimits())
        let port = UInt16(try server.listen(host: "127.0.0.1", port: 0))
        let (sent, received): (Int, Int) = try await onThread {
            let other = try HTTPClient(port: port)
            try other.send("GET /first HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try other.receive().status == 200)
            // The bytes are in the kernel while the 20th request keeps the loop busy, however busy the machine is.
            nonisolated(unsafe) let sender = other
            responder.event.withLock {
                $0 = (20, { try? sender.send("GET /other HTTP/1.1\r\nHost: h\r\n\r\n") })
            }
            let queue = String(repeating: "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n", count: 40)
            let clients = try (0..<greedy).map { _ in
                let client = try HTTPClient(port: port)
                try client.send(queue)
                return client
            }
            #expect(try other.receive().status == 200)
            for client in clients { for _ in 0..<40 { #expect(try client.receive().status == 200) } }
            let order = responder.order.withLock { $0 }
            return (20, (order.firstIndex(of: "/other") ?? order.count) + 1)
        }
        // The present turn may still serve each connection once, and so may the one in which the bytes are found; twice that,
        // as a busy kernel delivers them later. Behind the queues it would be number 40 at least.
        #expect(received - sent <= 4 * greedy + 2, "served as number \(received)")
        #expect(server.shutDown())
    }
}
