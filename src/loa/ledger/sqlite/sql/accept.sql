-- name: find_request_keys
-- Submissions already stored under the (tenant, request id) pairs of ?1, with their fingerprints.
-- Index: request_key primary key, submission primary key.
SELECT json_group_array(json_array(k.tenant_id, k.request_id, hex(k.fingerprint), k.at, s.referent_id, s.token, s.answer))
FROM json_each(?1) j
CROSS JOIN request_key k ON k.tenant_id = j.value ->> 0 AND k.request_id = j.value ->> 1
CROSS JOIN submission s ON s.id = k.submission_id;

-- name: insert_request_keys
-- Remembers the request ids of new submissions; an entry past its time is replaced. Index: primary key.
INSERT OR REPLACE INTO request_key (tenant_id, request_id, fingerprint, submission_id, at)
SELECT value ->> 0, value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4 FROM json_each(?1);

-- name: insert_submissions
-- Writes the submissions of one commit. Index: none.
INSERT INTO submission (id, tenant_id, referent_id, token, request_id, key_id, sender, text, encoding, segment_count,
  class, accepted_at, due_at, expires_at, scheduled, first_message_id, message_count, endpoint_id, every_step, ext, answer,
  rich, brandname)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
  value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14, value ->> 15,
  value ->> 16, value ->> 17, value ->> 18, value ->> 19, value ->> 20, value ->> 21,
  value ->> 22
FROM json_each(?1);

-- name: insert_messages
-- Writes the messages of one commit: each group of ?1 shares all but the destination. Index: none.
WITH grouped AS MATERIALIZED (
  SELECT value ->> 0 AS first_id, value ->> 1 AS submission_id, value ->> 2 AS tenant_id, value ->> 3 AS class,
    value ->> 4 AS channel_id, value ->> 5 AS plan, value ->> 6 AS due_at, value ->> 7 AS at, value -> 8 AS destinations
  FROM json_each(?1)
)
INSERT INTO message (id, submission_id, tenant_id, destination, class, channel_id, plan, step, state, due_at, attempts,
  tries, sequence, flags, error, updated_at)
SELECT g.first_id + d.key, g.submission_id, g.tenant_id, d.value, g.class, g.channel_id, g.plan, 0, 0, g.due_at, 0,
  0, 0, iif(instr(g.plan, ','), 256, 0), '', g.at
FROM grouped g, json_each(g.destinations) d;

-- name: insert_warnings
-- Notes things the tenant can see. Index: none.
INSERT INTO warning (tenant_id, at, kind, detail)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1);

-- name: submission_span
-- The message ids of one submission. Index: submission_referent.
SELECT first_message_id, message_count FROM submission WHERE referent_id = ?1 AND tenant_id = ?2;

-- name: queued_in_span
-- The queued messages of one submission. Index: message primary key.
SELECT json_group_array(id) FROM message WHERE id >= ?1 AND id < ?1 + ?2 AND state = 0;

-- name: message_of_tenant
-- Whether a message is the tenant's, and its state. Index: message primary key.
SELECT state FROM message WHERE id = ?1 AND tenant_id = ?2;
