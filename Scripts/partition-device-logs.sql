-- Turns device_logs into partitions by range of treatment_date while servers run: the table as it is becomes the first partition, of
-- all logs before BOUNDARY; logs from then on go to a second one, up to END, and later ones to a third. Put dates in the future in their
-- places. Servers notice nothing but a pause of the length of the last step. docs/scale.md names the size from which on this is better.
-- What changes: one temporary log for each pair is guaranteed by the lock of its device alone once a pair has logs in two partitions.

-- step: constraint
alter table device_logs add constraint device_logs_range check (treatment_date < 'BOUNDARY') not valid;

-- step: validation
-- Reads the table, and uploads go on. Without it the last step would read it under its lock.
alter table device_logs validate constraint device_logs_range;

-- step: exchange
begin;
-- Rather fail than let uploads wait behind this; then try again.
set local lock_timeout = '1s';
lock table device_logs in access exclusive mode;
alter table device_logs rename to device_logs_first;
create table device_logs (like device_logs_first including defaults including identity including storage) partition by range (treatment_date);
select setval(pg_get_serial_sequence('device_logs', 'id'), nextval(pg_get_serial_sequence('device_logs_first', 'id')));
alter table device_logs_first alter id drop identity;
-- The rights of the table and of its columns.
do $$
declare
    entry record;
begin
    for entry in
        select privilege_type as name, grantee, '' as of from pg_class, aclexplode(relacl) where oid = 'device_logs_first'::regclass
        union all
        select privilege_type, grantee, format('(%I)', attname) from pg_attribute, aclexplode(attacl)
        where attrelid = 'device_logs_first'::regclass
    loop
        execute format('grant %s %s on device_logs to %s', entry.name, entry.of,
                       case entry.grantee when 0 then 'public' else entry.grantee::regrole::text end);
    end loop;
end $$;
alter table device_logs attach partition device_logs_first for values from (minvalue) to ('BOUNDARY');
create table device_logs_second (like device_logs_first including all)
    with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05);
alter table device_logs_second drop constraint device_logs_range;
create table device_logs_third (like device_logs_second including all)
    with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05);
call device_logs_guard('device_logs');
call device_logs_guard('device_logs_second');
call device_logs_guard('device_logs_third');
alter table device_logs attach partition device_logs_second for values from ('BOUNDARY') to ('END');
alter table device_logs attach partition device_logs_third for values from ('END') to (maxvalue);
commit;
