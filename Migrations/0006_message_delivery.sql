-- compatible
-- Whether a message that the provider accepted was delivered; the messages of the whole server within a day.

alter table alimtalks
    add column delivery text check (delivery in ('delivered', 'undelivered')),
    add column delivery_code text,
    add column delivery_at timestamptz;

create index alimtalks_created_idx on alimtalks (created_at, id);

-- The messages whose delivery is open.
create index alimtalks_delivery_open_idx on alimtalks (provider, created_at)
    where status = 'sent' and delivery is null and message_id is not null;

-- One server at a time asks a provider for results: it claims the provider's row for as long as that takes.
create table alimtalk_polls (
    provider      text primary key,
    claimed_until timestamptz not null,
    next_poll     timestamptz not null,
    polled_at     timestamptz not null,
    -- Results that changed before this are stored.
    results_until timestamptz,
    -- When the results of all open messages were last asked for, whenever they changed.
    swept_at      timestamptz
);
