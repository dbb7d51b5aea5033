-- name: hold_callbacks
-- Claims the first due callbacks of each working endpoint but $2 until $6 for process $7: of each at most $4, of all about $5,
-- and from the due times that $8, $9 (endpoint, due time) name. Index: callback_due, callback_pkey; endpoint is small.
WITH waiting AS MATERIALIZED (
  SELECT e.id, coalesce(w.low, 0) AS low FROM endpoint e
  LEFT JOIN unnest($8::bigint[], $9::bigint[]) AS w(id, low) ON w.id = e.id
  WHERE e.disabled_at IS NULL AND e.id <> ALL($2::bigint[]) AND EXISTS (
    SELECT FROM callback WHERE endpoint_id = e.id AND due_at IS NOT NULL AND due_at >= coalesce(w.low, 0) AND due_at <= $1)
  LIMIT $5
), due AS MATERIALIZED (
  SELECT x.event_id, x.due_at FROM waiting CROSS JOIN LATERAL (
    SELECT c.event_id, c.due_at FROM callback c
    WHERE c.endpoint_id = waiting.id AND c.due_at IS NOT NULL AND c.due_at >= waiting.low AND c.due_at <= $1
    ORDER BY c.due_at, c.event_id LIMIT greatest($3, least($4, $5 / (SELECT count(*) FROM waiting)))
    FOR UPDATE SKIP LOCKED) x
)
UPDATE callback c SET due_at = $6, claimed_by = $7 FROM due WHERE c.event_id = due.event_id
RETURNING c.tenant_id, c.message_id, c.event_id, c.endpoint_id, due.due_at;

-- name: read_callbacks
-- Callbacks in $1..$3 (tenant, message, event) with their message, submission, channel and endpoint, and with the bill
-- of the message where it has attempts and a price or a double reach.
-- Index: callback_pkey, message_pkey, submission_pkey, attempt_pkey, endpoint_pkey.
SELECT k.event_id AS id, k.tenant_id, k.endpoint_id, k.tries, k.message_id, k.sequence, k.state, k.error, k.at, k.flags,
  m.destination, coalesce(c.name, '') AS channel, s.segment_count, s.referent_id, s.request_id,
  coalesce(a.claimed_at, s.accepted_at) AS sent_at,
  CASE WHEN a.outcome = 'accepted' THEN a.done_at ELSE 0 END AS handed_over_at,
  CASE WHEN s.ext = '{}' THEN NULL ELSE s.ext::json -> 'metadata' END AS metadata, e.url, e.secrets,
  CASE WHEN (m.flags & 64) <> 0 OR strpos(m.plan, ':') > 0 THEN
    m.plan || ' ' || m.state || ' ' || m.flags || ' ' || m.attempts || ' ' || a.channel_id || ' ' || a.outcome END AS bill
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w(tenant_id, message_id, event_id)
CROSS JOIN LATERAL (SELECT * FROM callback WHERE event_id = w.event_id OFFSET 0) k
CROSS JOIN LATERAL (SELECT * FROM message@ WHERE tenant_id = w.tenant_id AND id = w.message_id OFFSET 0) m
CROSS JOIN LATERAL (SELECT * FROM submission@ WHERE tenant_id = m.tenant_id AND id = m.submission_id OFFSET 0) s
CROSS JOIN LATERAL (SELECT * FROM endpoint WHERE tenant_id = w.tenant_id AND id = k.endpoint_id OFFSET 0) e
LEFT JOIN LATERAL (
  SELECT * FROM attempt@ WHERE tenant_id = m.tenant_id AND message_id = m.id AND number = m.attempts OFFSET 0) a ON true
LEFT JOIN channel c ON c.id = k.channel_id;

-- name: record_tries
-- Records tries of callbacks that are still owed ($1..$7), forgets those that were taken ($8): their tries and events say the
-- rest, and notes of those that failed ($9..$13) when they are due again, or that they failed for good.
-- Index: callback_pkey, callback_try_pkey.
WITH w AS MATERIALIZED (
  SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::integer[], $5::text[], $6::text[], $7::integer[])
    AS u(event_id, number, at, status, error, excerpt, elapsed_ms)
), tried AS (
  INSERT INTO callback_try AS t (tenant_id, event_id, number, at, status, error, excerpt, elapsed_ms)
  SELECT c.tenant_id, w.* FROM w
  CROSS JOIN LATERAL (SELECT tenant_id FROM callback WHERE event_id = w.event_id OFFSET 0) c
  ON CONFLICT (tenant_id, event_id, number) DO UPDATE SET at = excluded.at, status = excluded.status, error = excluded.error,
    excerpt = excluded.excerpt, elapsed_ms = excluded.elapsed_ms
), taken AS (
  DELETE FROM callback WHERE event_id = ANY($8::bigint[])
)
UPDATE callback c SET tries = f.tries, due_at = f.next_at, done_at = f.done_at, result = f.result, claimed_by = NULL
FROM unnest($9::bigint[], $10::integer[], $11::bigint[], $12::bigint[], $13::text[]) AS f(id, tries, next_at, done_at, result)
WHERE c.event_id = f.id;

-- name: next_callback_due
-- When the next callback of a working endpoint is due, from the due times that $1, $2 (endpoint, due time) name.
-- Index: callback_due; endpoint is small.
SELECT min(d.due_at) FROM endpoint e
LEFT JOIN unnest($1::bigint[], $2::bigint[]) AS w(id, low) ON w.id = e.id
CROSS JOIN LATERAL (
  SELECT c.due_at FROM callback c WHERE c.endpoint_id = e.id AND c.due_at IS NOT NULL AND c.due_at >= coalesce(w.low, 0)
  ORDER BY c.due_at LIMIT 1) d
WHERE e.disabled_at IS NULL;

-- name: set_endpoint_health
-- Notes how an endpoint does. Index: endpoint is small.
UPDATE endpoint SET failing_since = $2, disabled_at = $3, disabled_reason = $4 WHERE id = $1;

-- name: replay_callbacks
-- Makes named callbacks due again, also those that were taken. Index: event_pkey, callback_pkey.
INSERT INTO callback AS c (event_id, tenant_id, endpoint_id, message_id, at, due_at, sequence, state, flags, channel_id,
  error)
SELECT e.id, e.tenant_id, e.endpoint_id, e.message_id, e.at, $3, e.sequence, e.state, e.flags, e.channel_id, e.error
FROM unnest($2::bigint[]) AS w(id)
CROSS JOIN LATERAL (
  SELECT * FROM event@ WHERE tenant_id = $1 AND id = w.id AND endpoint_id IS NOT NULL OFFSET 0) e
ON CONFLICT (event_id) DO UPDATE SET due_at = excluded.due_at, tries = 0, result = '', claimed_by = NULL
RETURNING 1;

-- name: replay_failed
-- Makes the failed callbacks of an endpoint since $3 due again. Index: callback_failed.
UPDATE callback SET due_at = $4, tries = 0, result = '', claimed_by = NULL
WHERE result = 'failed' AND endpoint_id = $2 AND at >= $3 AND tenant_id = $1
RETURNING 1;

-- name: release_callbacks
-- Makes callbacks due at once that dead processes had claimed. Index: callback is small; node_pkey.
UPDATE callback c SET due_at = c.at, claimed_by = NULL
WHERE c.claimed_by IS NOT NULL AND c.due_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM node n WHERE n.boot = c.claimed_by AND n.dead_at IS NULL);
