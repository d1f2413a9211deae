-- compatible
-- A completion leaves a dead row for each log. With the default of a fifth, a table of a billion logs collects 200 million of them before
-- it is vacuumed; docs/scale.md has the measurements. A table that was partitioned is vacuumed by partition.

do $$
declare
    part regclass;
begin
    for part in
        select oid from pg_class where oid = 'device_logs'::regclass and relkind = 'r'
        union all
        select relid from pg_partition_tree('device_logs') where isleaf
    loop
        execute format('alter table %s set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05)', part);
    end loop;
end $$;
