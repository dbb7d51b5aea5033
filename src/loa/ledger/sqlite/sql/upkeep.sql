-- name: waits_over
-- Unknown messages whose wait for evidence is over. Index: message_waiting.
SELECT json_group_array(id) FROM (
  SELECT id FROM message WHERE state = 3 AND due_at IS NOT NULL AND due_at <= ?1 ORDER BY due_at LIMIT ?2);

-- name: queued_anywhere
-- The first queued messages of all lanes. Index: message_due.
SELECT json_group_array(id) FROM (SELECT id FROM message WHERE state = 0 ORDER BY channel_id, class, due_at LIMIT ?1);

-- name: waiting_unknown
-- Unknown messages that wait for evidence. Index: message_waiting.
SELECT json_group_array(id) FROM (
  SELECT id FROM message WHERE state = 3 AND due_at IS NOT NULL ORDER BY due_at LIMIT ?1);

-- name: lane_page
-- A page of a lane after (due, id): [id, due, expires]. Index: message_due, submission primary key.
SELECT json_group_array(json_array(m.id, m.due_at, s.expires_at)) FROM (
  SELECT id, due_at, submission_id FROM message
  WHERE state = 0 AND channel_id = ?1 AND class = ?2 AND (due_at, id) > (?3, ?4)
  ORDER BY due_at, id LIMIT ?5) m
CROSS JOIN submission s ON s.id = m.submission_id;

-- name: purge_request_keys
-- Forgets request ids past their time. Index: request_key_at.
DELETE FROM request_key WHERE (tenant_id, request_id, fingerprint) IN (
  SELECT tenant_id, request_id, fingerprint FROM request_key WHERE at < ?1 ORDER BY at LIMIT ?2);

-- name: purge_parked
-- Gives up on receipts that never found their segment; the receipt itself stays. Index: parked_receipt.
DELETE FROM parked WHERE receipt_id IN (
  SELECT receipt_id FROM parked WHERE received_at < ?1 ORDER BY receipt_id LIMIT ?2);

-- name: purge_texts
-- Forgets what submissions of one class said, in text and options; counts stay. Index: submission_content.
UPDATE submission SET text = '', ext = '{}', rich = '', purged = 1 WHERE id IN (
  SELECT id FROM submission WHERE purged = 0 AND class = ?1 AND accepted_at < ?2 AND expires_at < ?2 LIMIT ?3);

-- name: purge_receipts
-- Forgets raw receipts past their time; receipts are numbered in the order they came. Index: receipt primary key.
DELETE FROM receipt WHERE id IN (SELECT id FROM receipt WHERE received_at < ?1 ORDER BY id LIMIT ?2);

-- name: old_submissions
-- Submissions past their time with nothing left open: [id, first message, count]. Index: submission primary key.
SELECT json_group_array(json_array(id, first_message_id, message_count)) FROM (
  SELECT id, first_message_id, message_count FROM submission WHERE accepted_at < ?1 AND expires_at < ?1
  ORDER BY id LIMIT ?2);

-- name: purge_tries
-- Forgets the tries of callbacks of one span of messages. Index: event_message.
DELETE FROM callback_try WHERE event_id IN (SELECT id FROM event WHERE message_id >= ?1 AND message_id < ?1 + ?2);

-- name: purge_events
-- Index: event_message.
DELETE FROM event WHERE message_id >= ?1 AND message_id < ?1 + ?2;

-- name: purge_segments
-- Index: attempt and segment primary keys.
DELETE FROM segment WHERE (channel_id, ref, message_id, number, segment) IN (
  SELECT a.channel_id, r.value ->> 1, a.message_id, a.number, r.key FROM attempt a CROSS JOIN json_each(a.refs) r
  WHERE a.message_id >= ?1 AND a.message_id < ?1 + ?2 AND a.refs <> '');

-- name: purge_attempts
-- Index: attempt primary key.
DELETE FROM attempt WHERE message_id >= ?1 AND message_id < ?1 + ?2;

-- name: purge_messages
-- Index: message primary key.
DELETE FROM message WHERE id >= ?1 AND id < ?1 + ?2;

-- name: purge_submission
-- Index: submission primary key.
DELETE FROM submission WHERE id = ?1;

-- name: submissions_with_numbers
-- Submissions after ?1 whose numbers are past their time: [id, first message, count]. Index: submission primary key.
SELECT json_group_array(json_array(id, first_message_id, message_count)) FROM (
  SELECT id, first_message_id, message_count FROM submission
  WHERE id > ?1 AND accepted_at < ?2 AND expires_at < ?2 ORDER BY id LIMIT ?3);

-- name: forget_numbers
-- Forgets the destinations of one span of messages. Index: message primary key.
UPDATE message SET destination = 0 WHERE id >= ?1 AND id < ?1 + ?2 AND destination <> 0;

-- name: numbers_forgotten
-- Up to which submission numbers are forgotten. Index: meta primary key.
SELECT value FROM meta WHERE name = 'numbers_forgotten';

-- name: note_numbers_forgotten
-- Index: meta primary key.
UPDATE meta SET value = ?1 WHERE name = 'numbers_forgotten';

-- name: purge_warnings
-- Forgets warnings past their time; they are numbered in the order they came. Index: warning primary key.
DELETE FROM warning WHERE id IN (SELECT id FROM warning WHERE at < ?1 ORDER BY id LIMIT ?2);
