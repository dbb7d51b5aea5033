-- name: read_standings
-- The moving part of the messages in ?1. Index: message and submission primary keys.
SELECT json_group_array(json_array(m.id, m.tenant_id, m.channel_id, m.plan, m.step, m.state, m.due_at, m.attempts,
  m.tries, m.sequence, m.flags, m.error, s.segment_count, s.expires_at, s.endpoint_id, s.every_step, m.class, m.updated_at))
FROM json_each(?1) j
CROSS JOIN message m ON m.id = j.value
CROSS JOIN submission s ON s.id = m.submission_id;

-- name: write_standings
-- Writes back what changed. Index: message primary key.
UPDATE message SET channel_id = j.channel_id, step = j.step, state = j.state, due_at = j.due_at, tries = j.tries,
  sequence = j.sequence, flags = j.flags, error = j.error, updated_at = ?2
FROM (SELECT value ->> 0 AS id, value ->> 1 AS channel_id, value ->> 2 AS step, value ->> 3 AS state,
  value ->> 4 AS due_at, value ->> 5 AS tries, value ->> 6 AS sequence, value ->> 7 AS flags, value ->> 8 AS error
  FROM json_each(?1)) j
WHERE message.id = j.id;

-- name: insert_events
-- Writes events, each with the callback it owes where an endpoint is set. Index: none.
INSERT INTO event (id, tenant_id, message_id, sequence, state, at, error, flags, channel_id, endpoint_id, due_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
  value ->> 8, value ->> 9, value ->> 10
FROM json_each(?1);
