-- compatible
-- no transaction
-- One index serves the logs of a child and those of a child on one device: the device's id is compared in the index. Each index less
-- saves an upload of many records a tenth of its time.

create index concurrently device_logs_child_started_idx on device_logs (real_user_id, treatment_date, id, device_id);
drop index concurrently device_logs_child_idx;
drop index concurrently device_logs_child_device_idx;
