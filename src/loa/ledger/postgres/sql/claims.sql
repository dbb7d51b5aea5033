-- name: claim_lanes
-- Takes the first due messages of up to three lanes of a channel ($1) out of the queue: lanes $3 from due time $4, at most
-- $5 together with those before, with all the flags of $6. The rows are the claim's from here on. Index: queue_lane, queue_pkey.
WITH a AS MATERIALIZED (
  SELECT message_id FROM queue WHERE channel_id = $1 AND class = ($3::smallint[])[1] AND due_at <= $2
    AND due_at >= ($4::bigint[])[1] AND flags & $6 = $6 ORDER BY due_at LIMIT ($5::integer[])[1] FOR UPDATE SKIP LOCKED
), b AS MATERIALIZED (
  SELECT message_id FROM queue WHERE channel_id = $1 AND class = ($3::smallint[])[2] AND due_at <= $2
    AND due_at >= ($4::bigint[])[2] AND flags & $6 = $6 ORDER BY due_at
    LIMIT greatest(0, ($5::integer[])[2] - (SELECT count(*) FROM a)) FOR UPDATE SKIP LOCKED
), c AS MATERIALIZED (
  SELECT message_id FROM queue WHERE channel_id = $1 AND class = ($3::smallint[])[3] AND due_at <= $2
    AND due_at >= ($4::bigint[])[3] AND flags & $6 = $6 ORDER BY due_at
    LIMIT greatest(0, ($5::integer[])[3] - (SELECT count(*) FROM a) - (SELECT count(*) FROM b)) FOR UPDATE SKIP LOCKED
)
DELETE FROM queue WHERE message_id = ANY(ARRAY(
  SELECT message_id FROM a UNION ALL SELECT message_id FROM b UNION ALL SELECT message_id FROM c))
RETURNING message_id, submission_id, destination, attempts, flags, tries, tenant_id, class, due_at, expires_at;

-- name: keep_claim
-- Keeps a claimed batch on record, while its owner lives: a dead process's claims are settled by others. What left which lane
-- stands in $9, $10. Index: node_pkey.
WITH moved AS (
  INSERT INTO lane_move (channel_id, class, count) SELECT $3, * FROM unnest($9::smallint[], $10::bigint[])
)
INSERT INTO claim (id, boot, channel_id, claimed_at, claimed_until, tenant_ids, message_ids, numbers)
SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM node WHERE boot = $2 AND dead_at IS NULL
RETURNING pg_current_xact_id()::text::bigint;

-- name: end_claims
-- Forgets claims whose every attempt has its outcome. Index: claim_pkey.
DELETE FROM claim WHERE boot = $1 AND id = ANY($2::bigint[]);

-- name: decided_claims
-- Those of the claims in $1 whose transactions $2 have ended, one way or the other, also by being lost with a server.
-- Index: none.
SELECT id FROM unnest($1::bigint[], $2::bigint[]) AS w(id, xid)
WHERE CASE WHEN xid = 0 OR xid > pg_current_xact_id()::text::bigint THEN true
  ELSE coalesce(pg_xact_status(xid::text::xid8) <> 'in progress', true) END;

-- name: take_back
-- Takes claims off the record whose commit was in doubt. Index: claim_pkey.
WITH gone AS (
  DELETE FROM claim WHERE boot = $1 AND id = ANY($2::bigint[]) RETURNING tenant_ids, message_ids, numbers
)
SELECT u.tenant_id, u.message_id, u.number FROM gone CROSS JOIN LATERAL
  unnest(gone.tenant_ids, gone.message_ids, gone.numbers) AS u(tenant_id, message_id, number);

-- name: give_back
-- Puts messages of such claims, $1..$3 (tenant, id, attempt), back in their lanes: nothing of them was handed over.
-- Index: message_pkey, submission_pkey.
INSERT INTO queue (message_id, tenant_id, submission_id, destination, due_at, expires_at, channel_id, attempts, tries, flags,
  class)
SELECT m.id, m.tenant_id, m.submission_id, m.destination, m.due_at, s.expires_at, m.channel_id, m.attempts, m.tries, m.flags,
  m.class
FROM unnest($1::bigint[], $2::bigint[], $3::integer[]) AS w(tenant_id, message_id, number)
CROSS JOIN LATERAL (SELECT * FROM message@ WHERE tenant_id = w.tenant_id AND id = w.message_id OFFSET 0) m
CROSS JOIN LATERAL (SELECT * FROM submission@ WHERE tenant_id = m.tenant_id AND id = m.submission_id OFFSET 0) s
WHERE m.state = 0 AND m.attempts = w.number - 1
ON CONFLICT (message_id) DO NOTHING
RETURNING channel_id, class, due_at;

-- name: read_contents
-- What the messages of the submissions in $1, $2 (tenant, id) share. Index: submission_pkey.
SELECT s.id, s.sender, s.text, s.encoding, s.segment_count, s.expires_at, s.referent_id, s.ext, s.rich,
  s.brandname
FROM unnest($1::bigint[], $2::bigint[]) AS w(tenant_id, id)
JOIN submission@ s ON s.tenant_id = w.tenant_id AND s.id = w.id;

-- name: mark_sent
-- Settles the plain case at once: accepted attempts that are the open ones, of messages nobody is told of yet, whose plan gives
-- no step a time, and of which nothing has arrived (flag 32), with the reference of the one segment of those that have only one. Gives which they were. Index: message_pkey.
WITH w AS MATERIALIZED (
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::bigint[], $6::bigint[], $7::text[],
    $8::text[]) AS u(tenant_id, message_id, number, channel_id, claimed_at, at, refs, form)
), sent AS (
  UPDATE message@ m SET state = 2, attempts = w.number, due_at = NULL, error = '', updated_at = w.at
  FROM w WHERE m.tenant_id = w.tenant_id AND m.id = w.message_id AND m.state = 0 AND m.attempts = w.number - 1
    AND NOT m.every_step AND position('/' IN m.plan) = 0 AND m.flags & 32 = 0
  RETURNING m.tenant_id, m.id, w.number, w.channel_id, w.claimed_at, w.at, w.refs, w.form, m.destination
), closed AS (
  INSERT INTO attempt@ (tenant_id, message_id, number, channel_id, claimed_at, done_at, outcome, reason, refs)
  SELECT tenant_id, id, number, channel_id, claimed_at, at, 'accepted', '', refs FROM sent
), found_by AS (
  INSERT INTO segment (channel_id, ref, tenant_id, message_id, destination, number, segment, day)
  SELECT channel_id, form, tenant_id, id, destination, number, 0, $9::integer FROM sent WHERE form <> ''
)
SELECT id, destination FROM sent;

-- name: close_attempts
-- Writes what came of attempts; one that was closed before keeps what it says unless a late answer replaces `unknown`.
-- Index: attempt_pkey.
INSERT INTO attempt AS a (tenant_id, message_id, number, channel_id, claimed_at, done_at, outcome, reason, refs)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::bigint[], $6::bigint[], $7::text[],
  $8::text[], $9::text[])
ON CONFLICT (tenant_id, message_id, number) DO UPDATE
SET done_at = excluded.done_at, outcome = excluded.outcome, reason = excluded.reason, refs = excluded.refs
WHERE a.outcome = 'unknown';

-- name: insert_segments
-- Provider references of handed-over segments. An answer that comes twice is kept twice, which changes nothing. Index: none.
INSERT INTO segment (channel_id, ref, tenant_id, message_id, destination, number, segment, day)
SELECT * FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::integer[], $7::integer[],
  $8::integer[]);

-- name: next_due
-- When the next message of a channel's lanes $2 is due after $3. Index: queue_lane.
SELECT min(due) FROM unnest($2::smallint[]) AS lane(class) CROSS JOIN LATERAL (
  SELECT q.due_at AS due FROM queue q WHERE q.channel_id = $1 AND q.class = lane.class AND q.due_at > $3
  ORDER BY q.due_at LIMIT 1) first;

-- name: stale_claims
-- Claims that ran out ($2 of our own, $3 of others) or whose owner is dead. Index: claim is small; node_pkey.
SELECT c.id, c.boot, c.channel_id, c.claimed_at, c.tenant_ids, c.message_ids, c.numbers, n.boot IS NULL AS dead
FROM claim c LEFT JOIN node n ON n.boot = c.boot AND n.dead_at IS NULL
WHERE n.boot IS NULL OR c.claimed_until <= CASE WHEN c.boot = $1 THEN $2::bigint ELSE $3::bigint END
ORDER BY c.boot, c.id LIMIT $4 FOR UPDATE OF c SKIP LOCKED;

-- name: all_claims
-- Claims of whomever. Index: claim_pkey.
SELECT boot, id, channel_id, claimed_at, tenant_ids, message_ids, numbers FROM claim ORDER BY boot, id LIMIT $1 FOR UPDATE;

-- name: end_stale_claims
-- Forgets claims that were settled. Index: claim_pkey.
DELETE FROM claim c USING unnest($1::bigint[], $2::bigint[]) AS w(boot, id) WHERE c.boot = w.boot AND c.id = w.id;
