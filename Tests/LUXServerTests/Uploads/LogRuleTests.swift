import LUXTestSupport
import Testing

/// The rules of the upload, through the running server and its tables.
@Suite(.bothDoors) struct LogRuleTests {
    /// The rows of one case.
    private struct Rows {
        let world: World
        var users: [LogRuleCase.User: Int64] = [:]
        var children: [LogRuleCase.Child: Int64] = [.absent: 9_000_000_000]
        var devices: [LogRuleCase.Device: World.Device] = [.absent: World.Device(id: 9_000_000_000, unique: "absent")]

        init() throws {
            world = try World()
            let parent = try world.user()
            let stranger = try world.user()
            users = [.parent: parent, .stranger: stranger]
            children[.first] = try world.child(of: parent)
            children[.second] = try world.child(of: parent)
            children[.stranger] = try world.child(of: stranger)
            devices[.first] = try world.device(of: children[.first])
            devices[.second] = try world.device(of: children[.second])
        }

        func text(_ record: LogRuleCase.Record) throws -> String {
            var device = try #require(devices[record.device])
            if !record.hasRightUniqueID { device = World.Device(id: device.id, unique: "wrong") }
            return World.record(
                child: try #require(children[record.child]), device: device, date: record.date,
                flag: record.flag.map { Int($0) }, intensity: Int(record.intensity),
                time: Int(record.seconds), file: record.file)
        }

        func connect(_ device: LogRuleCase.Device, _ child: LogRuleCase.Child?) throws {
            try world.sql.query(
                "update devices set real_user_id = $2, connected_at = now() where id = $1",
                [String(try #require(devices[device]).id), child.flatMap { children[$0] }.map { String($0) }])
        }

        func everything() throws -> [String] {
            try [LogRuleCase.Device.first, .second].map { try world.everything(of: #require(devices[$0])) }
        }

        /// The logs of both devices in the order in which they were created, as ``inWords(_:)`` writes them.
        func logs() throws -> [String] {
            let ids = try [LogRuleCase.Device.first, .second].map { String(try #require(devices[$0]).id) }
            return try world.sql.query(
                """
                select concat_ws(' ', device_id, real_user_id, coalesce(log_file_id::text, '-'),
                    to_char(treatment_date at time zone 'UTC', 'HH24:MI:SS'), coalesce(finish_flag::text, '-'),
                    last_intensity, coalesce(to_char(temp_treatment_date at time zone 'UTC', 'HH24:MI:SS'), '-'))
                from device_logs where device_id in ($1::bigint, $2::bigint) order by id
                """, ids
            ).compactMap { $0.first ?? nil }
        }

        func inWords(_ log: LogRuleCase.Log) throws -> String {
            let words: [String] = [
                String(try #require(devices[log.device]).id), String(try #require(children[log.child])),
                log.file.map { String($0) } ?? "-", log.start, log.flag.map { String($0) } ?? "-",
                String(log.intensity), log.temporaryStart ?? "-",
            ]
            return words.joined(separator: " ")
        }
    }

    @Test(arguments: LogRuleCase.all) func `keeps the rule on the server`(_ rule: LogRuleCase) throws {
        let rows = try Rows()
        for (number, step) in rule.steps.enumerated() {
            switch step {
            case .connect(let device, let child):
                try rows.connect(device, child)
            case .upload(let records, let user, let response):
                let body = try records.map { try rows.text($0) }
                let userID = try #require(rows.users[user])
                expect(try rows.world.upload(body, as: userID), response, "step \(number)")
                let stored = try rows.everything()
                expect(try rows.world.upload(body, as: userID), response, "step \(number), repeated")
                #expect(try rows.everything() == stored, "step \(number), repeated")
            }
        }
        #expect(try rows.logs() == rule.logs.map { try rows.inWords($0) })
        let last = try [LogRuleCase.Device.first, .second].map {
            try rows.world.lastLogFileID(of: #require(rows.devices[$0]))
        }
        #expect(last == rule.lastLogFileIDs)
    }

    private func expect(_ reply: HTTPReply, _ response: LogRuleCase.Response, _ context: String) {
        switch response {
        case .temporary: #expect(reply.summary == "200 \(Saved.temporary)", "\(context)")
        case .complete: #expect(reply.summary == "200 \(Saved.complete)", "\(context)")
        case .rejected(let status, let detail):
            #expect(reply.status == status && reply.detail == detail, "\(context) → \(reply.summary)")
        }
    }
}
