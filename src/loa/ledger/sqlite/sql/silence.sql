-- name: silent_on
-- Sent messages of a channel whose step was silent for its time, oldest first, with what their provider knows them by.
-- Index: message_silent, attempt primary key.
SELECT json_group_array(json_array(m.id, m.attempts, m.destination, a.refs, m.tenant_id)) FROM (
  SELECT id, attempts, destination, tenant_id FROM message
  WHERE state = 2 AND channel_id = ?1 AND due_at <= ?2 ORDER BY due_at LIMIT ?3) m
LEFT JOIN attempt a ON a.message_id = m.id AND a.number = m.attempts;

-- name: silent_channels
-- The channels with such messages. Index: message_silent.
SELECT json_group_array(DISTINCT channel_id) FROM message WHERE state = 2 AND due_at <= ?1;

-- name: add_waits
-- Counts how long receipts took, rows [channel, class, span, count]. Index: latency primary key.
INSERT INTO latency (channel_id, class, span, count)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1) WHERE true
ON CONFLICT DO UPDATE SET count = latency.count + excluded.count;

-- name: halve_waits
-- Lets the past of a channel and class count for half where it has come to more than ?1. Index: latency is small.
UPDATE latency SET count = count / 2 WHERE (channel_id, class) IN (
  SELECT channel_id, class FROM latency GROUP BY channel_id, class HAVING sum(count) > ?1);

-- name: read_waits
-- Index: latency is small.
SELECT json_group_array(json_array(channel_id, class, span, count)) FROM latency WHERE count > 0;
