import Foundation
import LUXTestSupport
import Testing

/// Runs each test of a suite twice: its requests go to a running server, then to the responder in the test process.
/// `LUX_TEST_DOOR=server` or `LUX_TEST_DOOR=process` selects one of the two.
///
/// For suites whose worlds are created by `World()` in their `init` and that read no log of the server.
struct BothDoors: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    private static let selected = ProcessInfo.processInfo.environment["LUX_TEST_DOOR"]

    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        if Self.selected != "process" { try await function() }
        if Self.selected != "server" { try await World.$door.withValue(ResponderDoor.shared) { try await function() } }
    }
}

extension Trait where Self == BothDoors {
    /// Each test runs against a server and in process.
    static var bothDoors: Self { Self() }
}

/// The responder in the test process and the server respond alike.
@Suite struct BothDoorsTests {
    @Test func `a response is the same through both doors, but for its request id and its date`() throws {
        let (wire, process) = (
            try World(), try World(World.sharedDatabase, World.sharedServer, door: ResponderDoor.shared)
        )
        let (user, child, _) = try wire.family()
        let requests: [(method: String, target: String, body: String?)] = [
            ("GET", "child-device?real_user_id=\(child)", nil), ("HEAD", "child-device?real_user_id=\(child)", nil),
            ("GET", "child-device?real_user_id=x", nil), ("GET", "child-device?real_user_id=%zz", nil),
            ("GET", "none", nil), ("DELETE", "devlog", nil), ("OPTIONS", "*", nil), ("POST", "devlog", "{"),
            ("POST", "devlog", #"{"log_arrays":[]}"#), ("GET", "/readyz", nil), ("GET", "/openapi.json", nil),
        ]
        for (method, target, body) in requests {
            let replies = try [wire, process].map { world in
                let reply = try world.call(method, target, as: user, body: body)
                let fields = reply.headers.filter { !["date", "x-request-id"].contains($0.name.lowercased()) }
                return [
                    "\(reply.status)", fields.map { "\($0.name): \($0.value)" }.joined(separator: "\n"), reply.text,
                ]
            }
            #expect(replies[0] == replies[1], "\(method) \(target)")
        }
    }
}
