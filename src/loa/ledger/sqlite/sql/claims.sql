-- name: due_in_lane
-- The first due messages of one lane, in due order, with all the flags of ?5. Index: message_due.
SELECT json_group_array(json_array(id, submission_id, destination, attempts, flags, tries, tenant_id)) FROM (
  SELECT id, submission_id, destination, attempts, flags, tries, tenant_id FROM message
  WHERE state = 0 AND channel_id = ?1 AND class = ?2 AND due_at <= ?3 AND flags & ?5 = ?5
  ORDER BY due_at, id LIMIT ?4
);

-- name: read_contents
-- What the messages of the submissions in ?1 share. Index: submission primary key.
SELECT json_group_array(json_array(s.id, s.sender, s.text, s.encoding, s.segment_count, s.expires_at, s.referent_id, s.ext,
  s.rich, s.brandname))
FROM json_each(?1) j CROSS JOIN submission s ON s.id = j.value;

-- name: mark_sending
-- Claims messages: the state is on disk before any byte leaves. Index: message primary key.
UPDATE message SET state = 1, attempts = attempts + 1, updated_at = ?2
WHERE id IN (SELECT value FROM json_each(?1));

-- name: open_attempts
-- One open attempt for each claimed message. Index: message primary key.
INSERT INTO attempt (message_id, number, channel_id, boot, claimed_at, claimed_until)
SELECT m.id, m.attempts, m.channel_id, ?2, ?3, ?4 FROM json_each(?1) j CROSS JOIN message m ON m.id = j.value;

-- name: close_attempts
-- Writes what came of attempts; one that was closed before keeps what it says unless a late answer replaces `unknown`.
-- Index: attempt primary key.
UPDATE attempt SET done_at = j.at, outcome = j.outcome, reason = j.reason, refs = j.refs
FROM (SELECT value ->> 0 AS message_id, value ->> 1 AS number, value ->> 2 AS at, value ->> 3 AS outcome,
  value ->> 4 AS reason, value ->> 5 AS refs FROM json_each(?1)) j
WHERE attempt.message_id = j.message_id AND attempt.number = j.number
  AND (attempt.done_at IS NULL OR attempt.outcome = 'unknown');

-- name: insert_segments
-- Provider references of handed-over segments. Index: segment primary key.
INSERT OR IGNORE INTO segment (channel_id, ref, message_id, number, segment)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?1);

-- name: next_due_in_lane
-- When the next message of a lane is due. Index: message_due.
SELECT min(due_at) FROM message WHERE state = 0 AND channel_id = ?1 AND class = ?2 AND due_at > ?3;

-- name: stale_attempts
-- Open attempts whose claim is over. Index: attempt_open.
SELECT json_group_array(json_array(message_id, number)) FROM (
  SELECT message_id, number FROM attempt WHERE done_at IS NULL AND claimed_until <= ?1 LIMIT ?2);

-- name: former_attempts
-- Open attempts that another run of the program left behind. Index: attempt_open.
SELECT json_group_array(json_array(message_id, number)) FROM (
  SELECT message_id, number FROM attempt WHERE done_at IS NULL AND boot <> ?1 LIMIT ?2);

-- name: lane_depths
-- Queued messages by lane, read once at start; kept in step afterwards. Index: message_due.
SELECT json_group_array(json_array(channel_id, class, n)) FROM (
  SELECT channel_id, class, count(*) AS n FROM message WHERE state = 0 GROUP BY channel_id, class);

-- name: oldest_in_lane
-- The first due time of a lane. Index: message_due.
SELECT min(due_at) FROM message WHERE state = 0 AND channel_id = ?1 AND class = ?2;

-- name: read_open
-- The attempt number of messages in ?1 that are sending, whose tenant is not told of every step, whose plan gives no step a
-- time, and of which nothing has arrived (flag 32).
-- Index: message and submission primary keys.
SELECT json_group_array(json_array(m.id, m.attempts))
FROM json_each(?1) j
CROSS JOIN message m ON m.id = j.value
CROSS JOIN submission s ON s.id = m.submission_id
WHERE m.state = 1 AND s.every_step = 0 AND instr(m.plan, '/') = 0 AND m.flags & 32 = 0;

-- name: mark_sent
-- Notes that the provider took messages. Index: message primary key.
UPDATE message SET state = 2, due_at = NULL, error = '', updated_at = ?2 WHERE id IN (SELECT value FROM json_each(?1));
