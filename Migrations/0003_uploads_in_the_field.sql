-- Late repeats, restarted counters, look-ups by equality alone, and reading logs back by child.

-- Of a complete log that was temporary: the treatment_time that the temporary log had. A later temporary record with a longer
-- time is not a late repeat.
alter table device_logs add column temp_treatment_time integer;

-- The start of the log that showed the last restart of the device's counter; earlier logs do not count for last_log_file_id.
alter table devices add column log_counter_restart timestamptz;

-- Two indexes with one rule each, so that both kinds of key are found by equality; "is not distinct from" uses no index.
-- The first one also finds the latest log that has a number.
create unique index device_logs_numbered_key on device_logs (device_id, treatment_date, log_file_id)
    where finish_flag is not null and log_file_id is not null;
create unique index device_logs_unnumbered_key on device_logs (device_id, treatment_date)
    where finish_flag is not null and log_file_id is null;
drop index device_logs_complete_key;

-- The logs of a child, and of a child on one device, newest first.
create index device_logs_child_idx on device_logs (real_user_id, treatment_date, id);
create index device_logs_child_device_idx on device_logs (real_user_id, device_id, treatment_date, id);
