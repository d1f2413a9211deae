import Foundation
import LUXTestSupport
import Testing

private let growthLogs =
    ProcessInfo.processInfo.environment["LUX_GROWTH_LOGS"].flatMap { Int($0) }

/// What an upload costs when there are many logs, beside what it costs with 10,000. `LUX_GROWTH_LOGS` sets how many; without it
/// nothing is run: 10,000,000 logs take 5 GB and ten minutes.
@Suite(.enabled(if: growthLogs != nil)) struct GrowthTests {
    private static let devices = 100_000
    private static let rounds = 1_500

    private static func world(logs: Int) throws -> World {
        let world = try World.own()
        try world.sql.script(
            """
            insert into users (phone_number) select '+8210' || (10000000 + n) from generate_series(1, 50000) n;
            insert into real_users (root_user_id) select 1 + (n - 1) / 2 from generate_series(1, \(devices)) n;
            insert into devices (real_user_id, unique_id, connected_at)
                select n, 'unit-' || n, now() from generate_series(1, \(devices)) n;
            """)
        for start in stride(from: 0, to: logs, by: 1_000_000) {
            // Each device's logs lie far apart, as they do when devices take turns.
            try world.sql.script(
                """
                insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag, last_intensity,
                    treatment_time, detail_data, temp_treatment_date, temp_treatment_time)
                select 1 + n % \(devices), 1 + n % \(devices), n / \(devices),
                    timestamptz '2024-01-01T00:00:00Z' + n / \(devices) * interval '1 day', 1, 2, 900,
                    jsonb_build_object('treatment_date', '2024-01-01T00:00:00', 'finish_flag', 1, 'last_intensity', 2,
                        'treatment_time', 900),
                    timestamptz '2024-01-01T00:00:00Z' + n / \(devices) * interval '1 day', 30
                from generate_series(\(start), \(min(logs, start + 1_000_000) - 1)) n
                """)
        }
        for command in ["vacuum (analyze) device_logs", "vacuum (analyze) devices", "checkpoint"] {
            try world.sql.script(command)
        }
        return world
    }

    @Test(.timeLimit(.minutes(60))) func `an upload of one record costs what it costs with 10,000 logs`() async throws {
        try await onThread {
            let worlds = [try Self.world(logs: 10_000), try Self.world(logs: growthLogs ?? 0)]
            var random = SplitMix64(state: 7)
            var times: [[[Double]]] = [[[], [], []], [[], [], []]]
            for round in 0..<Self.rounds {
                let id = Int64.random(in: 1...Int64(Self.devices), using: &random)
                let device = World.Device(id: id, unique: "unit-\(id)")
                let records = [
                    World.record(child: id, device: device, date: "2025-03-01T10:00:30Z"),
                    World.record(child: id, device: device, date: "2025-03-01T10:00:00Z", flag: 1, file: 1_000),
                ]
                for (place, world) in round % 2 == 0 ? Array(worlds.enumerated()) : worlds.enumerated().reversed() {
                    // A temporary log, its completion, a repeat.
                    for (kind, record) in [records[0], records[1], records[1]].enumerated() {
                        let begin = Date()
                        #expect(try world.upload([record], as: 1 + (id - 1) / 2).status == 200)
                        times[place][kind].append(Date().timeIntervalSince(begin) * 1_000)
                    }
                }
            }
            for (kind, name) in ["temporary", "completion", "repeat"].enumerated() {
                let medians = times.map { $0[kind].sorted()[Self.rounds / 2] }
                print("\(name): \(medians) ms, ratio \(medians[1] / medians[0])")
                #expect(medians[1] <= 1.2 * medians[0], "\(name)")
            }
            for world in worlds { world.server.stop() }
        }
    }
}
