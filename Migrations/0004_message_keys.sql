-- compatible
-- Messages that a client asks for again with the same Idempotency-Key are sent once. Of the key its SHA-256 is kept, as a
-- client may send any text of any length.

alter table alimtalks add column idempotency_key text;
create index alimtalks_idempotency_key_idx on alimtalks (user_id, idempotency_key, created_at)
    where idempotency_key is not null;
