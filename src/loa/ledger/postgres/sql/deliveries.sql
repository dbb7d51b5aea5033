-- name: due_of_endpoints
-- Callbacks of tenant $1 that are due, of endpoint $2 where one is given, after the place $3, $4 (due time, id) and before the
-- due time $5, the first $6. Index: callback_due; endpoint is small.
SELECT x.at, x.id FROM (
  SELECT id FROM endpoint WHERE tenant_id = $1 AND ($2::bigint IS NULL OR id = $2) OFFSET 0) e
CROSS JOIN LATERAL (
  SELECT due_at AS at, event_id AS id FROM callback
  WHERE endpoint_id = e.id AND due_at IS NOT NULL AND due_at < $5 AND (due_at, event_id) > ($3::bigint, $4::bigint)
  ORDER BY due_at, event_id LIMIT $6) x
ORDER BY x.at, x.id LIMIT $6;

-- name: failed_of_endpoints
-- Callbacks of tenant $1 that failed for good, of endpoint $2 where one is given, before the place $3, $4 (time, id) and not
-- before the time $5, the last $6. Index: callback_failed; endpoint is small.
SELECT x.at, x.id FROM (
  SELECT id FROM endpoint WHERE tenant_id = $1 AND ($2::bigint IS NULL OR id = $2) OFFSET 0) e
CROSS JOIN LATERAL (
  SELECT at, event_id AS id FROM callback
  WHERE result = 'failed' AND endpoint_id = e.id AND at >= $5 AND (at, event_id) < ($3::bigint, $4::bigint)
  ORDER BY at DESC, event_id DESC LIMIT $6) x
ORDER BY x.at DESC, x.id DESC LIMIT $6;

-- name: newest_callbacks
-- Callbacks among the $4 events of one day of tenant $1 below the id $2 and not below $3, newest first, at most $8 of them: of
-- endpoint $5 where one is given, delivered ones alone where $9, between the times $6 and $7. Index: event_pkey, callback_pkey.
SELECT v.id FROM (
  SELECT id, endpoint_id, at FROM event@ WHERE tenant_id = $1 AND id < $2 AND id >= $3 ORDER BY id DESC LIMIT $4) v
WHERE v.endpoint_id IS NOT NULL AND ($5::bigint IS NULL OR v.endpoint_id = $5) AND v.at >= $6 AND v.at < $7
  AND (NOT $9::boolean OR NOT EXISTS (SELECT FROM callback WHERE event_id = v.id))
LIMIT $8;

-- name: looked_through
-- How many of the $4 events of one day of tenant $1 below the id $2 and not below $3 there are, and the last one.
-- Index: event_pkey.
SELECT count(*)::integer AS count, min(id) AS last FROM (
  SELECT id FROM event@ WHERE tenant_id = $1 AND id < $2 AND id >= $3 ORDER BY id DESC LIMIT $4) v;

-- name: callbacks_of_message
-- Callbacks of message $2 of tenant $1, none older than the id $3. Index: event_message.
SELECT id FROM event WHERE tenant_id = $1 AND message_id = $2 AND endpoint_id IS NOT NULL AND id >= $3;

-- name: event_from
-- The first event of one day of tenant $1 from the id $2 on. Index: event_pkey.
SELECT id, at FROM event@ WHERE tenant_id = $1 AND id >= $2 ORDER BY id LIMIT 1;

-- name: newest_event
-- The newest event of one day of tenant $1, below the id $2. Index: event_pkey.
SELECT id FROM event@ WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT 1;

-- name: callback_rows
-- Callbacks of tenant $1 in $2, all of one day, each with its latest try. Index: event_pkey, callback_pkey, callback_try_pkey.
SELECT e.id, e.message_id, e.sequence, e.state, e.at, e.error, e.flags, e.endpoint_id, coalesce(c.name, '') AS channel, k.due_at,
  CASE WHEN k.event_id IS NULL THEN t.at ELSE k.done_at END AS done_at,
  CASE WHEN k.event_id IS NULL THEN coalesce(t.number, 0) ELSE k.tries END AS tries_made,
  CASE WHEN k.event_id IS NULL THEN 'delivered' ELSE k.result END AS result,
  t.number, t.at AS tried_at, t.status, t.error AS fault, t.elapsed_ms
FROM unnest($2::bigint[]) AS w(id)
CROSS JOIN LATERAL (SELECT * FROM event@ WHERE tenant_id = $1 AND id = w.id AND endpoint_id IS NOT NULL OFFSET 0) e
LEFT JOIN LATERAL (SELECT * FROM callback WHERE event_id = e.id OFFSET 0) k ON true
LEFT JOIN LATERAL (
  SELECT * FROM callback_try@ WHERE tenant_id = $1 AND event_id = e.id ORDER BY at DESC, number DESC LIMIT 1) t ON true
LEFT JOIN channel c ON c.id = e.channel_id;

-- name: tries_of
-- Every try of callback $2 of tenant $1, in the order of time. Index: callback_try_pkey.
SELECT number, at, status, error, excerpt, elapsed_ms FROM callback_try@ WHERE tenant_id = $1 AND event_id = $2
ORDER BY at, number;

-- name: count_failed
-- How many callbacks of an endpoint failed for good since $3, no further than to $4. Index: callback_failed.
SELECT count(*)::integer FROM (
  SELECT FROM callback WHERE result = 'failed' AND endpoint_id = $2 AND at >= $3 AND tenant_id = $1 LIMIT $4) x;
