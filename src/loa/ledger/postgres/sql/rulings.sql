-- name: keep_rulings
-- Keeps who said what of messages, and why. Index: none.
INSERT INTO ruling (tenant_id, message_id, what, reason, who, at)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[])
ON CONFLICT (tenant_id, message_id, what) DO NOTHING;

-- name: rulings_of
-- What people said of one message. Index: ruling_pkey.
SELECT what, reason, who, at FROM ruling WHERE tenant_id = $1 AND message_id = $2 ORDER BY at;

-- name: forget_rulings
-- Forgets what was said of messages that are gone. Index: none, ruling is small.
DELETE FROM ruling WHERE message_id >= 281474976710656 AND message_id < $1;

-- name: purge_imported_rulings
-- Index: ruling_pkey.
DELETE FROM ruling WHERE tenant_id = $1 AND message_id >= $2 AND message_id < $2 + $3::integer;
