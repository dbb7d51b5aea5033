-- name: match_segments
-- Segments stored on the days from $5 to $6 under any form of the receipts in $1..$4 (index, rank, channel, form), with the
-- number of their message. Index: segment_ref.
SELECT w.index, w.rank, g.message_id, g.number, g.segment, g.ref, g.destination, g.tenant_id
FROM unnest($1::integer[], $2::integer[], $3::integer[], $4::text[]) AS w(index, rank, channel_id, form)
CROSS JOIN LATERAL (
  SELECT * FROM segment WHERE channel_id = w.channel_id AND ref = w.form AND day >= $5 AND day <= $6 OFFSET 0) g;

-- name: deliver_plain
-- Settles the plain case at once: receipts that prove delivery of the one segment of a message that is sent, $1..$12 (place,
-- tenant, message, attempt, channel, ref, stat, number, detail, raw, two times), and that did not come before, between the
-- receipt ids $13 and $14. Gives which they were, since when they were sent, and their class. Index: receipt_key, message_pkey, submission_pkey, meta_pkey.
WITH plain AS MATERIALIZED (
  SELECT w.*, s.endpoint_id, m.updated_at AS since, m.class
  FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::integer[], $5::integer[], $6::text[], $7::text[], $8::bigint[],
    $9::text[], $10::bytea[], $11::bigint[], $12::bigint[])
    AS w(place, tenant_id, message_id, number, channel_id, ref, stat, destination, detail, raw, received_at, done_at)
  CROSS JOIN LATERAL (
    SELECT submission_id, updated_at, class FROM message@ WHERE tenant_id = w.tenant_id AND id = w.message_id AND state = 2
    OFFSET 0) m
  CROSS JOIN LATERAL (
    SELECT endpoint_id FROM submission@ WHERE tenant_id = w.tenant_id AND id = m.submission_id AND segment_count = 1
    OFFSET 0) s
  WHERE NOT EXISTS (
    SELECT FROM receipt WHERE channel_id = w.channel_id AND ref = w.ref AND stat = w.stat AND destination = w.destination
      AND id >= $13 AND id < $14 OFFSET 0)
), delivered AS (
  UPDATE message@ m SET state = 4, sequence = m.sequence + 1, due_at = NULL, error = '', updated_at = p.received_at
  FROM plain p
  WHERE m.tenant_id = p.tenant_id AND m.id = p.message_id AND m.state = 2 AND m.attempts = p.number
  RETURNING p.place, m.tenant_id, m.id, m.sequence, p.received_at AS at, m.flags, m.channel_id, p.endpoint_id,
    (p.received_at / 86400000) << 48 | nextval('event_number') AS event_id, p.channel_id AS heard_on, p.ref, p.stat,
    p.destination, p.detail, p.raw, p.done_at
), told AS (
  INSERT INTO event (tenant_id, id, xid, message_id, sequence, state, at, error, flags, channel_id, endpoint_id)
  SELECT tenant_id, event_id, pg_current_xact_id()::text::bigint + (SELECT value FROM meta WHERE name = 'xid_base'), id,
    sequence, 4, at, '', flags, channel_id, endpoint_id
  FROM delivered
), owed AS (
  INSERT INTO callback (event_id, tenant_id, endpoint_id, message_id, at, due_at, sequence, state, flags, channel_id, error)
  SELECT event_id, tenant_id, endpoint_id, id, at, at, sequence, 4, flags, channel_id, '' FROM delivered
  WHERE endpoint_id IS NOT NULL
), stored AS (
  INSERT INTO receipt (id, channel_id, ref, stat, destination, state, detail, raw, received_at, done_at, message_id, result)
  SELECT at / 86400000 << 48 | nextval('receipt_number'), heard_on, ref, stat, destination, 4, detail, raw, at, done_at, id,
    'applied'
  FROM delivered
), spoke AS (
  DELETE FROM silent USING delivered WHERE silent.message_id = delivered.id
)
SELECT d.place, p.since, p.class FROM delivered d JOIN plain p ON p.place = d.place;

-- name: segments_of_attempts
-- Every segment of the attempts in $1..$3 (tenant, message, number). Index: attempt_pkey, segment_ref.
SELECT g.message_id, g.number, g.segment, g.state
FROM unnest($1::bigint[], $2::bigint[], $3::integer[]) AS w(tenant_id, message_id, number)
CROSS JOIN LATERAL (
  SELECT * FROM attempt@ WHERE tenant_id = w.tenant_id AND message_id = w.message_id AND number = w.number OFFSET 0) a
CROSS JOIN LATERAL json_array_elements(CASE WHEN a.refs = '' THEN '[]' ELSE a.refs END::json) AS r(pair)
CROSS JOIN LATERAL (
  SELECT * FROM segment WHERE channel_id = a.channel_id AND ref = r.pair ->> 1 AND message_id = a.message_id
    AND number = a.number OFFSET 0) g;

-- name: known_receipts
-- Receipts stored from id $6 on under the keys of $1..$5 (index, channel, ref, stat, destination). Index: receipt_key.
SELECT w.index, r.id
FROM unnest($1::integer[], $2::integer[], $3::text[], $4::text[], $5::bigint[]) AS w(index, channel_id, ref, stat, destination)
CROSS JOIN LATERAL (
  SELECT id FROM receipt WHERE channel_id = w.channel_id AND ref = w.ref AND stat = w.stat AND destination = w.destination
    AND id >= $6 OFFSET 0) r;

-- name: count_repeats
-- Counts receipts that came again, rows (receipt, times). Index: receipt_pkey.
UPDATE receipt r SET repeats = r.repeats + w.times FROM unnest($1::bigint[], $2::integer[]) AS w(id, times) WHERE r.id = w.id;

-- name: insert_receipts
-- Stores receipts raw and read, and gives their ids in the same order. Index: none.
INSERT INTO receipt (id, channel_id, ref, stat, destination, state, detail, raw, received_at, done_at, message_id, result,
  by_evidence)
SELECT w.received_at / 86400000 << 48 | nextval('receipt_number'), w.channel_id, w.ref, w.stat, w.destination, w.state,
  w.detail, w.raw, w.received_at, w.done_at, w.message_id, w.result, w.by_evidence
FROM unnest($1::integer[], $2::text[], $3::text[], $4::bigint[], $5::smallint[], $6::text[], $7::bytea[], $8::bigint[],
  $9::bigint[], $10::bigint[], $11::text[], $12::boolean[]) WITH ORDINALITY
  AS w(channel_id, ref, stat, destination, state, detail, raw, received_at, done_at, message_id, result, by_evidence, place)
ORDER BY w.place
RETURNING id;

-- name: settle_receipts
-- Notes what parked receipts belong to, rows (receipt, ref, message, result, by evidence). Index: receipt_pkey.
UPDATE receipt r SET ref = w.ref, message_id = w.message_id, result = w.result, by_evidence = w.by_evidence
FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::boolean[])
  AS w(id, ref, message_id, result, by_evidence)
WHERE r.id = w.id;

-- name: mark_segments
-- Notes the state a receipt proved for a segment. Index: segment_ref.
UPDATE segment g SET state = w.state, at = w.at
FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::integer[], $5::integer[], $6::smallint[], $7::bigint[])
  AS w(channel_id, ref, message_id, number, segment, state, at)
WHERE g.channel_id = w.channel_id AND g.ref = w.ref AND g.message_id = w.message_id AND g.number = w.number
  AND g.segment = w.segment;

-- name: park
-- Keeps a receipt findable under each of its forms until its segment is known. Index: none.
INSERT INTO parked (channel_id, form, receipt_id, rank, received_at)
SELECT * FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::integer[], $5::bigint[]);

-- name: unpark
-- Forgets the forms of matched receipts. Index: parked_pkey.
DELETE FROM parked WHERE receipt_id = ANY($1::bigint[]);

-- name: parked_for_refs
-- Parked receipts that wait for the references in $1, $2 (channel, ref). Index: parked_form.
SELECT DISTINCT p.receipt_id FROM unnest($1::integer[], $2::text[]) AS w(channel_id, ref)
JOIN parked p ON p.channel_id = w.channel_id AND p.form = w.ref;

-- name: parked_page
-- Parked receipts, oldest first, after a receipt. Index: parked_pkey.
SELECT DISTINCT receipt_id FROM parked WHERE receipt_id > $1 ORDER BY receipt_id LIMIT $2;

-- name: read_parked
-- Parked receipts whole, with their forms; where another transaction works on one, it is waited for: that one may not see
-- what this one does, and would then leave the receipt parked.
-- Index: receipt_pkey, parked_pkey.
SELECT r.id, r.channel_id, r.stat, r.destination, r.state, r.detail, r.received_at, r.done_at, p.rank, p.form
FROM parked p JOIN receipt r ON r.id = p.receipt_id
WHERE p.receipt_id = ANY($1::bigint[]) ORDER BY r.id, p.rank FOR UPDATE OF p;

-- name: unknown_of_numbers
-- Unknown messages of the channels and numbers in $1, $2. Index: unknown_number.
SELECT u.tenant_id, u.message_id FROM unnest($1::integer[], $2::bigint[]) AS w(channel_id, destination)
CROSS JOIN LATERAL (
  SELECT * FROM unknown WHERE channel_id = w.channel_id AND destination = w.destination OFFSET 0) u;

-- name: unknown_for
-- What evidence must fit of the unknown messages in $1, $2 (tenant, id). Index: message_pkey, attempt_pkey, submission_pkey.
SELECT m.channel_id, m.destination, m.id, m.attempts, a.claimed_at, a.refs, s.segment_count, m.tenant_id
FROM unnest($1::bigint[], $2::bigint[]) AS w(tenant_id, id)
CROSS JOIN LATERAL (SELECT * FROM message@ WHERE tenant_id = w.tenant_id AND id = w.id AND state = 3 OFFSET 0) m
CROSS JOIN LATERAL (
  SELECT * FROM attempt@ WHERE tenant_id = m.tenant_id AND message_id = m.id AND number = m.attempts OFFSET 0) a
CROSS JOIN LATERAL (SELECT * FROM submission@ WHERE tenant_id = m.tenant_id AND id = m.submission_id OFFSET 0) s;
