-- name: find_request_keys
-- What is kept under the (tenant, request id) pairs of $1, $2. Index: request_key_pkey.
SELECT k.tenant_id, k.submission_id, k.request_id, encode(k.fingerprint, 'hex') AS fingerprint, k.at
FROM unnest($1::bigint[], $2::text[]) AS w(tenant_id, request_id)
CROSS JOIN LATERAL (
  SELECT * FROM request_key WHERE tenant_id = w.tenant_id AND request_id = w.request_id OFFSET 0) k;

-- name: first_answers
-- What was answered to the submissions of request keys $1..$5, see above. Index: submission_pkey.
SELECT w.tenant_id, w.request_id, w.fingerprint, w.at, s.referent_id, s.token, s.answer
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[])
  AS w(tenant_id, submission_id, request_id, fingerprint, at)
CROSS JOIN LATERAL (
  SELECT referent_id, token, answer FROM submission@ WHERE tenant_id = w.tenant_id AND id = w.submission_id OFFSET 0) s;

-- name: lock_request_ids
-- Makes commits that carry the same strict request id wait for each other. Index: none.
SELECT pg_advisory_xact_lock(h) FROM (
  SELECT DISTINCT hashtextextended(w.request_id, w.tenant_id) AS h FROM unnest($1::bigint[], $2::text[]) AS w(tenant_id, request_id)
  ORDER BY 1) sorted;

-- name: submission_numbers
-- Numbers for $1 submissions, and the transaction they belong to. Index: none.
SELECT nextval('submission_number'), pg_current_xact_id()::text::bigint FROM generate_series(1, $1::integer);

-- name: keep_request_keys
-- Remembers request ids; an entry past its time ($6) is replaced. Gives one row for each that was kept: one fewer means that
-- another process was quicker. Index: request_key_pkey.
INSERT INTO request_key AS k (tenant_id, request_id, fingerprint, submission_id, at)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::bigint[], $5::bigint[])
ON CONFLICT (tenant_id, request_id, fingerprint) DO UPDATE SET submission_id = excluded.submission_id, at = excluded.at
WHERE k.at <= excluded.at - $6
RETURNING 1;

-- name: insert_submissions
-- Writes the submissions of one commit. Index: none.
INSERT INTO submission (tenant_id, id, referent_id, token, request_id, key_id, sender, text, encoding, segment_count, class,
  accepted_at, due_at, expires_at, scheduled, first_message_id, message_count, endpoint_id, every_step, ext, answer)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[],
  $9::text[], $10::integer[], $11::smallint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::boolean[], $16::bigint[],
  $17::integer[], $18::bigint[], $19::boolean[], $20::text[], $21::text[]);

-- name: insert_messages
-- Writes the messages of one commit and puts them in their lanes. Index: none.
WITH fresh AS MATERIALIZED (
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[], $6::integer[], $7::text[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::boolean[])
  AS f(tenant_id, id, submission_id, destination, class, channel_id, plan, due_at, at, expires_at, every_step)
), written AS (
  INSERT INTO message (tenant_id, id, submission_id, destination, class, channel_id, plan, due_at, updated_at, every_step)
  SELECT tenant_id, id, submission_id, destination, class, channel_id, plan, due_at, at, every_step FROM fresh
)
INSERT INTO queue (message_id, tenant_id, submission_id, destination, due_at, expires_at, channel_id, attempts, tries, flags,
  class)
SELECT id, tenant_id, submission_id, destination, due_at, expires_at, channel_id, 0, 0, 0, class FROM fresh;

-- name: insert_warnings
-- Notes things the tenant can see. Index: none.
INSERT INTO warning (tenant_id, at, kind, detail)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]);

-- name: endpoint_of_url
-- A tenant's endpoint with this address. Index: endpoint_tenant_id_url_key.
SELECT id FROM endpoint WHERE tenant_id = $1 AND url = $2;

-- name: secrets_for
-- The secrets a new address of a tenant shares: those of endpoint $2, else of its first. Index: endpoint_pkey.
SELECT secrets FROM endpoint WHERE tenant_id = $1 ORDER BY id = $2 DESC, id LIMIT 1;

-- name: insert_endpoint
-- Makes an endpoint of a submission's own address; another process may have been quicker. Index: endpoint_tenant_id_url_key.
INSERT INTO endpoint (tenant_id, url, secrets) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, url) DO UPDATE SET url = excluded.url RETURNING id;

-- name: tells_every_step
-- Whether an endpoint is told of every step. Index: endpoint_pkey.
SELECT every_step FROM endpoint WHERE tenant_id = $1 AND id = $2;

-- name: bump_revision
-- Lets readers of the directory know. Index: meta_pkey.
UPDATE meta SET value = value + 1 WHERE name = 'revision';

-- name: submission_span
-- The message ids of one submission. Index: submission_referent.
SELECT first_message_id, message_count FROM submission
WHERE referent_id = $1 AND tenant_id = $2 AND (id < 281474976710656 OR (id >= $3 AND id < $4));

-- name: queued_in_span
-- The queued messages of one submission. Index: message_pkey, queue_pkey.
SELECT m.id FROM message@ m CROSS JOIN LATERAL (SELECT FROM queue WHERE message_id = m.id OFFSET 0) q
WHERE m.tenant_id = $1 AND m.id >= $2 AND m.id < $2 + $3::integer AND m.state = 0 ORDER BY m.id;

-- name: message_of_tenant
-- Whether a message is the tenant's. Index: message_pkey.
SELECT state FROM message@ WHERE tenant_id = $1 AND id = $2;
