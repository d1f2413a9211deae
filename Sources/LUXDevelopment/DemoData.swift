import Postgres

/// What `lux-server dev` puts into an empty database.
package enum DemoData {
    /// Two users, three children, five devices, firmware versions and some logs, if there is no user yet.
    package static func insert(_ session: PostgresSession) throws {
        guard try session.query("select 1 from users limit 1").isEmpty else { return }
        try session.execute(script: script)
    }

    private static let script = """
        insert into users (id, phone_number) values (1, '+821012345678'), (2, null);
        insert into real_users (id, root_user_id, first_name, last_name, birthdate, gender) values
          (1, 1, 'Minjun', 'Kim', '20150314', 'M'),
          (2, 1, 'Seoyeon', 'Kim', '20171002', 'F'),
          (3, 2, 'Jiho', 'Lee', '20160621', 'N');
        insert into projects (id, name) values (1, 'LUX');
        insert into hardwares (id, project_id, name) values (1, 1, 'LUX-A');
        insert into firmwares (id, hardware_id, version) values (1, 1, '1.0.0'), (2, 1, '1.1.0');
        insert into devices (id, real_user_id, project_id, hardware_id, now_firmware_id, unique_id, serial_code, mac_id,
                             device_alias, connected_at, last_log_file_id) values
          (1, 1, 1, 1, 2, 'lux-demo-1', 'SN-0001', '41AD', 'Living room', now(), 2),
          (2, 2, 1, 1, 1, 'lux-demo-2', 'SN-0002', 'AC:DE:48:00:41:AE', null, now(), 0),
          (3, null, 1, 1, 1, 'lux-demo-3', 'SN-0003', '41AF', null, null, 0),
          (4, null, 1, 1, 1, 'lux-demo-4', null, null, null, null, 0),
          (5, 3, 1, 1, 2, 'lux-demo-5', 'SN-0005', '41B1', 'Jiho', now(), 0);
        insert into device_logs (device_id, real_user_id, log_file_id, treatment_date, finish_flag, last_intensity,
                                 treatment_time, detail_data)
        select 1, 1, n, t, 1, 12, 900, jsonb_build_object(
          'treatment_date', to_char(t at time zone 'Asia/Seoul', 'YYYY-MM-DD"T"HH24:MI:SS'), 'finish_flag', 1,
          'last_intensity', 12, 'treatment_time', 900)
        from generate_series(1, 2) n, lateral (select date_trunc('minute', now()) - (3 - n) * interval '1 day' as t) s;
        insert into device_logs (device_id, real_user_id, treatment_date, last_intensity, treatment_time, detail_data)
        values (5, 3, date_trunc('minute', now()), 8, 30, '{"finish_flag": null}');
        select setval(pg_get_serial_sequence(t, 'id'), 1000)
        from unnest(array['users', 'real_users', 'projects', 'hardwares', 'firmwares', 'devices']) t;
        """
}
