import LUXTestSupport
import Testing

/// RFC 9112 clause by clause, on the wire.
@Suite struct ClauseTests {
    let server = World.sharedServer

    private static let next = "GET /readyz HTTP/1.1\r\nHost: h\r\nX-Request-ID: next\r\n\r\n"

    @Test func `follows each clause, and reads nothing after a rejected request`() throws {
        for clause in ClauseCase.all {
            do { try check(clause) } catch { Issue.record("\(clause) → \(error)") }
        }
    }

    @Test func `has a case for each section from 2 to 9 and for 11`() {
        let sections = Set(ClauseCase.all.compactMap { $0.clause.first.flatMap { $0 == "9" ? nil : String($0) } })
        #expect(sections.isSuperset(of: ["2", "3", "5", "6", "7", "1"]))
        #expect(ClauseCase.all.contains { $0.clause.hasPrefix("9.") })
    }

    private func check(_ clause: ClauseCase) throws {
        let client = try server.connect(timeout: 5)
        // The next request comes in the same segment: if the server lost count of bytes, its response shows it.
        try client.send(clause.bytes + Self.next)
        for (place, status) in clause.statuses.enumerated() {
            let reply = try client.receive(to: clause.bytes.hasPrefix("HEAD") ? "HEAD" : "GET")
            #expect(reply.status == status, "\(clause), response \(place + 1): \(reply.summary)")
            #expect(reply.requestID != "next", "\(clause), response \(place + 1)")
            let isLast = clause.after == .closed && place == clause.statuses.count - 1
            #expect((reply.header("Connection")?.lowercased() == "close") == isLast, "\(clause), response \(place + 1)")
            #expect(reply.status == 405 ? reply.header("Allow") != nil : true, "\(clause)")
        }
        switch clause.after {
        case .kept: #expect(try client.receive().requestID == "next", "\(clause): the connection was to be kept")
        case .closed: #expect(try client.isEnded(), "\(clause): a request after the rejected one got a response")
        }
    }
}
