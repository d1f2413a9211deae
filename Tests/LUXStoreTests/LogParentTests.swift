import Foundation
import LUXTestSupport
import Testing

/// A log never refers to a device or child that does not exist, whoever inserts or deletes (migration 0009).
@Suite struct LogParentTests {
    /// What a device of each kind of log and its child are called: the kinds are in different indexes.
    private static let kinds = [
        (id: 1, log: "now(), 1, 7"), (id: 2, log: "now(), 1, null"), (id: 3, log: "now(), null, null"),
    ]
    /// A device and a child without logs.
    private static let free = 4

    private static func database(partitioned: Bool = false) throws -> (TestDatabase, SQLSession) {
        let database = try TestDatabase.make()
        let sql = try database.session()
        try sql.script("insert into users (id) values (1)")
        for id in 1...free {
            try sql.script("insert into real_users (id, root_user_id) values (\(id), 1)")
            try sql.script("insert into devices (id, unique_id) values (\(id), 'unit-\(id)')")
        }
        for kind in kinds { try sql.script(insert(kind.id, kind.id, kind.log)) }
        if partitioned { try partition(sql) }
        return (database, sql)
    }

    private static func partition(_ sql: SQLSession) throws {
        let script = try String(
            contentsOfFile: Locations.package + "/Scripts/partition-device-logs.sql", encoding: .utf8)
        try sql.script(script.replacing("BOUNDARY", with: "2100-01-01Z").replacing("END", with: "2200-01-01Z"))
        // Beyond the last partition there is room for another one.
        try sql.script("alter table device_logs detach partition device_logs_third; drop table device_logs_third")
    }

    private static func insert(
        _ device: Int, _ child: Int, _ log: String = "now(), 1, 1", into table: String = "device_logs"
    )
        -> String
    {
        """
        insert into \(table) (device_id, real_user_id, treatment_date, finish_flag, log_file_id)
        values (\(device), \(child), \(log))
        """
    }

    /// The SQLSTATE of a statement in a transaction that is rolled back; empty when it succeeded.
    private static func state(_ statement: String, isolation: String = "read committed", _ sql: SQLSession) throws
        -> String
    {
        try sql.script("begin isolation level \(isolation)")
        try sql.script("select 1")
        defer { _ = try? sql.script("rollback") }
        do {
            try sql.script(statement)
            return ""
        } catch let failure as SQLSession.Failure {
            return failure.sqlState
        }
    }

    private static let violation = "23503"

    @Test(arguments: [false, true]) func `rejects each statement that would leave a log without its device or child`(
        partitioned: Bool
    ) throws {
        let (_, sql) = try Self.database(partitioned: partitioned)
        var cases: [(statement: String, state: String)] = [
            (Self.insert(99, 1), Self.violation), (Self.insert(1, 99), Self.violation), (Self.insert(4, 4), ""),
            // Good rows beside a bad one.
            (Self.insert(1, 1) + ", (2, 2, now(), 1, 8), (3, 99, now(), 1, 9)", Self.violation),
            (Self.insert(1, 1) + ", (2, 2, now(), 1, 8), (3, 3, now(), 1, 9)", ""),
            ("update device_logs set device_id = 99 where device_id = 1", Self.violation),
            ("update device_logs set real_user_id = 99 where device_id = 1", Self.violation),
            ("update device_logs set device_id = 4, real_user_id = 4 where device_id = 1", ""),
            (
                "update device_logs set device_id = 99, treatment_date = '2101-01-01Z' where device_id = 1",
                Self.violation
            ),
            ("insert into device_logs select * from device_logs on conflict do nothing", ""),
            ("truncate devices", Self.violation), ("truncate devices cascade", Self.violation),
            ("truncate devices, device_logs", ""), ("truncate real_users, devices", Self.violation),
            ("delete from devices", Self.violation), ("delete from real_users", Self.violation),
            ("delete from devices where id = \(Self.free)", ""), ("delete from real_users where id = \(Self.free)", ""),
            ("update devices set id = 98 where id = \(Self.free)", ""),
            ("update devices set serial_code = 'new'", ""), ("update devices set id = id", ""),
            ("with gone as (delete from device_logs) delete from devices", ""),
        ]
        for kind in Self.kinds {
            cases.append(("delete from devices where id = \(kind.id)", Self.violation))
            cases.append(("delete from real_users where id = \(kind.id)", Self.violation))
            cases.append(("update devices set id = 98 where id = \(kind.id)", Self.violation))
            cases.append(("update real_users set id = 98 where id = \(kind.id)", Self.violation))
            cases.append(("delete from device_logs; delete from devices where id = \(kind.id)", ""))
        }
        if partitioned {
            // Ids are those of the whole table.
            for (table, log) in [("device_logs_first", "now(), 1, 1"), ("device_logs_second", "'2101-01-01Z', 1, 1")] {
                for (device, child, state) in [(99, 1, Self.violation), (1, 99, Self.violation), (1, 1, "")] {
                    let insert = Self.insert(device, child, log, into: table)
                    cases.append(
                        (
                            insert.replacing("(device_id", with: "(id, device_id").replacing(
                                "values (", with: "values (99, "), state
                        ))
                }
            }
            cases.append(("update device_logs_first set real_user_id = 99 where device_id = 1", Self.violation))
        } else {
            cases.append(
                (
                    "copy device_logs (device_id, real_user_id, treatment_date) from program 'echo 99,1,now' csv",
                    Self.violation
                ))
        }
        for (statement, expected) in cases {
            #expect(try Self.state(statement, sql) == expected, "\(statement)")
        }
    }

    @Test(arguments: ["repeatable read", "serializable"])
    func `a transaction that cannot see new logs deletes no parent`(
        isolation: String
    ) throws {
        let (_, sql) = try Self.database()
        for table in ["devices", "real_users"] {
            let delete = "delete from \(table) where id = \(Self.free)"
            #expect(try Self.state(delete, isolation: isolation, sql) == "0A000")
        }
        #expect(try Self.state(Self.insert(4, 4), isolation: isolation, sql) == "")
        #expect(try Self.state(Self.insert(99, 4), isolation: isolation, sql) == Self.violation)
    }

    /// What one session has begun, what another one tries meanwhile, and how that ends when the first commits or rolls back.
    @Test(arguments: ["devices", "real_users"])
    func `an insertion and a deletion at the same time are one after the other`(
        parent: String
    ) async throws {
        let delete = "delete from \(parent) where id = \(Self.free)"
        let insert = Self.insert(Self.free, Self.free)
        for (first, second, end, expected) in [
            (insert, delete, "commit", Self.violation), (insert, delete, "rollback", ""),
            (delete, insert, "commit", Self.violation), (delete, insert, "rollback", ""),
        ] {
            let state = try await onThread {
                let (database, sql) = try Self.database()
                try sql.script("begin; \(first)")
                let state = Guarded<Result<String, any Error>?>(nil)
                Thread.detachNewThread {
                    let result = Result { try Self.state(second, try database.session()) }
                    state.withLock { $0 = result }
                }
                let observer = try database.session()
                let blocked = """
                    select count(*) from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock'
                    """
                while try observer.integer(blocked) == 0, state.withLock({ $0 == nil }) { usleep(5_000) }
                #expect(state.withLock { $0 == nil }, "\(second) waits for \(first)")
                try sql.script(end)
                while state.withLock({ $0 == nil }) { usleep(5_000) }
                return try state.withLock { try $0?.get() }
            }
            #expect(state == expected, "\(second) during \(first), then \(end)")
        }
    }

    @Test func `neither a session's own tables and operators nor its rights decide`() throws {
        let (_, sql) = try Self.database()
        let role = "writer_\(Unique.number())"
        try sql.script(
            """
            create schema decoy;
            create table decoy.devices as select 99::bigint as id;
            create function decoy.always(bigint, bigint) returns boolean language sql as 'select true';
            create operator decoy.= (leftarg = bigint, rightarg = bigint, function = decoy.always);
            create role \(role);
            grant insert, select on device_logs to \(role);
            grant usage on schema decoy to \(role);
            grant select on decoy.devices to \(role);
            grant temporary on database \(try sql.value("select current_database()") ?? "") to \(role);
            set role \(role);
            create temporary table devices as select 99::bigint as id;
            """)
        for path in ["public", "pg_temp, decoy, pg_catalog, public"] {
            try sql.script("set search_path = \(path)")
            #expect(try Self.state(Self.insert(99, 1, into: "public.device_logs"), sql) == Self.violation, "\(path)")
            #expect(try Self.state(Self.insert(4, 4, into: "public.device_logs"), sql) == "", "\(path)")
        }
        try sql.script("reset role; drop owned by \(role); drop role \(role)")
    }

    /// With a cast of its own, such a trigger would execute code with the rights of the tables' owner.
    @Test(arguments: ["device_logs_check_parents", "device_logs_keep_parents"])
    func `nobody but the owner may use the functions for a trigger of its own`(function: String) throws {
        let (_, sql) = try Self.database()
        let role = "writer_\(Unique.number())"
        try sql.script(
            """
            create role \(role);
            grant temporary on database \(try sql.value("select current_database()") ?? "") to \(role);
            set role \(role);
            create temporary table own (device_id bigint, real_user_id bigint);
            """)
        let trigger = """
            create trigger own after insert on own referencing new table as added for each statement
            execute function public.\(function)()
            """
        #expect(try Self.state(trigger, sql) == "42501")
        try sql.script("reset role; drop owned by \(role); drop role \(role)")
    }

    @Test func `partitions keep the rights of the table`() throws {
        let (_, sql) = try Self.database()
        let role = "writer_\(Unique.number())"
        try sql.script("create role \(role); grant select, insert, update (treatment_time) on device_logs to \(role)")
        try Self.partition(sql)
        try sql.script("set role \(role)")
        for (statement, state) in [
            (Self.insert(4, 4), ""), (Self.insert(99, 4), Self.violation), ("select from device_logs", ""),
            ("update device_logs set treatment_time = 1", ""), ("update device_logs set device_id = 1", "42501"),
            ("delete from device_logs", "42501"),
        ] {
            #expect(try Self.state(statement, sql) == state, "\(statement)")
        }
        try sql.script("reset role; drop owned by \(role); drop role \(role)")
    }

    @Test func `the doctor finds a partition without triggers`() async throws {
        try await onThread {
            let (database, sql) = try Self.database(partitioned: true)
            try sql.script(
                """
                create table device_logs_fourth partition of device_logs for values from ('2200-01-01Z') to ('2300-01-01Z');
                alter table device_logs_second disable trigger check_parents_of_changed
                """)
            let doctor = try LUXCommand.run(["doctor"], environment: ["DATABASE_URL": database.connectionString])
            let missing = [
                "device_logs_fourth.check_parents_of_changed", "device_logs_fourth.check_parents_of_new",
                "device_logs_second.check_parents_of_changed",
            ]
            #expect(
                doctor.output.contains("missing or disabled: \(missing.joined(separator: ", "))\n"), "\(doctor.output)")
        }
    }
}
