-- name: match_segments
-- Segments stored on the days from $5 to $6 under any form of the receipts in $1..$4 (index, rank, channel, form), with the
-- number of their message. Index: segment_pkey, message_pkey.
SELECT w.index, w.rank, g.message_id, g.number, g.segment, g.ref, m.destination, g.tenant_id
FROM unnest($1::integer[], $2::integer[], $3::integer[], $4::text[]) AS w(index, rank, channel_id, form)
JOIN segment g ON g.channel_id = w.channel_id AND g.ref = w.form AND g.day >= $5 AND g.day <= $6
JOIN message m ON m.tenant_id = g.tenant_id AND m.id = g.message_id;

-- name: segments_of_attempts
-- Every segment of the attempts in $1..$3 (tenant, message, number). Index: attempt_pkey, segment_pkey.
SELECT g.message_id, g.number, g.segment, g.state
FROM unnest($1::bigint[], $2::bigint[], $3::integer[]) AS w(tenant_id, message_id, number)
JOIN attempt a ON a.tenant_id = w.tenant_id AND a.message_id = w.message_id AND a.number = w.number
CROSS JOIN LATERAL json_array_elements(CASE WHEN a.refs = '' THEN '[]' ELSE a.refs END::json) AS r(pair)
JOIN segment g ON g.channel_id = a.channel_id AND g.ref = r.pair ->> 1 AND g.message_id = a.message_id AND g.number = a.number;

-- name: known_receipts
-- Receipts stored from id $6 on under the keys of $1..$5 (index, channel, ref, stat, destination). Index: receipt_key.
SELECT w.index, r.id
FROM unnest($1::integer[], $2::integer[], $3::text[], $4::text[], $5::bigint[]) AS w(index, channel_id, ref, stat, destination)
JOIN receipt r ON r.channel_id = w.channel_id AND r.ref = w.ref AND r.stat = w.stat AND r.destination = w.destination
  AND r.id >= $6;

-- name: count_repeats
-- Counts receipts that came again, rows (receipt, times). Index: receipt_pkey.
UPDATE receipt r SET repeats = r.repeats + w.times FROM unnest($1::bigint[], $2::integer[]) AS w(id, times) WHERE r.id = w.id;

-- name: insert_receipts
-- Stores receipts raw and read, and gives their ids in the same order. Index: none.
INSERT INTO receipt (id, channel_id, ref, stat, destination, state, detail, raw, received_at, done_at, message_id, result)
SELECT w.received_at / 86400000 << 48 | nextval('receipt_number'), w.channel_id, w.ref, w.stat, w.destination, w.state,
  w.detail, w.raw, w.received_at, w.done_at, w.message_id, w.result
FROM unnest($1::integer[], $2::text[], $3::text[], $4::bigint[], $5::smallint[], $6::text[], $7::bytea[], $8::bigint[],
  $9::bigint[], $10::bigint[], $11::text[]) WITH ORDINALITY
  AS w(channel_id, ref, stat, destination, state, detail, raw, received_at, done_at, message_id, result, place)
ORDER BY w.place
RETURNING id;

-- name: settle_receipts
-- Notes what parked receipts belong to, rows (receipt, ref, message, result). Index: receipt_pkey.
UPDATE receipt r SET ref = w.ref, message_id = w.message_id, result = w.result
FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[]) AS w(id, ref, message_id, result) WHERE r.id = w.id;

-- name: mark_segments
-- Notes the state a receipt proved for a segment. Index: segment_pkey.
UPDATE segment g SET state = w.state, at = w.at
FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::integer[], $5::integer[], $6::smallint[], $7::bigint[])
  AS w(channel_id, ref, message_id, number, segment, state, at)
WHERE g.channel_id = w.channel_id AND g.ref = w.ref AND g.message_id = w.message_id AND g.number = w.number
  AND g.segment = w.segment;

-- name: park
-- Keeps a receipt findable under each of its forms until its segment is known. Index: parked_pkey.
INSERT INTO parked (channel_id, form, receipt_id, rank, received_at)
SELECT * FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::integer[], $5::bigint[]) ON CONFLICT DO NOTHING;

-- name: unpark
-- Forgets the forms of matched receipts. Index: parked_receipt.
DELETE FROM parked WHERE receipt_id = ANY($1::bigint[]);

-- name: parked_for_refs
-- Parked receipts that wait for the references in $1, $2 (channel, ref). Index: parked_pkey.
SELECT DISTINCT p.receipt_id FROM unnest($1::integer[], $2::text[]) AS w(channel_id, ref)
JOIN parked p ON p.channel_id = w.channel_id AND p.form = w.ref;

-- name: parked_page
-- Parked receipts, oldest first, after a receipt. Index: parked_receipt.
SELECT DISTINCT receipt_id FROM parked WHERE receipt_id > $1 ORDER BY receipt_id LIMIT $2;

-- name: read_parked
-- Parked receipts whole, with their forms; those that another transaction works on are left to it.
-- Index: receipt_pkey, parked_receipt.
SELECT r.id, r.channel_id, r.stat, r.destination, r.state, r.detail, r.received_at, r.done_at, p.rank, p.form
FROM parked p JOIN receipt r ON r.id = p.receipt_id
WHERE p.receipt_id = ANY($1::bigint[]) ORDER BY r.id, p.rank FOR UPDATE OF p SKIP LOCKED;

-- name: unknown_for
-- Unknown messages of the channels and numbers in $1, $2. Index: unknown_number, message_pkey, attempt_pkey, submission_pkey.
SELECT u.channel_id, u.destination, m.id, m.attempts, a.claimed_at, a.refs, s.segment_count, m.tenant_id
FROM unnest($1::integer[], $2::bigint[]) AS w(channel_id, destination)
JOIN unknown u ON u.channel_id = w.channel_id AND u.destination = w.destination
JOIN message m ON m.tenant_id = u.tenant_id AND m.id = u.message_id AND m.state = 3
JOIN attempt a ON a.tenant_id = m.tenant_id AND a.message_id = m.id AND a.number = m.attempts
JOIN submission s ON s.tenant_id = m.tenant_id AND s.id = m.submission_id;
