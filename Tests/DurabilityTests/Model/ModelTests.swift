import Foundation
import LUXTestSupport
import Testing

/// Random histories over all endpoints, sent to the running server and to the model: after each step the response and all
/// tables are what the model says. Several histories run in parallel, and their uploads share transactions.
///
/// `LUX_MODEL_STEPS` and `LUX_MODEL_SEED` change length and seed; see `Scripts/model`.
@Suite struct ModelTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let steps = environment["LUX_MODEL_STEPS"].flatMap { Int($0) } ?? 20_000
    private static let seed = environment["LUX_MODEL_SEED"].flatMap { UInt64($0) } ?? 20_250_301
    /// Steps in one world: long enough for every state of a few logs, short enough to shrink.
    private static let historyLength = 120

    /// A step that went wrong.
    private struct Failure {
        var step: Int
        var reason: String
    }

    /// How many histories run in parallel, each in a world of its own, so that their uploads share transactions.
    private static let histories = 8

    @Test func `responses and tables are those of the model, whatever is sent in whatever order`() async throws {
        try await onThread {
            let database = try TestDatabase.make()
            // One loop has one upload writer.
            let server = try TestServer(database, environment: ["LUX_LOOPS": "1"])
            print("model: \(Self.steps) steps, seed \(Self.seed)")
            let failed = Flag()
            let done = try simultaneously(Self.histories) { index -> Int in
                let world = try World(database, server)
                var random = SplitMix64(state: Self.seed &+ UInt64(index))
                var done = 0
                while done < Self.steps / Self.histories, !failed.isSet {
                    let length = min(Self.historyLength, Self.steps / Self.histories - done)
                    guard try Self.runRandomHistory(world, seed: random.next(), steps: length) else {
                        failed.set()
                        break
                    }
                    done += length
                }
                return done
            }.reduce(0, +)
            #expect(done >= Self.steps / Self.histories * Self.histories)
            let transactions = try UploadTransactions(of: server)
            print("model: \(transactions)")
            #expect(transactions.shared > Self.steps / 1_000)
            server.stop()
        }
    }

    /// - Returns: whether nothing was wrong.
    private static func runRandomHistory(_ world: World, seed: UInt64, steps: Int) throws -> Bool {
        var generator = RequestGenerator(seed: seed)
        var requests: [ModelRequest] = []
        let failure = try Self.run(ModelWorld(world), steps: steps) { step, model in
            requests.append(generator.next(model))
            return requests[step]
        }
        if let failure { try report(failure, requests, world) }
        return failure == nil
    }

    @Test func `the rules hold for every order of three uploads, each repeated at each later place`() async throws {
        try await onThread {
            func record(_ date: Int, _ flag: Int?, file: Int64? = nil, intensity: Int = 2) -> ModelRequest.Record {
                .init(child: 0, device: 0, file: file, date: date, flag: flag, intensity: intensity, time: 60, note: 0)
            }
            let kinds: [[ModelRequest.Record]] = [
                [record(30, nil)], [record(30, nil, intensity: 5)], [record(60, nil, intensity: 6)],
                [record(0, 1, file: 1)], [record(3_630, nil)], [record(1_800, 1, file: 2), record(2_400, 2, file: 3)],
            ]
            let uploads = kinds.map { ModelRequest(user: 0, action: .upload($0)) }
            let world = try World.own(environment: ["LUX_ALIMTALK_USER_LIMIT": "0"])
            var histories = 0
            for first in uploads {
                for second in uploads {
                    for third in uploads {
                        let order = [first, second, third]
                        // Which one comes again, and behind which.
                        for (again, place) in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)] {
                            var requests = order
                            requests.insert(order[again], at: place + 1)
                            let failure = try Self.run(ModelWorld(world), steps: requests.count) { step, _ in
                                requests[step]
                            }
                            if let failure { return try Self.report(failure, requests, world) }
                            histories += 1
                        }
                    }
                }
            }
            #expect(histories == 6 * 6 * 6 * 6)
            world.server.stop()
        }
    }

    /// Sends the request that `request` returns for each step.
    private static func run(
        _ world: ModelWorld, steps: Int, _ request: (_ step: Int, _ model: WorldModel) -> ModelRequest
    ) throws -> Failure? {
        var model = ModelWorld.model
        let client = try world.world.server.connect()
        var changes: [String: (updatedAt: String, version: Int)] = [:]
        for step in 0..<steps {
            let request = request(step, model)
            let expected = model.handle(request, world.names)
            try client.send(world.bytes(request))
            let reply = try client.receive()
            let response = ModelResponse(status: reply.status, body: reply.text)
            guard response == expected else { return Failure(step: step, reason: "\(response), not \(expected)") }
            let tables = try world.stored(world.world.sql)
            if let difference = ModelWorld.difference(of: tables, from: model) {
                return Failure(step: step, reason: difference)
            }
            for (stored, log) in zip(tables.logs, model.logs) {
                // What did not change keeps its time, what did has a new one.
                if let before = changes[stored.id],
                    (before.updatedAt == stored.updatedAt) != (before.version == log.version)
                {
                    return Failure(
                        step: step, reason: "updated_at of log \(stored.id): \(before) → \(stored.updatedAt)")
                }
                changes[stored.id] = (stored.updatedAt, log.version)
            }
        }
        return nil
    }

    /// Leaves out requests for as long as what is left still fails, and prints the rest as curl lines.
    private static func report(_ failure: Failure, _ requests: [ModelRequest], _ world: World) throws {
        var shortest = Array(requests[...failure.step])
        var reason = failure.reason
        var size = shortest.count / 2
        while size > 0 {
            var start = 0
            while start < shortest.count {
                var candidate = shortest
                candidate.removeSubrange(start..<min(start + size, shortest.count))
                if let smaller = try self.run(ModelWorld(world), steps: candidate.count, { step, _ in candidate[step] })
                {
                    shortest = Array(candidate[...smaller.step])
                    reason = smaller.reason
                } else {
                    start += size
                }
            }
            size /= 2
        }
        let last = try ModelWorld(world)
        let lines = shortest.map { $0.curl(last.names) }.joined(separator: "\n")
        Issue.record("seed \(seed): \(reason)\nThe shortest history that shows it:\n\(lines)")
    }
}
