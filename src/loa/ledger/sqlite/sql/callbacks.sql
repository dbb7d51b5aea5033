-- name: endpoints_with_due
-- Working endpoints that have a callback due. Index: event_due.
SELECT json_group_array(e.id) FROM endpoint e
WHERE e.disabled_at IS NULL AND e.id NOT IN (SELECT value FROM json_each(?2))
  AND EXISTS (SELECT 1 FROM event v WHERE v.endpoint_id = e.id AND v.due_at IS NOT NULL AND v.due_at <= ?1);

-- name: due_callbacks
-- The first ?3 due callbacks of each endpoint in ?1, by due time. Index: event_due.
SELECT json_group_array(json(j.ids)) FROM (
  SELECT (SELECT json_group_array(d.id) FROM (
    SELECT v.id FROM event v WHERE v.endpoint_id = e.value AND v.due_at IS NOT NULL AND v.due_at <= ?2
    ORDER BY v.due_at, v.id LIMIT ?3) d) AS ids
  FROM json_each(?1) e) j;

-- name: hold_callbacks
-- Claims callbacks: not due again before ?2. Index: event primary key.
UPDATE event SET due_at = ?2 WHERE id IN (SELECT value FROM json_each(?1));

-- name: read_callbacks
-- Callbacks with their message, submission and channel, and with the bill of the message where it has attempts and a price or
-- a double reach. Index: primary keys.
SELECT json_group_array(json_array(v.id, v.tenant_id, v.endpoint_id, v.tries, v.message_id, v.sequence, v.state, v.error,
  v.at, v.flags, m.destination, coalesce(c.name, ''), s.segment_count, s.referent_id, s.request_id,
  coalesce(a.claimed_at, s.accepted_at), iif(a.outcome = 'accepted', a.done_at, 0), s.ext -> '$.metadata',
  CASE WHEN m.flags & 64 OR instr(m.plan, ':') THEN
    m.plan || ' ' || m.state || ' ' || m.flags || ' ' || m.attempts || ' ' || a.channel_id || ' ' || a.outcome END))
FROM json_each(?1) j
CROSS JOIN event v ON v.id = j.value
CROSS JOIN message m ON m.id = v.message_id
CROSS JOIN submission s ON s.id = m.submission_id
LEFT JOIN attempt a ON a.message_id = m.id AND a.number = m.attempts
LEFT JOIN channel c ON c.id = v.channel_id;

-- name: insert_tries
-- Records tries of callbacks. Index: callback_try primary key.
INSERT OR REPLACE INTO callback_try (event_id, number, at, status, error, excerpt, elapsed_ms)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 FROM json_each(?1);

-- name: close_callbacks
-- Notes what came of tries: due again, delivered or failed for good. Index: event primary key.
UPDATE event SET tries = j.tries, due_at = j.next_at, done_at = j.done_at, result = j.result
FROM (SELECT value ->> 0 AS id, value ->> 1 AS tries, value ->> 2 AS next_at, value ->> 3 AS done_at, value ->> 4 AS result
  FROM json_each(?1)) j
WHERE event.id = j.id;

-- name: next_callback_due
-- When the next callback of a working endpoint is due. Index: event_due.
SELECT min(d) FROM (
  SELECT (SELECT min(v.due_at) FROM event v WHERE v.endpoint_id = e.id AND v.due_at IS NOT NULL) AS d
  FROM endpoint e WHERE e.disabled_at IS NULL);

-- name: set_endpoint_health
-- Notes how an endpoint does. Index: endpoint primary key.
UPDATE endpoint SET failing_since = ?2, disabled_at = ?3, disabled_reason = ?4 WHERE id = ?1;

-- name: replay_callbacks
-- Makes named callbacks due again. Index: event primary key.
UPDATE event SET due_at = ?2, tries = 0, result = ''
WHERE id IN (SELECT value FROM json_each(?1)) AND tenant_id = ?3 AND endpoint_id IS NOT NULL;

-- name: replay_failed
-- Makes the failed callbacks of an endpoint since ?3 due again. Index: event_failed.
UPDATE event SET due_at = ?2, tries = 0, result = ''
WHERE result = 'failed' AND endpoint_id = ?1 AND at >= ?3 AND tenant_id = ?4;

-- name: release_callbacks
-- Makes callbacks due at once that a former run had claimed for their first try. Index: event_due.
UPDATE event SET due_at = at WHERE due_at IS NOT NULL AND tries = 0 AND due_at > at;
