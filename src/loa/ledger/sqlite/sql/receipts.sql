-- name: match_segments
-- Segments stored under any form of the receipts in ?1, rows [index, rank, channel, form], with the standing of their
-- messages. Index: segment, message and submission primary keys.
SELECT json_group_array(json_array(j.value ->> 0, j.value ->> 1, g.message_id, g.number, g.segment, g.ref, m.destination,
  m.id, m.tenant_id, m.channel_id, m.plan, m.step, m.state, m.due_at, m.attempts, m.tries, m.sequence, m.flags, m.error,
  s.segment_count, s.expires_at, s.endpoint_id, s.every_step, m.class, m.updated_at))
FROM json_each(?1) j
CROSS JOIN segment g ON g.channel_id = j.value ->> 2 AND g.ref = j.value ->> 3
CROSS JOIN message m ON m.id = g.message_id
CROSS JOIN submission s ON s.id = m.submission_id;

-- name: segments_of_attempts
-- Every segment of the attempts in ?1, rows [channel, message, number]. Index: attempt and segment primary keys.
SELECT json_group_array(json_array(g.message_id, g.number, g.segment, g.state))
FROM json_each(?1) j
CROSS JOIN attempt a ON a.message_id = j.value ->> 0 AND a.number = j.value ->> 1
CROSS JOIN json_each(a.refs) r
CROSS JOIN segment g ON g.channel_id = a.channel_id AND g.ref = r.value ->> 1 AND g.message_id = a.message_id
  AND g.number = a.number AND g.segment = r.key;

-- name: known_receipts
-- Receipts stored before under the keys of ?1, rows [index, channel, ref, stat, destination]. Index: receipt_key.
SELECT json_group_array(json_array(j.value ->> 0, r.id))
FROM json_each(?1) j
CROSS JOIN receipt r ON r.channel_id = j.value ->> 1 AND r.ref = j.value ->> 2 AND r.stat = j.value ->> 3
  AND r.destination = j.value ->> 4;

-- name: count_repeats
-- Counts receipts that came again, rows [receipt, times]. Index: receipt primary key.
UPDATE receipt SET repeats = repeats + j.times
FROM (SELECT value ->> 0 AS id, value ->> 1 AS times FROM json_each(?1)) j WHERE receipt.id = j.id;

-- name: insert_receipts
-- Stores receipts raw and read. Index: none.
INSERT INTO receipt (id, channel_id, ref, stat, destination, state, detail, raw, received_at, done_at, message_id, result)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, unhex(value ->> 7),
  value ->> 8, value ->> 9, value ->> 10, value ->> 11
FROM json_each(?1);

-- name: settle_receipts
-- Notes what a parked receipt belongs to, rows [receipt, ref, message, result, repeats so far]. Index: receipt primary key.
UPDATE OR IGNORE receipt SET ref = j.ref, message_id = j.message_id, result = j.result
FROM (SELECT value ->> 0 AS id, value ->> 1 AS ref, value ->> 2 AS message_id, value ->> 3 AS result FROM json_each(?1)) j
WHERE receipt.id = j.id;

-- name: mark_segments
-- Notes the state a receipt proved for a segment. Index: segment primary key.
UPDATE segment SET state = j.state, at = j.at
FROM (SELECT value ->> 0 AS channel_id, value ->> 1 AS ref, value ->> 2 AS message_id, value ->> 3 AS number,
  value ->> 4 AS segment, value ->> 5 AS state, value ->> 6 AS at FROM json_each(?1)) j
WHERE segment.channel_id = j.channel_id AND segment.ref = j.ref AND segment.message_id = j.message_id
  AND segment.number = j.number AND segment.segment = j.segment;

-- name: park
-- Keeps a receipt findable under each of its forms until its segment is known. Index: parked primary key.
INSERT OR IGNORE INTO parked (channel_id, form, receipt_id, rank, received_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?1);

-- name: unpark
-- Forgets the forms of matched receipts. Index: parked_receipt.
DELETE FROM parked WHERE receipt_id IN (SELECT value FROM json_each(?1));

-- name: parked_for_refs
-- Parked receipts that wait for the references in ?1, rows [channel, ref]. Index: parked primary key.
SELECT json_group_array(DISTINCT p.receipt_id)
FROM json_each(?1) j
CROSS JOIN parked p ON p.channel_id = j.value ->> 0 AND p.form = j.value ->> 1;

-- name: any_parked
-- Whether any receipt is parked. Index: parked primary key.
SELECT EXISTS (SELECT 1 FROM parked);

-- name: parked_page
-- Parked receipts, oldest first, after a receipt. Index: parked_receipt.
SELECT json_group_array(receipt_id) FROM (
  SELECT DISTINCT receipt_id FROM parked WHERE receipt_id > ?1 ORDER BY receipt_id LIMIT ?2);

-- name: read_parked
-- Parked receipts whole, with their forms. Index: receipt primary key, parked_receipt.
SELECT json_group_array(json_array(r.id, r.channel_id, r.stat, r.destination, r.state, r.detail, r.received_at, r.done_at,
  json((SELECT json_group_array(json_array(p.rank, p.form)) FROM parked p WHERE p.receipt_id = r.id))))
FROM json_each(?1) j CROSS JOIN receipt r ON r.id = j.value;

-- name: unknown_for
-- Unknown messages of a channel and number, rows [channel, destination]. Index: message_unknown, attempt primary key.
SELECT json_group_array(json_array(m.channel_id, m.destination, m.id, m.attempts, a.claimed_at, a.refs, s.segment_count,
  m.tenant_id))
FROM json_each(?1) j
CROSS JOIN message m INDEXED BY message_unknown
  ON m.state = 3 AND m.channel_id = j.value ->> 0 AND m.destination = j.value ->> 1
CROSS JOIN attempt a ON a.message_id = m.id AND a.number = m.attempts
CROSS JOIN submission s ON s.id = m.submission_id;
