-- name: endpoints_with_due
-- Working endpoints that have a callback due. Index: callback_due.
SELECT e.id FROM endpoint e
WHERE e.disabled_at IS NULL AND e.id <> ALL($2::bigint[])
  AND EXISTS (SELECT FROM callback c WHERE c.endpoint_id = e.id AND c.due_at IS NOT NULL AND c.due_at <= $1);

-- name: hold_callbacks
-- Claims the first $3 due callbacks of each endpoint in $1 until $4 for process $5. Index: callback_due, callback_pkey.
WITH due AS MATERIALIZED (
  SELECT x.event_id FROM unnest($1::bigint[]) AS w(endpoint_id) CROSS JOIN LATERAL (
    SELECT c.event_id FROM callback c WHERE c.endpoint_id = w.endpoint_id AND c.due_at IS NOT NULL AND c.due_at <= $2
    ORDER BY c.due_at, c.event_id LIMIT $3 FOR UPDATE SKIP LOCKED) x
)
UPDATE callback SET due_at = $4, claimed_by = $5 WHERE event_id = ANY(ARRAY(SELECT event_id FROM due))
RETURNING tenant_id, message_id, event_id;

-- name: read_callbacks
-- Callbacks in $1..$3 (tenant, message, event) with their message, submission, channel and endpoint.
-- Index: callback_pkey, message_pkey, submission_pkey, attempt_pkey, endpoint_pkey.
SELECT k.event_id AS id, k.tenant_id, k.endpoint_id, k.tries, k.message_id, k.sequence, k.state, k.error, k.at, k.flags,
  m.destination, coalesce(c.name, '') AS channel, s.segment_count, s.referent_id, s.request_id,
  coalesce(a.claimed_at, s.accepted_at) AS sent_at,
  CASE WHEN a.outcome = 'accepted' THEN a.done_at ELSE 0 END AS handed_over_at,
  CASE WHEN s.ext = '{}' THEN NULL ELSE s.ext::json -> 'metadata' END AS metadata, e.url, e.secrets
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w(tenant_id, message_id, event_id)
CROSS JOIN LATERAL (SELECT * FROM callback WHERE event_id = w.event_id OFFSET 0) k
CROSS JOIN LATERAL (SELECT * FROM message@ WHERE tenant_id = w.tenant_id AND id = w.message_id OFFSET 0) m
CROSS JOIN LATERAL (SELECT * FROM submission@ WHERE tenant_id = m.tenant_id AND id = m.submission_id OFFSET 0) s
CROSS JOIN LATERAL (SELECT * FROM endpoint WHERE tenant_id = w.tenant_id AND id = k.endpoint_id OFFSET 0) e
LEFT JOIN LATERAL (
  SELECT * FROM attempt@ WHERE tenant_id = m.tenant_id AND message_id = m.id AND number = m.attempts OFFSET 0) a ON true
LEFT JOIN channel c ON c.id = k.channel_id;

-- name: insert_tries
-- Records tries of callbacks that are still owed. Index: callback_pkey, callback_try_pkey.
INSERT INTO callback_try AS t (tenant_id, event_id, number, at, status, error, excerpt, elapsed_ms)
SELECT c.tenant_id, w.* FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::integer[], $5::text[], $6::text[],
  $7::integer[]) AS w(event_id, number, at, status, error, excerpt, elapsed_ms)
JOIN callback c ON c.event_id = w.event_id
ON CONFLICT (tenant_id, event_id, number) DO UPDATE SET at = excluded.at, status = excluded.status, error = excluded.error,
  excerpt = excluded.excerpt, elapsed_ms = excluded.elapsed_ms;

-- name: end_callbacks
-- Forgets callbacks that were taken: their tries and events say the rest. Index: callback_pkey.
DELETE FROM callback WHERE event_id = ANY($1::bigint[]);

-- name: put_off_callbacks
-- Notes what came of tries that failed: due again, or failed for good. Index: callback_pkey.
UPDATE callback c SET tries = w.tries, due_at = w.next_at, done_at = w.done_at, result = w.result, claimed_by = NULL
FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[], $5::text[]) AS w(id, tries, next_at, done_at, result)
WHERE c.event_id = w.id;

-- name: next_callback_due
-- When the next callback of a working endpoint is due. Index: callback_due.
SELECT min(d.due_at) FROM endpoint e CROSS JOIN LATERAL (
  SELECT c.due_at FROM callback c WHERE c.endpoint_id = e.id AND c.due_at IS NOT NULL ORDER BY c.due_at LIMIT 1) d
WHERE e.disabled_at IS NULL;

-- name: set_endpoint_health
-- Notes how an endpoint does. Index: endpoint is small.
UPDATE endpoint SET failing_since = $2, disabled_at = $3, disabled_reason = $4 WHERE id = $1;

-- name: replay_callbacks
-- Makes named callbacks due again, also those that were taken. Index: event_pkey, callback_pkey.
INSERT INTO callback AS c (event_id, tenant_id, endpoint_id, message_id, at, due_at, sequence, state, flags, channel_id,
  error)
SELECT id, tenant_id, endpoint_id, message_id, at, $3, sequence, state, flags, channel_id, error FROM event@
WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND endpoint_id IS NOT NULL
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
