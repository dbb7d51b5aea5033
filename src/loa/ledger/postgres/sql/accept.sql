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
-- Numbers for $1 submissions. Index: none.
SELECT nextval('submission_number') FROM generate_series(1, $1::integer);

-- name: write_submissions
-- Writes the submissions of one commit ($1..$23), and their messages in groups ($24..$35) that share all but the number ($36),
-- puts those in their lanes ($37..$39), notes them for the figures, and remembers request ids ($40..$44), where an entry past its time ($45) is replaced.
-- Gives how many request ids were kept, one fewer where another process was quicker, and the transaction.
-- Index: request_key_pkey.
WITH submitted AS (
  INSERT INTO submission (tenant_id, id, referent_id, token, request_id, key_id, sender, text, encoding, segment_count, class,
    accepted_at, due_at, expires_at, scheduled, first_message_id, message_count, endpoint_id, every_step, ext, answer,
    rich, brandname)
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[],
    $9::text[], $10::integer[], $11::smallint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::boolean[], $16::bigint[],
    $17::integer[], $18::bigint[], $19::boolean[], $20::text[], $21::text[],
    $22::text[], $23::text[])
), fresh AS MATERIALIZED (
  SELECT g.*, g.first_id + d.place - 1 AS id, d.destination, (strpos(g.plan, ',') > 0)::integer * 256 AS flags
  FROM unnest($24::bigint[], $25::bigint[], $26::bigint[], $27::smallint[], $28::integer[], $29::text[], $30::bigint[],
    $31::bigint[], $32::bigint[], $33::boolean[], $34::integer[], $35::integer[])
    AS g(tenant_id, first_id, submission_id, class, channel_id, plan, due_at, at, expires_at, every_step, low, high)
  CROSS JOIN LATERAL unnest(($36::bigint[])[g.low:g.high]) WITH ORDINALITY AS d(destination, place)
), written AS (
  INSERT INTO message (tenant_id, id, submission_id, destination, class, channel_id, plan, due_at, updated_at, every_step,
    flags)
  SELECT tenant_id, id, submission_id, destination, class, channel_id, plan, due_at, at, every_step, flags FROM fresh
), queued AS (
  INSERT INTO queue (message_id, tenant_id, submission_id, destination, due_at, expires_at, channel_id, attempts, tries, flags,
    class)
  SELECT id, tenant_id, submission_id, destination, due_at, expires_at, channel_id, 0, 0, flags, class FROM fresh
), moved AS (
  INSERT INTO lane_move (channel_id, class, count) SELECT * FROM unnest($37::integer[], $38::smallint[], $39::bigint[])
), figured AS (
  INSERT INTO accepted_move (tenant_id, at, class, count)
  SELECT tenant_id, at / 60000 * 60000, class, sum(count) FROM unnest($1::bigint[], $12::bigint[], $11::smallint[], $17::integer[])
    AS s(tenant_id, at, class, count)
  GROUP BY 1, 2, 3
), kept AS (
  INSERT INTO request_key AS k (tenant_id, request_id, fingerprint, submission_id, at)
  SELECT * FROM unnest($40::bigint[], $41::text[], $42::bytea[], $43::bigint[], $44::bigint[])
  ON CONFLICT (tenant_id, request_id, fingerprint) DO UPDATE SET submission_id = excluded.submission_id, at = excluded.at
  WHERE k.at <= excluded.at - $45
  RETURNING 1
)
SELECT (SELECT count(*) FROM kept) AS kept, pg_current_xact_id()::text::bigint AS xid;

-- name: insert_warnings
-- Notes things the tenant can see. Index: none.
INSERT INTO warning (tenant_id, at, kind, detail)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]);

-- name: endpoint_of_url
-- A tenant's endpoint with this address. Index: endpoint_tenant_id_url_key.
SELECT id FROM endpoint WHERE tenant_id = $1 AND url = $2;

-- name: secrets_for
-- The secrets a new address of a tenant shares: those of endpoint $2, else of its first. Index: endpoint is small.
SELECT url, secrets FROM endpoint WHERE tenant_id = $1 ORDER BY id = $2 DESC, id LIMIT 1;

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
