import Foundation
import Glibc
import LUXTestSupport
import Testing

/// Why rows stay open or are settled.
extension AlimtalkReconcileTests {
    struct Case: Sendable {
        var kit: AlimtalkKit
        var reply: FakeProvider.Behaviour
        var expected: String
        /// `nil` where the row stays as it is.
        var status: String?
        var age = "5 minutes"
        var phone: String? = "+821093847561"
        var calls = 1
        var exit: Int32 = 1
    }

    /// A list of Solapi with messages of other programs.
    private static func others(_ fields: String...) -> FakeProvider.Behaviour {
        let messages = fields.enumerated().map { index, fields in
            #""M\#(index)":{"messageId":"M\#(index)","statusCode":"4000"\#(fields)}"#
        }
        return .reply(200, #"{"limit":500,"nextKey":null,"messageList":{\#(messages.joined(separator: ","))}}"#)
    }

    private static let another = #","customFields":{"reference":"lux-1-1"}"#

    @Test(arguments: [
        Case(
            kit: .sens, reply: .reply(404, ""), expected: "failed: sens: not found", status: "failed", calls: 2, exit: 0
        ),
        Case(kit: .sens, reply: .reply(404, #"{"error":{"errorCode":"300"}}"#), expected: "left open: sens: HTTP 404"),
        Case(kit: .sens, reply: .hang, expected: "phone number is gone", phone: nil, calls: 0),
        Case(kit: .nhn, reply: .reply(401, ""), expected: "left open: nhn: HTTP 401"),
        Case(kit: .solapi, reply: .resetAfter, expected: "left open: solapi: "),
        Case(kit: .nhn, reply: .hang, expected: "left open: nhn: no response in time"),
        Case(kit: .solapi, reply: found(.solapi, nil, #","nextKey":"M4V8""#), expected: "left open: solapi: a page"),
        Case(
            kit: .solapi, reply: found(.solapi, nil, #","nextKey":null"#), expected: "failed: solapi: not found",
            status: "failed", calls: 2, exit: 0),
        Case(kit: .solapi, reply: others(another), expected: "not found", status: "failed", calls: 2, exit: 0),
        Case(kit: .solapi, reply: others(""), expected: "no reference and may be this one", calls: 2),
        Case(kit: .solapi, reply: others(another, #","customFields":{}"#), expected: "no reference", calls: 2),
        Case(kit: .solapi, reply: others(another, #","customFields":null"#), expected: "no reference", calls: 2),
        Case(
            kit: .solapi, reply: others(#","to":"01011112222""#), expected: "not found", status: "failed", calls: 2,
            exit: 0),
        Case(
            kit: .solapi, reply: others(another), expected: "not found", status: "failed", phone: "+12025550123",
            exit: 0),
        Case(kit: .nhn, reply: found(.nhn, "lux-1-1"), expected: "left open: nhn: HTTP 200"),
        // The number is not needed.
        Case(kit: .nhn, reply: found(.nhn, nil), expected: "not found", status: "failed", phone: nil, exit: 0),
        Case(
            kit: .solapi, reply: others(another), expected: "not found", status: "failed", phone: nil, exit: 0),
        Case(kit: .nhn, reply: .hang, expected: "1 older than 30 days are not", age: "31 days", calls: 0, exit: 0),
    ]) func `each row that is left open is reported with the reason`(_ test: Case) async throws {
        try await onThread {
            let (database, provider) = (try TestDatabase.make(), try FakeProvider(test.reply))
            let world = try World(database, World.sharedServer)
            _ = try row(world, test.kit, "pending", age: test.age, user: try world.user(phone: test.phone))
            let run = try reconcile(test.kit, provider, database)
            #expect(run.ending == .exit(test.exit) && run.output.contains(test.expected), "\(run.everything)")
            #expect(try rows(world)[0][0] == test.status ?? "pending")
            #expect(provider.connections == test.calls)
            #expect(!run.everything.contains("93847561") && !run.everything.contains(AlimtalkKit.secret))
        }
    }

    @Test(arguments: [
        (#","messageStatus":"FAILED","resultCode":"3019""#, "failed"),
        (#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC05""#, "failed"),
        (#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC04""#, "sent"),
        (#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC01""#, "failed"),
        (#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC02""#, "unknown"),
        (#","messageStatus":"FAILED","resultCode":"3019","resendStatus":"RSC03""#, "unknown"),
        (#","messageStatus":"FAILED","resultCode":"3005""#, "sent"),
        (#","messageStatus":"FAILED","resultCode":3005,"resendStatus":"RSC01""#, "sent"),
        (#","messageStatus":"CANCEL""#, "failed"), (#","messageStatus":"COMPLETED","resultCode":"1000""#, "sent"),
        (#","messageStatus":"READY""#, "sent"),
    ]) func `nhn: what was delivered, by whichever way, is sent; what is in flight waits`(
        _ delivery: String, _ status: String
    ) async throws {
        try await onThread {
            let (database, provider) = (try TestDatabase.make(), try FakeProvider())
            let world = try World(database, World.sharedServer)
            let reference = try row(
                world, .nhn, "unknown", age: "5 minutes", user: try world.user(phone: "+821093847561"))
            provider.reset(to: Self.found(.nhn, reference, delivery))
            // A row that waits for the provider does not fail the run.
            let run = try reconcile(.nhn, provider, database)
            #expect(run.ending == .exit(0) && run.output.contains(" waits: ") == (status == "unknown"))
            #expect(try rows(world)[0][0] == status)
        }
    }
}
