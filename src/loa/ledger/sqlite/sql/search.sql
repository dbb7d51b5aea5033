-- name: submission_of_tenant
-- One submission. Index: submission_referent.
SELECT json_object('id', id, 'tenant_id', tenant_id, 'referent_id', referent_id, 'token', token, 'request_id', request_id,
  'sender', sender, 'text', text, 'encoding', encoding, 'segment_count', segment_count, 'class', class,
  'accepted_at', accepted_at, 'due_at', due_at, 'expires_at', expires_at, 'message_count', message_count,
  'first_message_id', first_message_id, 'ext', json(ext), 'answer', json(answer), 'key_id', key_id, 'scheduled', scheduled)
FROM submission WHERE referent_id = ?1 AND (?2 IS NULL OR tenant_id = ?2);

-- name: messages_in_span
-- Messages of one submission after an id. Index: message primary key.
SELECT json_group_array(json_object('id', m.id, 'submission_id', m.submission_id, 'referent_id', s.referent_id,
  'request_id', s.request_id, 'destination', m.destination, 'sender', s.sender, 'class', m.class, 'state', m.state,
  'channel', coalesce(c.name, ''), 'error', m.error, 'due_at', m.due_at, 'updated_at', m.updated_at,
  'attempts', m.attempts, 'flags', m.flags, 'segment_count', s.segment_count, 'accepted_at', s.accepted_at,
  'expires_at', s.expires_at))
FROM (SELECT * FROM message WHERE id > ?3 AND id >= ?1 AND id < ?1 + ?2 ORDER BY id LIMIT ?4) m
CROSS JOIN submission s ON s.id = m.submission_id
LEFT JOIN channel c ON c.id = m.channel_id;

-- name: one_message
-- One message of a tenant, with its text. Index: message and submission primary keys.
SELECT json_object('id', m.id, 'submission_id', m.submission_id, 'referent_id', s.referent_id,
  'request_id', s.request_id, 'destination', m.destination, 'sender', s.sender, 'class', m.class, 'state', m.state,
  'channel', coalesce(c.name, ''), 'error', m.error, 'due_at', m.due_at, 'updated_at', m.updated_at,
  'attempts', m.attempts, 'flags', m.flags, 'segment_count', s.segment_count, 'accepted_at', s.accepted_at,
  'expires_at', s.expires_at, 'text', s.text, 'encoding', s.encoding, 'plan', m.plan)
FROM message m
CROSS JOIN submission s ON s.id = m.submission_id
LEFT JOIN channel c ON c.id = m.channel_id
WHERE m.id = ?1 AND m.tenant_id = ?2;

-- name: attempts_of
-- The attempts of one message. Index: attempt primary key.
SELECT json_group_array(json_object('number', a.number, 'channel', coalesce(c.name, ''), 'channel_id', a.channel_id,
  'claimed_at', a.claimed_at, 'done_at', a.done_at, 'outcome', a.outcome, 'reason', a.reason,
  'refs', json(iif(a.refs = '', '[]', a.refs))))
FROM (SELECT * FROM attempt WHERE message_id = ?1 ORDER BY number) a LEFT JOIN channel c ON c.id = a.channel_id;

-- name: tried_of
-- The attempts of the messages in ?1, each with whether it proves to have arrived, where one before the last one did: a
-- receipt stands under each of its references, or it is the last one and ended the message before that was known.
-- Index: message and attempt primary keys, event_message, receipt_key.
SELECT json_group_array(json_array(a.message_id, a.number, a.channel_id, a.outcome, m.flags & 32 AND (
  (a.number = m.attempts AND EXISTS (
    SELECT 1 FROM event v WHERE v.message_id = m.id AND v.state = 4 AND NOT v.flags & 32))
  OR coalesce((
    SELECT min(EXISTS (
      SELECT 1 FROM receipt r WHERE r.channel_id = a.channel_id AND r.ref = f.value ->> 1 AND r.message_id = m.id AND r.state = 4))
    FROM json_each(iif(a.refs = '', '[]', a.refs)) f WHERE f.value ->> 1 <> ''), 0))))
FROM json_each(?1) j
CROSS JOIN message m ON m.id = j.value
CROSS JOIN attempt a ON a.message_id = m.id;

-- name: segments_of
-- The segments named in ?2, rows [channel, ref], that belong to message ?1. Index: segment primary key.
SELECT json_group_array(json_object('channel_id', g.channel_id, 'ref', g.ref, 'number', g.number, 'segment', g.segment,
  'state', g.state, 'at', g.at))
FROM json_each(?2) j
CROSS JOIN segment g ON g.channel_id = j.value ->> 0 AND g.ref = j.value ->> 1 AND g.message_id = ?1;

-- name: receipts_of
-- The receipts under the references in ?2 that belong to message ?1. Index: receipt_key.
SELECT json_group_array(json_object('received_at', r.received_at, 'ref', r.ref, 'stat', r.stat, 'state', r.state,
  'detail', r.detail, 'raw', hex(r.raw), 'result', r.result, 'repeats', r.repeats))
FROM json_each(?2) j
CROSS JOIN receipt r ON r.channel_id = j.value ->> 0 AND r.ref = j.value ->> 1 AND r.message_id = ?1;

-- name: events_of
-- The events of one message, each with its callback. Index: event_message.
SELECT json_group_array(json_object('id', e.id, 'sequence', e.sequence, 'state', e.state, 'at', e.at, 'error', e.error,
  'channel', coalesce(c.name, ''), 'endpoint_id', e.endpoint_id, 'url', p.url, 'due_at', e.due_at, 'done_at', e.done_at,
  'tries_made', e.tries, 'result', e.result,
  'tries', json((SELECT json_group_array(json_object('number', t.number, 'at', t.at, 'status', t.status, 'error', t.error,
    'excerpt', t.excerpt, 'elapsed_ms', t.elapsed_ms)) FROM callback_try t WHERE t.event_id = e.id))))
FROM (SELECT * FROM event WHERE message_id = ?1 ORDER BY id) e
LEFT JOIN channel c ON c.id = e.channel_id
LEFT JOIN endpoint p ON p.id = e.endpoint_id;

-- name: events_after
-- A tenant's events after a cursor, in the order they were written, with the bill of a message that has attempts; of those that
-- tell of one inbound event the first. Index: event_tenant.
SELECT json_group_array(json_object('id', e.id, 'message_id', e.message_id, 'sequence', e.sequence, 'state', e.state,
  'at', e.at, 'error', e.error, 'channel', coalesce(c.name, ''), 'destination', m.destination,
  'referent_id', s.referent_id, 'request_id', s.request_id, 'sent_at', coalesce(a.claimed_at, s.accepted_at),
  'handed_over_at', iif(a.outcome = 'accepted', a.done_at, 0), 'flags', e.flags, 'segment_count', s.segment_count,
  'bill', m.plan || ' ' || m.state || ' ' || m.flags || ' ' || m.attempts || ' ' || a.channel_id || ' ' || a.outcome,
  'tries', e.tries, 'metadata', s.ext -> '$.metadata', 'inbound', iif(i.id IS NULL, NULL, json_array(i.id, i.kind,
  coalesce(c.name, ''), i.subject, i.body, hex(i.raw), i.received_at, i.at))))
FROM (SELECT * FROM event WHERE tenant_id = ?1 AND id > ?2 AND (message_id > 0 OR sequence = 1) ORDER BY id LIMIT ?3) e
LEFT JOIN message m ON m.id = e.message_id
LEFT JOIN submission s ON s.id = m.submission_id
LEFT JOIN attempt a ON a.message_id = m.id AND a.number = m.attempts
LEFT JOIN inbound i ON i.id = -e.message_id
LEFT JOIN channel c ON c.id = e.channel_id
WHERE s.id IS NOT NULL OR i.id IS NOT NULL;

-- name: last_event
-- A tenant's last event. Index: event_tenant.
SELECT coalesce(max(id), 0) FROM event WHERE tenant_id = ?1;

-- name: warnings_of
-- A tenant's latest warnings. Index: warning_tenant.
SELECT json_group_array(json_object('id', id, 'at', at, 'kind', kind, 'detail', detail)) FROM (
  SELECT * FROM warning WHERE tenant_id = ?1 ORDER BY id DESC LIMIT ?2);

-- name: orphans
-- Parked receipts by channel. Index: parked primary key; parked rows are few.
SELECT json_group_array(json_object('channel', coalesce(c.name, ''), 'channel_id', p.channel_id, 'count', p.n,
  'oldest_at', p.oldest)) FROM (
  SELECT channel_id, count(DISTINCT receipt_id) AS n, min(received_at) AS oldest FROM parked GROUP BY channel_id) p
LEFT JOIN channel c ON c.id = p.channel_id;

-- name: handed_over
-- What attempt ?3 of a message was made of: what is its own, its channel, its class, and the content of its submission.
-- Index: message, attempt and submission primary keys.
SELECT json_array(json_array(m.id, m.submission_id, m.destination, a.number - 1, m.flags, m.tries, m.tenant_id),
  a.channel_id, m.class, json_array(s.id, s.sender, s.text, s.encoding, s.segment_count, s.expires_at, s.referent_id, s.ext,
  s.rich, s.brandname))
FROM message m
CROSS JOIN attempt a ON a.message_id = m.id AND a.number = ?3
CROSS JOIN submission s ON s.id = m.submission_id
WHERE m.id = ?2 AND m.tenant_id = ?1;

-- name: messages_by_ref
-- A tenant's messages with a segment under a reference, on any channel. Index: segment and message primary keys.
SELECT json_group_array(id) FROM (
  SELECT DISTINCT m.id FROM channel c
  CROSS JOIN segment g ON g.channel_id = c.id AND g.ref = ?2
  CROSS JOIN message m ON m.id = g.message_id AND m.tenant_id = ?1
  ORDER BY m.id DESC LIMIT ?3);

-- name: unknown_by_channel
-- A tenant's unknown messages by channel: how many, how many of them wait, and the first. Index: message_unknown.
SELECT json_group_array(json_object('channel', coalesce(c.name, ''), 'channel_id', u.channel_id, 'count', u.n,
  'waiting', u.waiting, 'first_id', u.first_id)) FROM (
  SELECT channel_id, count(*) AS n, count(due_at) AS waiting, min(id) AS first_id
  FROM message INDEXED BY message_unknown WHERE state = 3 AND tenant_id = ?1 GROUP BY channel_id) u
LEFT JOIN channel c ON c.id = u.channel_id;

-- name: submission_ends
-- The first and the last submission. Index: submission primary key.
SELECT json_array((SELECT coalesce(min(id), 0) FROM submission), (SELECT coalesce(max(id), 0) FROM submission));

-- name: submission_before
-- The submission of the last message before ?1. Index: message primary key.
SELECT submission_id FROM message WHERE id < ?1 ORDER BY id DESC LIMIT 1;

-- name: accepted_at_or_after
-- When the first submission from ?1 on was accepted. Index: submission primary key.
SELECT accepted_at FROM submission WHERE id >= ?1 ORDER BY id LIMIT 1;

-- name: reached
-- The submission of a tenant, from ?3 back to ?2, with which ?4 messages are looked at, and its first message;
-- None where ?5 submissions have fewer.
-- Index: submission_tenant.
SELECT json_array(id, first_message_id) FROM (
  SELECT id, first_message_id, sum(message_count) OVER (ORDER BY id DESC) AS looked_at FROM (
    SELECT id, first_message_id, message_count FROM submission WHERE tenant_id = ?1 AND id >= ?2 AND id <= ?3
    ORDER BY id DESC LIMIT ?5))
WHERE looked_at >= ?4 ORDER BY id DESC LIMIT 1;

-- name: unknown_waiting
-- How many of ?3 unknown messages that wait for evidence are the tenant's and were accepted since ?2.
-- Index: message_waiting, submission primary key.
SELECT count(*) FROM (
  SELECT submission_id FROM message INDEXED BY message_waiting
  WHERE state = 3 AND due_at IS NOT NULL AND tenant_id = ?1 ORDER BY due_at DESC LIMIT ?3) m
CROSS JOIN submission s ON s.id = m.submission_id AND s.accepted_at >= ?2;

-- name: message_page
-- Messages of a tenant, newest first. {filters} holds conditions made from constants only; every value is bound.
-- Index: message_destination when a number is asked for, message_dead for dead letters, message_unknown for unknown ones, else
-- submission_tenant by way of the submissions.
SELECT json_group_array(json_object('id', x.id, 'submission_id', x.submission_id, 'referent_id', x.referent_id,
  'request_id', x.request_id, 'destination', x.destination, 'sender', x.sender, 'class', x.class, 'state', x.state,
  'channel', coalesce(c.name, ''), 'error', x.error, 'due_at', x.due_at, 'updated_at', x.updated_at,
  'attempts', x.attempts, 'flags', x.flags, 'segment_count', x.segment_count, 'accepted_at', x.accepted_at,
  'expires_at', x.expires_at))
FROM (
  SELECT m.id, m.submission_id, s.referent_id, s.request_id, m.destination, s.sender, m.class, m.state, m.channel_id,
    m.error, m.due_at, m.updated_at, m.attempts, m.flags, s.segment_count, s.accepted_at, s.expires_at
  FROM {source}
  WHERE {filters}
  ORDER BY {order} LIMIT :limit) x
LEFT JOIN channel c ON c.id = x.channel_id;
