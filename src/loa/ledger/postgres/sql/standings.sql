-- name: read_standings
-- The moving part of the messages in $1, $2 (tenant, id), locked in the order in which they are named, and what a queue
-- row needs.
-- Index: message_pkey, submission_pkey.
SELECT m.id, m.tenant_id, m.channel_id, m.plan, m.step, m.state, m.due_at, m.attempts, m.tries, m.sequence, m.flags, m.error,
  s.segment_count, s.expires_at, s.endpoint_id, s.every_step, m.class, m.updated_at,
  m.submission_id, m.destination
FROM unnest($1::bigint[], $2::bigint[]) AS w(tenant_id, id)
CROSS JOIN LATERAL (SELECT * FROM message@ WHERE tenant_id = w.tenant_id AND id = w.id FOR UPDATE) m
CROSS JOIN LATERAL (SELECT * FROM submission@ WHERE tenant_id = m.tenant_id AND id = m.submission_id OFFSET 0) s;

-- name: lock_queued
-- Which of the messages in $1 stand in a lane and are not being claimed this moment. Index: queue_pkey.
SELECT message_id FROM queue WHERE message_id = ANY($1::bigint[]) FOR UPDATE SKIP LOCKED;

-- name: write_standings
-- Writes back what changed. Index: message_pkey.
UPDATE message@ m SET channel_id = w.channel_id, step = w.step, state = w.state, due_at = w.due_at, attempts = w.attempts,
  tries = w.tries, sequence = w.sequence, flags = w.flags, error = w.error, updated_at = $12
FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::smallint[], $5::smallint[], $6::bigint[], $7::integer[],
  $8::integer[], $9::integer[], $10::integer[], $11::text[])
  AS w(tenant_id, id, channel_id, step, state, due_at, attempts, tries, sequence, flags, error)
WHERE m.tenant_id = w.tenant_id AND m.id = w.id;

-- name: leave_lanes
-- Takes messages out of their lanes. Index: queue_pkey.
DELETE FROM queue WHERE message_id = ANY($1::bigint[]);

-- name: enter_lanes
-- Puts messages in their lanes. Index: none.
INSERT INTO queue (message_id, tenant_id, submission_id, destination, due_at, expires_at, channel_id, attempts, tries, flags,
  class)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[],
  $8::integer[], $9::integer[], $10::integer[], $11::smallint[]);

-- name: note_unknown
-- Keeps unknown messages findable for evidence, and their wait. Index: unknown_pkey.
INSERT INTO unknown (message_id, tenant_id, channel_id, destination, due_at)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::bigint[])
ON CONFLICT (message_id) DO UPDATE SET channel_id = excluded.channel_id, due_at = excluded.due_at;

-- name: forget_unknown
-- Forgets messages that are no longer unknown. Index: unknown_pkey.
DELETE FROM unknown WHERE message_id = ANY($1::bigint[]);

-- name: note_silent
-- Keeps until when sent messages may stay silent. Index: silent_pkey.
INSERT INTO silent (message_id, tenant_id, channel_id, due_at)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[])
ON CONFLICT (message_id) DO UPDATE SET channel_id = excluded.channel_id, due_at = excluded.due_at;

-- name: forget_silent
-- Forgets messages that wait for their step no more. Index: silent_pkey.
DELETE FROM silent WHERE message_id = ANY($1::bigint[]);

-- name: insert_events
-- Writes events at $11, each with the callback it owes where an endpoint is set. The transaction's number orders the feed.
-- Index: meta_pkey.
WITH fresh AS MATERIALIZED (
  SELECT ($11::bigint / 86400000) << 48 | nextval('event_number') AS id, w.*
  FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::smallint[], $5::bigint[], $6::text[], $7::integer[],
    $8::integer[], $9::bigint[], $10::bigint[])
    AS w(tenant_id, message_id, sequence, state, at, error, flags, channel_id, endpoint_id, due_at)
), written AS (
  INSERT INTO event (tenant_id, id, xid, message_id, sequence, state, at, error, flags, channel_id, endpoint_id)
  SELECT tenant_id, id, pg_current_xact_id()::text::bigint + (SELECT value FROM meta WHERE name = 'xid_base'), message_id,
    sequence, state, at, error, flags, channel_id, endpoint_id
  FROM fresh
)
INSERT INTO callback (event_id, tenant_id, endpoint_id, message_id, at, due_at, sequence, state, flags, channel_id, error)
SELECT id, tenant_id, endpoint_id, message_id, at, due_at, sequence, state, flags, channel_id, error FROM fresh
WHERE endpoint_id IS NOT NULL;

-- name: note_moves
-- Adds to the depths of lanes; upkeep sums up. Index: none.
INSERT INTO lane_move (channel_id, class, count) SELECT * FROM unnest($1::integer[], $2::smallint[], $3::bigint[]);
