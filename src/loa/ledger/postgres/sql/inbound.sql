-- name: new_inbound_keys
-- Notes by what the events in $1..$3 (channel, key, time) are recognised, and gives those that were not known.
-- Index: inbound_key_pkey.
INSERT INTO inbound_key (channel_id, key, at) SELECT * FROM unnest($1::integer[], $2::text[], $3::bigint[])
ON CONFLICT (channel_id, key) DO NOTHING RETURNING channel_id, key;

-- name: insert_inbound
-- Stores inbound events and gives their ids in the same order. Index: none.
INSERT INTO inbound (id, tenant_id, subject, at, received_at, channel_id, kind, key, body, raw)
SELECT w.received_at / 86400000 << 48 | nextval('inbound_number'), w.tenant_id, w.subject, w.at, w.received_at, w.channel_id,
  w.kind, w.key, w.body, w.raw
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[], $6::text[], $7::text[], $8::text[],
  $9::bytea[]) WITH ORDINALITY AS w(tenant_id, subject, at, received_at, channel_id, kind, key, body, raw, place)
ORDER BY w.place
RETURNING id;

-- name: inbound_endpoints
-- Endpoints of the tenants in $1 that want inbound events. Index: endpoint is small.
SELECT tenant_id, id FROM endpoint WHERE inbound AND tenant_id = ANY($1::bigint[]) ORDER BY id;

-- name: read_inbound_callbacks
-- Callbacks in $1..$3 (tenant, inbound event, event) with the inbound event they tell of and their endpoint.
-- Index: callback_pkey, inbound_pkey, endpoint_pkey.
SELECT k.event_id, k.tenant_id, k.endpoint_id, k.tries, k.sequence, k.at AS told_at, e.url, e.secrets,
  i.id, i.kind, coalesce(c.name, '') AS channel, i.subject, i.body, i.raw, i.received_at, i.at
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w(tenant_id, inbound_id, event_id)
CROSS JOIN LATERAL (SELECT * FROM callback WHERE event_id = w.event_id OFFSET 0) k
CROSS JOIN LATERAL (SELECT * FROM inbound@ WHERE tenant_id = w.tenant_id AND id = w.inbound_id OFFSET 0) i
CROSS JOIN LATERAL (SELECT * FROM endpoint WHERE tenant_id = w.tenant_id AND id = k.endpoint_id OFFSET 0) e
LEFT JOIN channel c ON c.id = i.channel_id;

-- name: told_of_inbound
-- The inbound events of tenant $1 in $2. Index: inbound_pkey.
SELECT i.id, i.kind, coalesce(c.name, '') AS channel, i.subject, i.body, i.raw, i.received_at, i.at
FROM unnest($2::bigint[]) AS w(id)
CROSS JOIN LATERAL (SELECT * FROM inbound@ WHERE tenant_id = $1 AND id = w.id OFFSET 0) i
LEFT JOIN channel c ON c.id = i.channel_id;

-- name: forget_inbound_content
-- Forgets what inbound events of one day said before $1. Index: inbound_kept, inbound_pkey.
UPDATE inbound@ i SET body = '{}', raw = '', kept = 1 FROM (
  SELECT tenant_id, id FROM inbound@ WHERE kept = 2 AND kept > 0 AND received_at < $1 ORDER BY received_at LIMIT $2) w
WHERE i.tenant_id = w.tenant_id AND i.id = w.id RETURNING 1;

-- name: forget_inbound_subjects
-- Forgets whom inbound events of one day were about before $1; their keys may name them too.
-- Index: inbound_kept, inbound_pkey.
UPDATE inbound@ i SET subject = 0, key = '', kept = 0 FROM (
  SELECT tenant_id, id FROM inbound@ WHERE kept = 1 AND kept > 0 AND received_at < $1 ORDER BY received_at LIMIT $2) w
WHERE i.tenant_id = w.tenant_id AND i.id = w.id RETURNING 1;

-- name: inbound_left
-- Whether a day has inbound events left of which at least so much is kept. Index: inbound_kept.
SELECT EXISTS (SELECT FROM inbound@ WHERE kept >= $1::smallint AND kept > 0);

-- name: purge_inbound_keys
-- Forgets by what events are recognised that are past their time. Index: inbound_key_at, inbound_key_pkey.
DELETE FROM inbound_key WHERE (channel_id, key) IN (
  SELECT channel_id, key FROM inbound_key WHERE at < $1 ORDER BY at LIMIT $2);

-- name: purge_imported_inbound
-- Deletes imported inbound events past their time with all that tells of them. Index: event_message, callback_pkey,
-- callback_try_pkey, inbound_pkey; it stops at $2.
WITH old AS MATERIALIZED (
  SELECT tenant_id, id FROM inbound@ WHERE received_at < $1 LIMIT $2
), told AS MATERIALIZED (
  SELECT e.tenant_id, e.id FROM old CROSS JOIN LATERAL (
    SELECT tenant_id, id FROM event@ WHERE tenant_id = old.tenant_id AND message_id = -old.id OFFSET 0) e
), tries AS (
  DELETE FROM callback_try t USING told WHERE t.tenant_id = told.tenant_id AND t.event_id = told.id
    AND t.event_id < 281474976710656
), owed AS (
  DELETE FROM callback c USING told WHERE c.event_id = told.id
), events AS (
  DELETE FROM event@ e USING told WHERE e.tenant_id = told.tenant_id AND e.id = told.id
)
DELETE FROM inbound@ i USING old WHERE i.tenant_id = old.tenant_id AND i.id = old.id RETURNING 1;
