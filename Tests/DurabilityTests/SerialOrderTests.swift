import Foundation
import LUXTestSupport
import Testing

/// Requests at the same time: their responses and the tables must be those of some serial order.
///
/// `LUX_CONCURRENCY_SECONDS` changes for how long.
@Suite struct SerialOrderTests {
    private static let seconds =
        ProcessInfo.processInfo.environment["LUX_CONCURRENCY_SECONDS"].flatMap { Double($0) } ?? 60

    /// All orders of so many requests.
    private static func orders(_ count: Int) -> [[Int]] {
        guard count > 1 else { return [Array(0..<count)] }
        return orders(count - 1).flatMap { order in
            (0...order.count).map { place in
                var longer = order
                longer.insert(count - 1, at: place)
                return longer
            }
        }
    }

    /// Sends all requests at the same time, each on a connection of its own.
    private static func responses(to requests: [ModelRequest], _ world: ModelWorld, _ clients: [HTTPClient]) throws
        -> [ModelResponse]
    {
        for (client, request) in zip(clients, requests) { try client.send(world.bytes(request)) }
        return try clients.map { client in
            let reply = try client.receive()
            return ModelResponse(status: reply.status, body: reply.text)
        }
    }

    @Test func `64 clients in groups of four: responses and tables of each group are those of some order`() async throws
    {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database)
            let end = Date(timeIntervalSinceNow: Self.seconds)
            let orders = Self.orders(4)
            let rounds = try simultaneously(16) { group -> Int in
                let world = try ModelWorld(World(database, server))
                let clients = try (0..<4).map { _ in try server.connect() }
                var model = ModelWorld.model
                var generator = RequestGenerator(seed: UInt64(group))
                var rounds = 0
                while Date() < end {
                    let requests = (0..<4).map { _ in generator.next(model) }
                    let responses = try Self.responses(to: requests, world, clients)
                    // The account has guessed too many device codes, which the model does not count.
                    if responses.contains(where: { $0.status == 429 }) { break }
                    let stored = try world.stored(world.world.sql)
                    let explanation = orders.lazy.compactMap { order -> WorldModel? in
                        var candidate = model
                        for index in order where candidate.handle(requests[index], world.names) != responses[index] {
                            return nil
                        }
                        return ModelWorld.difference(of: stored, from: candidate) == nil ? candidate : nil
                    }.first
                    guard let explanation else {
                        let lines = zip(requests, responses).map { "\($0.curl(world.names))\n→ \($1)" }
                        Issue.record(
                            "group \(group), round \(rounds): no order explains\n\(lines.joined(separator: "\n"))\n\(stored)"
                        )
                        return rounds
                    }
                    model = explanation
                    rounds += 1
                    // The search is quick while there are few logs.
                    if model.logs.count > 200 { break }
                }
                return rounds
            }
            print("serial order: \(rounds.reduce(0, +)) rounds of 4 requests")
            #expect(rounds.allSatisfy { $0 > 10 })
            try Self.expectNoDeadlock(database)
            server.stop()
        }
    }

    @Test
    func `64 clients on the same few pairs break no rule, meet no deadlock and get no response but the contract's`()
        async throws
    {
        try await onThread {
            let database = try TestDatabase.make()
            let server = try TestServer(database)
            let shared = try ModelWorld(World(database, server))
            let requests = Guarded(RequestGenerator(seed: 64))
            let names = shared.names
            let bytes = { @Sendable (request: ModelRequest, world: ModelWorld) in world.bytes(request) }
            let end = Date(timeIntervalSinceNow: Self.seconds / 4)
            nonisolated(unsafe) let world = shared
            let statuses = try simultaneously(64) { _ -> [Int: Int] in
                let client = try server.connect()
                var statuses: [Int: Int] = [:]
                while Date() < end {
                    let request = requests.withLock { $0.next(ModelWorld.model) }
                    try client.send(bytes(request, world))
                    let reply = try client.receive()
                    statuses[reply.status, default: 0] += 1
                    if reply.status >= 500 || reply.text.contains("Log Failed") {
                        Issue.record("\(request.curl(names)) → \(reply.summary)")
                        break
                    }
                }
                return statuses
            }.reduce(into: [:]) { total, one in total.merge(one) { $0 + $1 } }
            print("64 clients: \(statuses.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })")
            #expect(statuses[200, default: 0] > 100)
            try Self.expectRules(database)
            try Self.expectNoDeadlock(database)
            server.stop()
        }
    }

    /// The rules that hold for the tables whatever was sent.
    static func expectRules(_ database: TestDatabase) throws {
        let sql = try database.session()
        let breaches: [(rule: String, query: String)] = [
            (
                "a pair has one temporary log",
                "select 1 from device_logs where finish_flag is null group by device_id, real_user_id having count(*) > 1"
            ),
            (
                "a device has one complete log of a number and a start",
                """
                select 1 from device_logs where finish_flag is not null
                group by device_id, log_file_id, treatment_date having count(*) > 1
                """
            ),
            (
                "last_log_file_id is the highest number stored since the counter restarted",
                """
                select 1 from devices d where last_log_file_id <>
                    (select coalesce(max(log_file_id), 0) from device_logs where device_id = d.id and finish_flag is not null
                        and treatment_date >= coalesce(d.log_counter_restart, '-infinity'))
                """
            ),
            (
                "a temporary log has no number and never was another one",
                "select 1 from device_logs where finish_flag is null and (log_file_id is not null or temp_treatment_date is not null)"
            ),
            (
                "a log is what was sent",
                """
                select 1 from device_logs where
                    (detail_data->>'last_intensity')::int is distinct from last_intensity
                    or (detail_data->>'treatment_time')::int is distinct from treatment_time
                    or (detail_data->>'finish_flag')::int is distinct from finish_flag
                    or (detail_data->>'treatment_date')::timestamptz
                        - case when finish_flag is null then interval '30 seconds' else interval '0' end
                        is distinct from treatment_date
                """
            ),
            (
                "a device that is not connected has no alias",
                "select 1 from devices where real_user_id is null and (device_alias is not null or connected_at is not null)"
            ),
        ]
        for (rule, query) in breaches {
            #expect(try sql.integer("select count(*) from (\(query)) breaches") == 0, "\(rule)")
        }
    }

    private static func expectNoDeadlock(_ database: TestDatabase) throws {
        let deadlocks = try database.session().integer(
            "select deadlocks from pg_stat_database where datname = current_database()")
        #expect(deadlocks == 0)
    }
}
