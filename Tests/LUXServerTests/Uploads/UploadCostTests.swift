import Foundation
import LUXTestSupport
import Testing

/// POST devlog: the work is proportional to the records, whatever they have in common and whatever is stored.
@Suite struct UploadCostTests {
    private static let sessions = """
        select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
        """

    /// Index entries read for `count` records that are sent twice, and the milliseconds of the second upload.
    private func cost(_ count: Int, _ record: (Int64, World.Device, Int) -> String) throws -> (read: Int64, Double) {
        let world = try World.own()
        let (user, child, device) = try world.family()
        let records = (0..<count).map { record(child, device, $0) }
        #expect(try world.upload(records, as: user).status == 200)
        let stored = try world.everything(of: device)
        let begin = Date()
        #expect(try world.upload(records, as: user).status == 200)
        let milliseconds = Date().timeIntervalSince(begin) * 1_000
        #expect(try world.everything(of: device) == stored)
        world.server.stop()
        // A session's counts are complete when the session has ended.
        for _ in 0..<100 where try world.sql.integer(Self.sessions) > 0 { Thread.sleep(forTimeInterval: 0.02) }
        let read = try world.sql.integer(
            "select sum(idx_tup_read) from pg_stat_user_indexes where relname in ('device_logs', 'devices')")
        return (read, milliseconds)
    }

    @Test(
        arguments: [
            ("complete records of one start", "2025-03-01T10:00:00Z", 1, true),
            ("complete records without a number", nil, 1, false), ("complete records in order", nil, 1, true),
            ("temporary records", nil, nil, false),
            ("temporary records of one start", "2025-03-01T10:00:00Z", nil, false),
        ] as [(String, String?, Int?, Bool)])
    func `reads index entries in proportion to the records`(
        _ name: String, _ start: String?, _ flag: Int?, _ isNumbered: Bool
    ) async throws {
        try await onThread {
            var costs: [(read: Int64, Double)] = []
            for count in [1_000, 4_000] {
                costs.append(
                    try cost(count) { child, device, number in
                        let time =
                            "\(number / 3_600)".leftPadded + ":\(number / 60 % 60)".leftPaddedMinute
                            + ":\(number % 60)".leftPaddedMinute
                        return World.record(
                            child: child, device: device, date: start ?? "2025-03-01T\(time)Z", flag: flag, time: 5,
                            file: isNumbered ? Int64(number) : nil)
                    })
            }
            print("\(name): \(costs)")
            for (cost, count) in zip(costs, [1_000, 4_000]) {
                #expect(cost.read <= 8 * Int64(count) + 200, "\(count): \(costs)")
            }
        }
    }

    @Test func `repeats of a log that was stored with huge numbers write none of them out`() async throws {
        try await onThread {
            let world = try World.own()
            let (user, child, device) = try world.family()
            // As uploads could store it before numbers had limits: as text more than PostgreSQL can write.
            try world.sql.query(
                """
                insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag, last_intensity,
                    treatment_time, detail_data)
                values ($1, $2, 1, '2025-03-01T10:00:00Z', 1, 2, 60,
                    ('{"n":[' || repeat('1e131071,', 8300) || '0]}')::jsonb)
                """, [String(device.id), String(child)])
            let record = World.record(child: child, device: device, date: "2025-03-01T10:00:00Z", flag: 1, file: 1)
            let begin = Date()
            expect(try world.upload([record], as: user), json: Saved.complete)
            #expect(Date().timeIntervalSince(begin) < 2)
            #expect(
                try world.sql.value(
                    "select detail_data->>'treatment_time' from device_logs where device_id = $1", [String(device.id)])
                    == "60")
            world.server.stop()
        }
    }

    @Test func `a value with other digits is another value, one in another spelling is not`() throws {
        let world = try World()
        let (user, child, device) = try world.family()
        func upload(_ note: String) throws -> String {
            let record = World.record(
                child: child, device: device, date: "2025-03-01T10:00:00Z", flag: 1, file: 1, more: #","note":\#(note)"#
            )
            expect(try world.upload([record], as: user), json: Saved.complete)
            return try world.sql.value(
                "select (detail_data->>'note') || ' ' || updated_at from device_logs where device_id = $1",
                [String(device.id)]) ?? ""
        }
        var last = try upload("1.0")
        for (note, changes) in [
            ("1.0", false), ("1.00", true), ("100e-2", false), ("10e-1", true), ("[1,2]", true), ("[1, 2]", false),
            (#""é""#, true), (#""\u00e9""#, false),
        ] {
            let now = try upload(note)
            #expect((now != last) == changes, "\(note): \(last) → \(now)")
            last = now
        }
    }
}

extension String {
    fileprivate var leftPadded: String { count < 2 ? "0" + self : self }

    /// Of a text such as `:7`.
    fileprivate var leftPaddedMinute: String { count < 3 ? ":0" + dropFirst() : self }
}
