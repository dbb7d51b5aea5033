-- name: waits_over
-- Unknown messages whose wait for evidence is over. Index: unknown_due.
SELECT tenant_id, message_id FROM unknown WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at LIMIT $2;

-- name: queued_anywhere
-- The first queued messages. Index: queue_pkey.
SELECT tenant_id, message_id FROM queue ORDER BY message_id LIMIT $1;

-- name: waiting_unknown
-- Unknown messages that wait for evidence. Index: unknown_due.
SELECT tenant_id, message_id FROM unknown WHERE due_at IS NOT NULL ORDER BY due_at LIMIT $1;

-- name: lifetimes_over
-- Queued messages whose lifetime is over. Index: queue_expires.
SELECT tenant_id, message_id FROM queue WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2;

-- name: lane_depths
-- Kept depth of each lane, with its first due time. Index: lane_depth and lane_move are small; queue_lane.
SELECT d.channel_id, d.class, d.count, (
  SELECT q.due_at FROM queue q WHERE q.channel_id = d.channel_id AND q.class = d.class ORDER BY q.due_at LIMIT 1
) AS oldest_due_at
FROM (
  SELECT channel_id, class, sum(count)::bigint AS count FROM (
    SELECT channel_id, class, count FROM lane_depth UNION ALL SELECT channel_id, class, count FROM lane_move) moves
  GROUP BY channel_id, class) d
WHERE d.count > 0 ORDER BY d.channel_id, d.class;

-- name: sum_up_lanes
-- Adds the differences of lanes to their depths. Index: lane_depth_pkey; lane_move is small.
WITH gone AS (
  DELETE FROM lane_move WHERE ctid = ANY(ARRAY(SELECT ctid FROM lane_move LIMIT 10000 FOR UPDATE SKIP LOCKED))
  RETURNING channel_id, class, count
)
INSERT INTO lane_depth AS d (channel_id, class, count)
SELECT channel_id, class, sum(count)::bigint FROM gone GROUP BY channel_id, class ORDER BY channel_id, class
ON CONFLICT (channel_id, class) DO UPDATE SET count = d.count + excluded.count;

-- name: purge_request_keys
-- Forgets request ids past their time. Index: request_key_at, request_key_pkey.
DELETE FROM request_key WHERE (tenant_id, request_id, fingerprint) IN (
  SELECT tenant_id, request_id, fingerprint FROM request_key WHERE at < $1 ORDER BY at LIMIT $2) RETURNING 1;

-- name: purge_parked
-- Gives up on receipts that never found their segment; the receipt itself stays. Index: parked_pkey.
DELETE FROM parked WHERE receipt_id IN (
  SELECT receipt_id FROM parked WHERE received_at < $1 ORDER BY receipt_id LIMIT $2) RETURNING 1;

-- name: purge_unknown
-- Forgets unknown messages that no evidence may speak of any more. Index: unknown_pkey.
DELETE FROM unknown WHERE message_id IN (
  SELECT message_id FROM unknown WHERE due_at IS NULL AND message_id >= 281474976710656
  AND message_id < $1 ORDER BY message_id LIMIT $2);

-- name: purge_texts
-- Forgets what submissions of class $1 of one day said before $2, in text and options; counts stay.
-- Index: submission_content, submission_pkey.
UPDATE submission@ s SET text = '', ext = '{}', rich = '', purged = true FROM (
  SELECT tenant_id, id FROM submission@ WHERE NOT purged AND class = $1 AND accepted_at < $2 AND expires_at < $2
  ORDER BY accepted_at LIMIT $3) w
WHERE s.tenant_id = w.tenant_id AND s.id = w.id RETURNING 1;

-- name: texts_left
-- Whether a day has texts of class $1 left. Index: submission_content.
SELECT EXISTS (SELECT FROM submission@ WHERE NOT purged AND class = $1);

-- name: purge_warnings
-- Forgets warnings past their time. Index: warning_at, warning_pkey.
DELETE FROM warning WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM warning WHERE at < $1 ORDER BY at LIMIT $2)
RETURNING 1;

-- name: oldest_open
-- The lowest id of a message that is still on its way. Index: queue_pkey, unknown_pkey; claim is small.
SELECT least(
  (SELECT min(message_id) FROM queue WHERE message_id >= 281474976710656),
  (SELECT min(message_id) FROM unknown WHERE message_id >= 281474976710656 AND due_at IS NOT NULL),
  (SELECT min(m) FROM claim CROSS JOIN LATERAL unnest(message_ids) AS m WHERE m >= 281474976710656));

-- name: drop_days
-- Drops the days of one table before a day. Index: none.
SELECT drop_days($1, $2);

-- name: forget_callbacks
-- Forgets callbacks of events that are gone. Index: callback_pkey.
DELETE FROM callback WHERE event_id >= 281474976710656 AND event_id < $1 RETURNING 1;

-- name: forget_unknown_before
-- Forgets unknown messages that are gone. Index: unknown_pkey.
DELETE FROM unknown WHERE message_id >= 281474976710656 AND message_id < $1;

-- name: days_to_forget
-- Days up to $2 of which $1 is not forgotten yet, and how far it is. Index: forgetting_pkey.
SELECT p.day, coalesce(f.after_tenant, 0) AS after_tenant, coalesce(f.after_number, 0) AS after_number FROM (
  SELECT 0 AS day UNION ALL
  SELECT substring(c.relname FROM '_d(\d+)$')::integer FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = 'message'::regclass AND c.relname ~ '_d\d+$') p
LEFT JOIN forgetting f ON f.what = $1 AND f.day = p.day
WHERE p.day <= $2 AND NOT coalesce(f.done, false) ORDER BY p.day;

-- name: numbers_of_day
-- A page of the numbers of one day after (tenant, number). Index: message_destination.
SELECT tenant_id, destination FROM message@
WHERE destination > 0 AND (tenant_id, destination) > ($1::bigint, $2::bigint) ORDER BY tenant_id, destination LIMIT $3;

-- name: forget_numbers
-- Forgets the destinations in $1, $2 (tenant, number) on one day. Index: message_destination, message_pkey.
UPDATE message@ m SET destination = 0
FROM unnest($1::bigint[], $2::bigint[]) AS w(tenant_id, destination)
CROSS JOIN LATERAL (
  SELECT id FROM message@ WHERE tenant_id = w.tenant_id AND destination = w.destination OFFSET 0) f
WHERE m.tenant_id = w.tenant_id AND m.id = f.id
RETURNING 1;

-- name: note_forgotten
-- Notes how far $1 of a day is forgotten. Index: forgetting_pkey.
INSERT INTO forgetting (what, day, after_tenant, after_number, done) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (what, day) DO UPDATE
SET after_tenant = excluded.after_tenant, after_number = excluded.after_number, done = excluded.done;

-- name: forget_days
-- Forgets the notes of days that are gone. Index: forgetting is small.
DELETE FROM forgetting WHERE day < $1 AND day > 0;

-- name: imported_ended
-- Imported submissions past their time with nothing of them open, ids only. Index: none, it stops at $2.
SELECT tenant_id, id, first_message_id, message_count FROM submission@
WHERE accepted_at < $1 AND expires_at < $1 LIMIT $2;

-- name: purge_imported_tries
-- Index: event_message, callback_try_pkey.
DELETE FROM callback_try t USING event@ e
WHERE e.tenant_id = $1 AND e.message_id >= $2 AND e.message_id < $2 + $3::integer AND t.tenant_id = e.tenant_id
  AND t.event_id = e.id AND t.event_id < 281474976710656;

-- name: purge_imported_callbacks
-- Index: event_message, callback_pkey.
DELETE FROM callback c USING event@ e
WHERE e.tenant_id = $1 AND e.message_id >= $2 AND e.message_id < $2 + $3::integer AND c.event_id = e.id;

-- name: purge_imported_unknown
-- Index: unknown_pkey.
DELETE FROM unknown WHERE tenant_id = $1 AND message_id >= $2 AND message_id < $2 + $3::integer;

-- name: purge_imported_events
-- Index: event_message.
DELETE FROM event@ WHERE tenant_id = $1 AND message_id >= $2 AND message_id < $2 + $3::integer;

-- name: purge_imported_attempts
-- Index: attempt_pkey.
DELETE FROM attempt@ WHERE tenant_id = $1 AND message_id >= $2 AND message_id < $2 + $3::integer;

-- name: purge_imported_messages
-- Index: message_pkey.
DELETE FROM message@ m USING generate_series($2::bigint, $2 + $3::integer - 1) AS w(id)
WHERE m.tenant_id = $1 AND m.id = w.id RETURNING 1;

-- name: purge_imported_submission
-- Index: submission_pkey.
DELETE FROM submission@ WHERE tenant_id = $1 AND id = $2 RETURNING 1;

-- name: purge_imported_receipts
-- Forgets imported raw receipts past their time. Index: receipt_pkey.
DELETE FROM receipt WHERE id IN (
  SELECT id FROM receipt WHERE id < 281474976710656 AND received_at < $1 ORDER BY id LIMIT $2) RETURNING 1;
