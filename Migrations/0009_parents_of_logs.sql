-- compatible
-- A log refers to a device and a child that exist: by triggers, no longer by foreign keys, whose two look-ups for each row were half of the
-- time of an upload of many records. docs/architecture.md says why the guarantee is the same.

-- All locks at once and in the order in which uploads take them, for the moment that the rest takes.
do $$ begin lock table real_users, devices, device_logs in access exclusive mode; end $$;

-- As the checks of a foreign key, the functions run with the rights of the tables' owner and take no other table or operator for theirs,
-- whatever the session's search_path.
do $migration$
declare
    home name := (select relnamespace::regnamespace from pg_class where oid = 'device_logs'::regclass);
begin
    execute format($function$
        create function device_logs_check_parents() returns trigger language plpgsql security definer as $body$
        declare
            device bigint;
            child bigint;
        begin
            -- A row lock of each parent, as a foreign key takes it: a deletion of the parent waits for this transaction or comes first.
            if tg_level operator(pg_catalog.=) 'STATEMENT' then
                select device_id, real_user_id into device, child
                from (select distinct device_id, real_user_id from added order by 1, 2) as named
                where not exists (select from %1$I.devices d where d.id operator(pg_catalog.=) named.device_id for key share)
                   or not exists (select from %1$I.real_users c
                                  where c.id operator(pg_catalog.=) named.real_user_id for key share)
                limit 1;
            else
                select new.device_id, new.real_user_id into device, child
                where not exists (select from %1$I.devices d where d.id operator(pg_catalog.=) new.device_id for key share)
                   or not exists (select from %1$I.real_users c where c.id operator(pg_catalog.=) new.real_user_id for key share);
            end if;
            if found then
                raise foreign_key_violation using
                    message = pg_catalog.format('a log refers to device %%s and child %%s, and one of them does not exist', device, child),
                    schema = tg_table_schema, table = tg_table_name;
            end if;
            return null;
        end $body$ $function$, home);

    execute format($function$
        create function device_logs_keep_parents() returns trigger language plpgsql security definer as $body$
        declare
            is_named boolean;
        begin
            -- A transaction of a higher level does not see logs that were committed after its first statement.
            if pg_catalog.current_setting('transaction_isolation') operator(pg_catalog.<>)
                all (array['read committed', 'read uncommitted']) then
                raise feature_not_supported using
                    message = pg_catalog.format('rows of %%s can be deleted in isolation level read committed only', tg_table_name);
            end if;
            if tg_op operator(pg_catalog.=) 'TRUNCATE' then
                is_named := exists (select from %1$I.device_logs);
            elsif tg_argv[0] operator(pg_catalog.=) 'device' then
                -- In the words of the indexes, none of which contains all logs of a device.
                is_named := exists (select from %1$I.device_logs
                                    where device_id operator(pg_catalog.=) old.id and finish_flag is null)
                    or exists (select from %1$I.device_logs
                               where device_id operator(pg_catalog.=) old.id and finish_flag is not null and log_file_id is not null)
                    or exists (select from %1$I.device_logs
                               where device_id operator(pg_catalog.=) old.id and finish_flag is not null and log_file_id is null);
            else
                is_named := exists (select from %1$I.device_logs where real_user_id operator(pg_catalog.=) old.id);
            end if;
            if is_named then
                raise foreign_key_violation using
                    message = pg_catalog.format('logs refer to rows of %%s', tg_table_name),
                    detail = pg_catalog.format('id %%s', old.id), schema = tg_table_schema, table = tg_table_name;
            end if;
            return null;
        end $body$ $function$, home);
end $migration$;
-- Who may execute them may create a trigger with them on a table of its own, whose types bring casts that would run with the owner's rights.
revoke execute on function device_logs_check_parents(), device_logs_keep_parents() from public;

-- Guards a table of logs: device_logs, or a partition of it, which somebody may write to directly. Called for each new partition.
create procedure device_logs_guard(logs regclass) language plpgsql as $$
begin
    execute format('create trigger check_parents_of_new after insert on %s referencing new table as added
                    for each statement execute function device_logs_check_parents()', logs);
    if (select relkind from pg_class where oid = logs) = 'p' then
        -- A row that moves to another partition is not an update of a row there.
        execute format('create trigger check_parents_of_changed after update on %s referencing new table as added
                        for each statement execute function device_logs_check_parents()', logs);
    else
        execute format('create trigger check_parents_of_changed after update on %s for each row
                        when ((old.device_id, old.real_user_id) is distinct from (new.device_id, new.real_user_id))
                        execute function device_logs_check_parents()', logs);
    end if;
end $$;

create trigger keep_for_logs after delete on devices for each row execute function device_logs_keep_parents('device');
create trigger keep_id_for_logs after update on devices for each row when (old.id is distinct from new.id)
    execute function device_logs_keep_parents('device');
create trigger keep_all_for_logs after truncate on devices for each statement execute function device_logs_keep_parents('device');
create trigger keep_for_logs after delete on real_users for each row execute function device_logs_keep_parents('child');
create trigger keep_id_for_logs after update on real_users for each row when (old.id is distinct from new.id)
    execute function device_logs_keep_parents('child');
create trigger keep_all_for_logs after truncate on real_users for each statement execute function device_logs_keep_parents('child');

do $$
declare
    logs regclass;
    key name;
begin
    for logs in
        select 'device_logs'::regclass
        union
        select relid from pg_partition_tree('device_logs')
    loop
        call device_logs_guard(logs);
        for key in
            select conname from pg_constraint
            where conrelid = logs and contype = 'f' and conparentid = 0 and confrelid in ('devices'::regclass, 'real_users'::regclass)
        loop
            execute format('alter table %s drop constraint %I', logs, key);
        end loop;
    end loop;
end $$;
