-- name: submission_of_tenant
-- One submission, of the tenant $2 where one is given; between the ids $3 and $4, or imported. Index: submission_referent.
SELECT id, tenant_id, referent_id, token, request_id, sender, text, encoding, segment_count, class, accepted_at, due_at,
  expires_at, message_count, first_message_id, ext, answer, key_id, scheduled
FROM submission
WHERE referent_id = $1 AND ($2::bigint IS NULL OR tenant_id = $2)
  AND (id < 281474976710656 OR (id >= $3 AND id < $4));

-- name: messages_in_span
-- Messages of one submission after an id. Index: message_pkey, submission_pkey, queue_pkey.
SELECT m.id, m.submission_id, s.referent_id, s.request_id, m.destination, s.sender, m.class,
  CASE WHEN m.state = 0 AND q.message_id IS NULL THEN 1 ELSE m.state END AS state, coalesce(c.name, '') AS channel, m.error,
  m.due_at, m.updated_at, m.attempts + (m.state = 0 AND q.message_id IS NULL)::integer AS attempts, m.flags,
  s.segment_count, s.accepted_at, s.expires_at
FROM message@ m
CROSS JOIN LATERAL (SELECT * FROM submission@ WHERE tenant_id = m.tenant_id AND id = m.submission_id OFFSET 0) s
LEFT JOIN LATERAL (SELECT message_id FROM queue WHERE message_id = m.id OFFSET 0) q ON true
LEFT JOIN channel c ON c.id = m.channel_id
WHERE m.tenant_id = $1 AND m.id > $4 AND m.id >= $2 AND m.id < $2 + $3::integer ORDER BY m.id LIMIT $5;

-- name: one_message
-- One message of a tenant, with its text. Index: message_pkey, submission_pkey, queue_pkey.
SELECT m.id, m.submission_id, s.referent_id, s.request_id, m.destination, s.sender, m.class,
  CASE WHEN m.state = 0 AND q.message_id IS NULL THEN 1 ELSE m.state END AS state, coalesce(c.name, '') AS channel, m.error,
  m.due_at, m.updated_at, m.attempts + (m.state = 0 AND q.message_id IS NULL)::integer AS attempts, m.flags,
  s.segment_count, s.accepted_at, s.expires_at, s.text, s.encoding, m.plan
FROM message@ m
CROSS JOIN LATERAL (SELECT * FROM submission@ WHERE tenant_id = m.tenant_id AND id = m.submission_id OFFSET 0) s
LEFT JOIN LATERAL (SELECT message_id FROM queue WHERE message_id = m.id OFFSET 0) q ON true
LEFT JOIN channel c ON c.id = m.channel_id
WHERE m.tenant_id = $1 AND m.id = $2;

-- name: attempts_of
-- The attempts of one message that ended. Index: attempt_pkey.
SELECT a.number, coalesce(c.name, '') AS channel, a.channel_id, a.claimed_at, a.done_at, a.outcome, a.reason, a.refs
FROM attempt@ a LEFT JOIN channel c ON c.id = a.channel_id
WHERE a.tenant_id = $1 AND a.message_id = $2 ORDER BY a.number;

-- name: tried_of
-- The attempts that ended of the messages in $1, $2 (tenant, id), each with whether it proves to have arrived, where one
-- before the last one did: a receipt stands under each of its references, or it is the last one and ended the message before
-- that was known. Nothing of them is older than the id $3.
-- Index: message_pkey, attempt_pkey, event_message, receipt_key.
SELECT a.message_id, a.number, a.channel_id, a.outcome, (m.flags & 32) <> 0 AND (
  (a.number = m.attempts AND EXISTS (
    SELECT FROM event WHERE tenant_id = m.tenant_id AND message_id = m.id AND id >= $3 AND state = 4 AND (flags & 32) = 0))
  OR coalesce((
    SELECT bool_and(EXISTS (
      SELECT FROM receipt WHERE channel_id = a.channel_id AND ref = f.pair ->> 1 AND id >= $3 AND message_id = m.id AND state = 4))
    FROM json_array_elements(nullif(a.refs, '')::json) AS f(pair) WHERE f.pair ->> 1 <> ''), false)) AS proven
FROM unnest($1::bigint[], $2::bigint[]) AS w(tenant_id, id)
CROSS JOIN LATERAL (SELECT * FROM message@ WHERE tenant_id = w.tenant_id AND id = w.id OFFSET 0) m
CROSS JOIN LATERAL (SELECT * FROM attempt@ WHERE tenant_id = m.tenant_id AND message_id = m.id OFFSET 0) a;

-- name: open_attempt_of
-- The attempt of one message that is on its way. Index: claim is small.
SELECT $2::integer AS number, coalesce(c.name, '') AS channel, k.channel_id, k.claimed_at, NULL::bigint AS done_at,
  '' AS outcome, '' AS reason, '' AS refs
FROM claim k LEFT JOIN channel c ON c.id = k.channel_id
WHERE k.message_ids @> ARRAY[$1::bigint] AND k.numbers[array_position(k.message_ids, $1::bigint)] = $2::integer LIMIT 1;

-- name: segments_of
-- The segments named in $2, $3 (channel, ref) that belong to message $1; of a message of one segment the first receipt that
-- proves a state and contradicts none says it. Index: segment_ref, receipt_key.
SELECT g.channel_id, g.ref, g.number, g.segment, coalesce(g.state, r.state) AS state, coalesce(g.at, r.received_at) AS at
FROM unnest($2::integer[], $3::text[]) AS w(channel_id, ref)
CROSS JOIN LATERAL (SELECT * FROM segment WHERE channel_id = w.channel_id AND ref = w.ref AND message_id = $1 OFFSET 0) g
LEFT JOIN LATERAL (
  SELECT state, received_at FROM (
    SELECT * FROM receipt WHERE channel_id = g.channel_id AND ref = g.ref AND message_id = $1 AND state IS NOT NULL
      AND result <> 'conflict' OFFSET 0) proving
  ORDER BY id LIMIT 1) r ON true;

-- name: receipts_of
-- The receipts under the references in $2, $3 that belong to message $1. Index: receipt_key.
SELECT r.received_at, r.ref, r.stat, r.state, r.detail, upper(encode(r.raw, 'hex')) AS raw, r.result, r.repeats
FROM unnest($2::integer[], $3::text[]) AS w(channel_id, ref)
CROSS JOIN LATERAL (SELECT * FROM receipt WHERE channel_id = w.channel_id AND ref = w.ref AND message_id = $1 OFFSET 0) r;

-- name: refs_of_evidence
-- References under which a message was found without one of its own. Index: receipt_evidence.
SELECT DISTINCT channel_id, ref FROM receipt WHERE message_id = $1 AND by_evidence AND id >= $2;

-- name: events_of
-- The events of one message, each with its callback. Index: event_message, callback_pkey, callback_try_pkey.
SELECT e.id, e.sequence, e.state, e.at, e.error, coalesce(c.name, '') AS channel, e.endpoint_id, p.url,
  k.due_at, CASE WHEN k.event_id IS NULL THEN t.last_at ELSE k.done_at END AS done_at,
  coalesce(k.tries, t.count, 0) AS tries_made,
  CASE WHEN e.endpoint_id IS NULL THEN '' WHEN k.event_id IS NULL THEN 'delivered' ELSE k.result END AS result,
  coalesce(t.tries, '[]'::json) AS tries
FROM event e
LEFT JOIN channel c ON c.id = e.channel_id
LEFT JOIN endpoint p ON p.tenant_id = e.tenant_id AND p.id = e.endpoint_id
LEFT JOIN callback k ON k.event_id = e.id
LEFT JOIN LATERAL (
  SELECT json_agg(json_build_object('number', number, 'at', at, 'status', status, 'error', error, 'excerpt', excerpt,
    'elapsed_ms', elapsed_ms)) AS tries, count(*)::integer AS count, max(at) AS last_at
  FROM callback_try WHERE tenant_id = e.tenant_id AND event_id = e.id AND event_id >= $3) t ON true
WHERE e.tenant_id = $1 AND e.message_id = $2 AND e.id >= $3 ORDER BY e.id;

-- name: feed_position
-- Where an event stands in the feed. Index: event_pkey.
SELECT xid FROM event@ WHERE tenant_id = $1 AND id = $2;

-- name: events_after
-- A tenant's events after a position ($2, $3), in the order in which their transactions began to write, and only those
-- before which nothing can come any more; not below the id $4; of those that tell of one inbound event the first.
-- Index: event_feed.
SELECT e.id, e.message_id, e.sequence, e.state, e.at, e.error, e.flags, coalesce(c.name, '') AS channel,
  coalesce(k.tries, t.count, 0) AS tries
FROM (
  SELECT * FROM event
  WHERE tenant_id = $1 AND (xid, id) > ($2::bigint, $3::bigint) AND id >= $4 AND (message_id > 0 OR sequence = 1)
    AND xid < (SELECT value FROM meta WHERE name = 'xid_base') + pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  ORDER BY xid, id LIMIT $5) e
LEFT JOIN channel c ON c.id = e.channel_id
LEFT JOIN LATERAL (SELECT tries FROM callback WHERE event_id = e.id OFFSET 0) k ON true
LEFT JOIN LATERAL (
  SELECT count(*)::integer AS count FROM callback_try WHERE tenant_id = e.tenant_id AND event_id = e.id AND event_id >= $4
) t ON true
ORDER BY e.xid, e.id;

-- name: last_event
-- A tenant's last event before which nothing can come any more. Index: event_feed.
SELECT id FROM event WHERE tenant_id = $1
  AND xid < (SELECT value FROM meta WHERE name = 'xid_base') + pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY xid DESC, id DESC LIMIT 1;

-- name: told_of
-- What an event tells of its message, with the bill where it has attempts: those of tenant $1 in $2.
-- Index: message_pkey, submission_pkey, attempt_pkey.
SELECT m.id AS message_id, m.destination, s.referent_id, s.request_id, coalesce(a.claimed_at, s.accepted_at) AS sent_at,
  CASE WHEN a.outcome = 'accepted' THEN a.done_at ELSE 0 END AS handed_over_at, s.segment_count,
  s.ext::json -> 'metadata' AS metadata,
  m.plan || ' ' || m.state || ' ' || m.flags || ' ' || m.attempts || ' ' || a.channel_id || ' ' || a.outcome AS bill
FROM unnest($2::bigint[]) AS w(id)
CROSS JOIN LATERAL (SELECT * FROM message@ WHERE tenant_id = $1 AND id = w.id OFFSET 0) m
CROSS JOIN LATERAL (SELECT * FROM submission@ WHERE tenant_id = $1 AND id = m.submission_id OFFSET 0) s
LEFT JOIN LATERAL (
  SELECT * FROM attempt@ WHERE tenant_id = $1 AND message_id = m.id AND number = m.attempts OFFSET 0) a ON true;

-- name: days_of_messages
-- The days of which messages are kept. Index: none.
SELECT substring(c.relname FROM '_d(\d+)$')::integer AS day FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'message'::regclass AND c.relname ~ '_d\d+$' ORDER BY 1 DESC;

-- name: warnings_of
-- A tenant's latest warnings. Index: warning_pkey.
SELECT id, at, kind, detail FROM warning WHERE tenant_id = $1 ORDER BY id DESC LIMIT $2;

-- name: orphans
-- Parked receipts by channel. Index: parked is small.
SELECT coalesce(c.name, '') AS channel, p.channel_id, p.count, p.oldest_at FROM (
  SELECT channel_id, count(DISTINCT receipt_id)::integer AS count, min(received_at) AS oldest_at FROM parked
  GROUP BY channel_id) p
LEFT JOIN channel c ON c.id = p.channel_id;

-- name: handed_over
-- What attempt $3 of a message was made of, where it ended. Index: message_pkey, attempt_pkey, submission_pkey.
SELECT m.id, m.submission_id, m.destination, a.number - 1 AS attempts, m.flags, m.tries, m.tenant_id, a.channel_id, m.class,
  s.id AS content_id, s.sender, s.text, s.encoding, s.segment_count, s.expires_at, s.referent_id, s.ext, s.rich, s.brandname
FROM message@ m
CROSS JOIN LATERAL (SELECT * FROM attempt@ WHERE tenant_id = m.tenant_id AND message_id = m.id AND number = $3 OFFSET 0) a
CROSS JOIN LATERAL (SELECT * FROM submission@ WHERE tenant_id = m.tenant_id AND id = m.submission_id OFFSET 0) s
WHERE m.tenant_id = $1 AND m.id = $2;

-- name: messages_by_ref
-- A tenant's messages with a segment under a reference, on any channel. Index: segment_ref.
SELECT DISTINCT g.message_id FROM channel c
CROSS JOIN LATERAL (SELECT * FROM segment WHERE channel_id = c.id AND ref = $2 OFFSET 0) g
WHERE g.tenant_id = $1 ORDER BY g.message_id DESC LIMIT $3;

-- name: unknown_by_channel
-- A tenant's unknown messages by channel: how many, how many of them wait, and the first. Index: unknown is small.
SELECT coalesce(c.name, '') AS channel, u.channel_id, u.count, u.waiting, u.first_id FROM (
  SELECT channel_id, count(*)::integer AS count, count(due_at)::integer AS waiting, min(message_id) AS first_id FROM unknown
  WHERE tenant_id = $1 GROUP BY channel_id) u
LEFT JOIN channel c ON c.id = u.channel_id;

-- name: unknown_before
-- A page of a tenant's unknown messages, newest first. Index: unknown_pkey.
SELECT message_id FROM unknown WHERE message_id < $2 AND tenant_id = $1 ORDER BY message_id DESC LIMIT $3;

-- name: submission_ends
-- The first and the last submission of a tenant of one day. Index: submission_pkey.
SELECT (SELECT id FROM submission@ WHERE tenant_id = $1 ORDER BY id LIMIT 1) AS first,
  (SELECT id FROM submission@ WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1) AS last;

-- name: accepted_at_or_after
-- When a tenant's first submission from $2 on, of one day, was accepted. Index: submission_pkey.
SELECT accepted_at FROM submission@ WHERE tenant_id = $1 AND id >= $2 ORDER BY id LIMIT 1;

-- name: reached
-- How many of $4 messages of a tenant there are from below $3 back to $2, and the last of them. Index: message_pkey.
SELECT count(*)::integer AS n, min(id) AS low FROM (
  SELECT id FROM message@ WHERE tenant_id = $1 AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4) looked_at;

-- name: unknown_waiting
-- Unknown messages of a tenant that wait for evidence. Index: unknown_due.
SELECT message_id FROM unknown WHERE tenant_id = $1 AND due_at IS NOT NULL ORDER BY due_at DESC LIMIT $2;

-- name: accepted_since
-- How many of the messages in $2 were accepted since $3. Index: message_pkey, submission_pkey.
SELECT count(*)::integer AS count FROM unnest($2::bigint[]) AS w(id)
CROSS JOIN LATERAL (SELECT submission_id FROM message@ WHERE tenant_id = $1 AND id = w.id OFFSET 0) m
CROSS JOIN LATERAL (
  SELECT FROM submission@ WHERE tenant_id = $1 AND id = m.submission_id AND accepted_at >= $3 OFFSET 0) s;

-- name: message_page
-- Messages of a tenant, newest first. {filters} holds conditions made from constants only; every value is bound.
-- Index: message_destination when a number is asked for, message_dead for dead letters, else message_pkey.
SELECT * FROM (
  SELECT m.id, m.submission_id, s.referent_id, s.request_id, m.destination, s.sender, m.class,
    CASE WHEN m.state = 0 AND q.message_id IS NULL THEN 1 ELSE m.state END AS state, coalesce(c.name, '') AS channel,
    m.error, m.due_at, m.updated_at, m.attempts + (m.state = 0 AND q.message_id IS NULL)::integer AS attempts, m.flags,
    s.segment_count, s.accepted_at, s.expires_at
  FROM message@ m
  CROSS JOIN LATERAL (SELECT * FROM submission@ WHERE tenant_id = m.tenant_id AND id = m.submission_id OFFSET 0) s
  LEFT JOIN LATERAL (SELECT message_id FROM queue WHERE message_id = m.id OFFSET 0) q ON true
  LEFT JOIN channel c ON c.id = m.channel_id
  WHERE {filters}) x
WHERE {states} ORDER BY x.id DESC LIMIT $1;

-- name: revision
-- The number that grows with every change of the directory. Index: meta_pkey.
SELECT value FROM meta WHERE name = 'revision';

-- name: ping
-- One small write. Index: meta_pkey.
UPDATE meta SET value = value + 1 WHERE name = 'pings';

-- name: fate
-- What became of a transaction. Index: none.
SELECT pg_xact_status($1::text::xid8);
