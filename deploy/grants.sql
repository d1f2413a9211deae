-- What each role may do, and nothing else. Run by the owner of the database, after each lux-server migrate:
--   psql "$(cat /etc/lux/lux_owner.url)" -v ON_ERROR_STOP=1 -f grants.sql
-- lux is the server, lux_desk the support desk and provisioning. Running it again changes nothing.
begin;

do $$
begin
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect on database %I to lux, lux_desk', current_database());
    execute format('grant temporary on database %I to lux_desk', current_database());
end
$$;
revoke all on all tables in schema public from lux, lux_desk;
revoke all on all sequences in schema public from lux, lux_desk;

grant select on users, real_users, firmwares, schema_migrations to lux, lux_desk;
grant select, update on devices to lux, lux_desk;
grant select, insert, update on device_logs, alimtalks, alimtalk_polls to lux;
-- A user's row is locked while a message is sent, which takes the right to change a column of it; none is changed.
grant update (created_at) on users to lux;

grant select on projects, hardwares, device_logs to lux_desk;
grant insert on users, real_users, devices to lux_desk;
grant select, insert on support_actions to lux_desk;
-- An access record is never changed but for its count and the time of its end.
grant insert, select (id, count), update (count, finished_at) on access_records to lux, lux_desk;
grant select on access_records to lux_desk;
-- Provisioning raises them above the ids that a file brings.
grant usage, update on sequence users_id_seq, real_users_id_seq, devices_id_seq to lux_desk;

commit;
