-- What each role may do, and nothing else. Run by the owner of the database, after each lux-server migrate:
--   psql "$(cat /etc/lux/lux_owner.url)" -v ON_ERROR_STOP=1 -f grants.sql
-- lux is the server, lux_desk is for support commands and provisioning, lux_privacy for erasure, retention and the copy of a
-- person's data. Running it again changes nothing.
begin;

do $$
begin
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect on database %I to lux, lux_desk, lux_privacy', current_database());
    execute format('grant temporary on database %I to lux_desk', current_database());
end
$$;
revoke all on all tables in schema public from lux, lux_desk, lux_privacy;
revoke all on all sequences in schema public from lux, lux_desk, lux_privacy;

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

-- Erasure and retention delete; nothing else may. A row that is about to be deleted is locked, which takes the right to change
-- one of its columns; so does disconnecting a device before its child is erased.
grant select, delete on users, real_users, device_logs, alimtalks, support_actions, access_records to lux_privacy;
grant update (created_at) on users, real_users, device_logs, alimtalks to lux_privacy;
grant select, update (real_user_id, device_alias, connected_at) on devices to lux_privacy;
grant update (user_id, message_id, error, idempotency_key) on alimtalks to lux_privacy;
grant insert, update (created_at, detail) on support_actions to lux_privacy;
grant insert, update (created_at, user_id, child_id, subject, count, finished_at) on access_records to lux_privacy;
grant select on schema_migrations to lux_privacy;

-- Provisioning raises them above the ids that a file brings.
grant usage, update on sequence users_id_seq, real_users_id_seq, devices_id_seq to lux_desk;

commit;
