-- name: due_of_endpoints
-- Callbacks of the endpoints in ?1 that are due, after the place ?2, ?3 (due time, id) and before the due time ?4, the first
-- ?5 of each endpoint: [due time, id]. Index: event_due.
SELECT json_group_array(json(j.found)) FROM (
  SELECT (SELECT json_group_array(json_array(d.due_at, d.id)) FROM (
    SELECT v.due_at, v.id FROM event v
    WHERE v.endpoint_id = e.value AND v.due_at IS NOT NULL AND v.due_at < ?4 AND (v.due_at, v.id) > (?2, ?3)
    ORDER BY v.due_at, v.id LIMIT ?5) d) AS found
  FROM json_each(?1) e) j;

-- name: failed_of_endpoints
-- Callbacks of the endpoints in ?1 that failed for good, before the place ?2, ?3 (time, id) and not before the time ?4, the
-- last ?5 of each endpoint: [time, id]. Index: event_failed.
SELECT json_group_array(json(j.found)) FROM (
  SELECT (SELECT json_group_array(json_array(d.at, d.id)) FROM (
    SELECT v.at, v.id FROM event v
    WHERE v.result = 'failed' AND v.endpoint_id = e.value AND v.at >= ?4 AND (v.at, v.id) < (?2, ?3)
    ORDER BY v.at DESC, v.id DESC LIMIT ?5) d) AS found
  FROM json_each(?1) e) j;

-- name: newest_callbacks
-- Callbacks among the ?4 events of tenant ?1 below the id ?2 and not below ?3, newest first, at most ?9 of them: of endpoint ?5
-- where one is given, with the result ?6 where one is given, between the times ?7 and ?8. Index: event_tenant.
SELECT json_group_array(v.id) FROM (
  SELECT id FROM (
    SELECT id, endpoint_id, result, at FROM event WHERE tenant_id = ?1 AND id < ?2 AND id >= ?3 ORDER BY id DESC LIMIT ?4)
  WHERE endpoint_id IS NOT NULL AND (?5 IS NULL OR endpoint_id = ?5) AND (?6 = '' OR result = ?6) AND at >= ?7 AND at < ?8
  LIMIT ?9) v;

-- name: last_looked_at
-- The last of the ?4 events of tenant ?1 below the id ?2 and not below ?3. Index: event_tenant.
SELECT id FROM event WHERE tenant_id = ?1 AND id < ?2 AND id >= ?3 ORDER BY id DESC LIMIT 1 OFFSET ?4 - 1;

-- name: callbacks_of_message
-- Callbacks of a message. Index: event_message.
SELECT json_group_array(id) FROM event WHERE message_id = ?2 AND tenant_id = ?1 AND endpoint_id IS NOT NULL;

-- name: event_from
-- The first event of tenant ?1 from the id ?2 on: [id, time]. Index: event_tenant.
SELECT json_array(id, at) FROM event WHERE tenant_id = ?1 AND id >= ?2 ORDER BY id LIMIT 1;

-- name: newest_event
-- The newest event of tenant ?1. Index: event_tenant.
SELECT max(id) FROM event WHERE tenant_id = ?1;

-- name: callback_rows
-- Callbacks of tenant ?1 in ?2, each with its latest try. Index: event primary key, callback_try primary key.
SELECT json_group_array(json_object('id', e.id, 'message_id', e.message_id, 'sequence', e.sequence, 'state', e.state,
  'at', e.at, 'error', e.error, 'endpoint_id', e.endpoint_id, 'due_at', e.due_at, 'done_at', e.done_at, 'tries_made', e.tries,
  'result', e.result, 'last', json((SELECT json_object('number', t.number, 'at', t.at, 'status', t.status, 'error', t.error,
    'elapsed_ms', t.elapsed_ms) FROM callback_try t WHERE t.event_id = e.id ORDER BY t.at DESC, t.number DESC LIMIT 1))))
FROM json_each(?2) j CROSS JOIN event e ON e.id = j.value
WHERE e.tenant_id = ?1 AND e.endpoint_id IS NOT NULL;

-- name: tries_of
-- Every try of a callback, in the order of time. Index: callback_try primary key.
SELECT json_group_array(json_object('number', number, 'at', at, 'status', status, 'error', error, 'excerpt', excerpt,
  'elapsed_ms', elapsed_ms)) FROM (SELECT * FROM callback_try WHERE event_id = ?1 ORDER BY at, number);

-- name: count_failed
-- How many callbacks of an endpoint failed for good since ?3, no further than to ?4. Index: event_failed.
SELECT count(*) FROM (
  SELECT 1 FROM event WHERE result = 'failed' AND endpoint_id = ?2 AND at >= ?3 AND tenant_id = ?1 LIMIT ?4);
