import LUXTestSupport
import Testing

/// POST devlog: the four requests of the API page, one after the other.
@Suite struct UploadExamplesTests {
    let world: World
    let user: Int64
    let child: Int64
    let device: World.Device

    init() throws {
        world = try World()
        (user, child, device) = try world.family()
    }

    private func temporary() -> String {
        World.record(child: child, device: device, date: "2025-02-21T15:48:49", intensity: 2, time: 255_555)
    }

    private func complete(day: Int, file: Int64) -> String {
        World.record(
            child: child, device: device, date: "2025-02-\(day)T15:48:49", flag: 2, intensity: 25, time: 500_000,
            file: file)
    }

    @Test func `creates, updates and completes a temporary log, then stores more logs`() throws {
        expect(try world.upload([temporary()], as: user), json: Saved.temporary, "1. create")
        let created = "\(child) | - | 2025-02-21T06:48:19.000Z | - | 2 | 255555 | -"
        #expect(try world.logs(of: device) == [created])
        let before = try world.everything(of: device)

        expect(try world.upload([temporary()], as: user), json: Saved.temporary, "2. update")
        #expect(try world.everything(of: device) == before, "the same upload changes nothing")
        #expect(try world.lastLogFileID(of: device) == 0)

        expect(try world.upload([complete(day: 14, file: 1)], as: user), json: Saved.complete, "3. complete")
        let completed =
            "\(child) | 1 | 2025-02-14T06:48:49.000Z | 2 | 25 | 500000 | 2025-02-21T06:48:19.000Z"
        #expect(try world.logs(of: device) == [completed])
        #expect(try world.lastLogFileID(of: device) == 1)

        let both = [complete(day: 14, file: 1), complete(day: 15, file: 2)]
        expect(try world.upload(both, as: user), json: Saved.complete, "4. upload")
        let second = "\(child) | 2 | 2025-02-15T06:48:49.000Z | 2 | 25 | 500000 | -"
        #expect(try world.logs(of: device) == [completed, second])
        #expect(try world.lastLogFileID(of: device) == 2)
    }

    @Test func `writes the first record of several over the temporary log`() throws {
        _ = try world.upload([temporary()], as: user)
        let id = try world.sql.integer("select id from device_logs where device_id = $1", [String(device.id)])
        let both = [complete(day: 14, file: 1), complete(day: 15, file: 2)]
        expect(try world.upload(both, as: user), json: Saved.complete)
        let files = try world.sql.query(
            "select id = $2, log_file_id from device_logs where device_id = $1 order by log_file_id",
            [String(device.id), String(id)])
        #expect(files == [["t", "1"], ["f", "2"]])
    }

    @Test func `updates the temporary log with later data`() throws {
        _ = try world.upload([temporary()], as: user)
        let later = World.record(
            child: child, device: device, date: "2025-02-21T16:00:00", intensity: 9, time: 300, more: #","note":"x""#)
        expect(try world.upload([later], as: user), json: Saved.temporary)
        #expect(try world.logs(of: device) == ["\(child) | - | 2025-02-21T06:59:30.000Z | - | 9 | 300 | -"])
    }

    @Test func `keeps detail_data as it was sent, unknown keys included`() throws {
        let more =
            #","Battery":{"mv":[4012,3.70,-1e-3],"ok":true,"none":null},"한글":"é\ud83d\ude00","#
            + #""n":12345678901234567890"#
        let record = World.record(
            child: child, device: device, date: "2025-02-14 15:48:49.5+09:00", flag: 1, file: 3, more: more)
        expect(try world.upload([record], as: user), json: Saved.complete)
        let sent =
            #"{"treatment_date":"2025-02-14 15:48:49.5+09:00","finish_flag":1,"last_intensity":2,"#
            + #""treatment_time":60\#(more)}"#
        let kept = try world.sql.value(
            "select detail_data = $2::jsonb from device_logs where device_id = $1", [String(device.id), sent])
        #expect(kept == "t")
    }

    @Test func `stores the largest values and a log file id of 0`() throws {
        let record = World.record(
            child: child, device: device, date: "2025-02-14T15:48:49Z", flag: 6, intensity: 2_147_483_647,
            time: 2_147_483_647, file: 2_147_483_647)
        let zero = World.record(
            child: child, device: device, date: "2025-02-13T15:48:49Z", flag: 5, intensity: 0, time: 0, file: 0)
        expect(try world.upload([record, zero], as: user), json: Saved.complete)
        #expect(try world.lastLogFileID(of: device) == 2_147_483_647, "an older log does not lower it")
        #expect(try world.logs(of: device).count == 2)
    }

    @Test func `stores five thousand records of one request`() throws {
        let records = (0..<5000).map { number -> String in
            let date =
                "2025-01-\(10 + number / 3600)T0\(number / 600 % 6):\(10 + number / 60 % 10):\(10 + number % 50)Z"
            return
                #"{"real_user_id":\#(child),"device_id":\#(device.id),"unique_id":"\#(device.unique)","detail_data":"#
                + #"{"treatment_date":"\#(date)","finish_flag":1,"last_intensity":1,"treatment_time":1},"#
                + #""log_file_id":\#(number + 1)}"#
        }
        expect(try world.upload(records, as: user), json: Saved.complete)
        #expect(try world.logs(of: device).count == 5000)
        #expect(try world.lastLogFileID(of: device) == 5000)
    }
}
