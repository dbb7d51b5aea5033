-- Batches: tables of rows to be sent. Chunks and parts come here packed.

-- name: add_batch
-- Index: none.
INSERT INTO batch (tenant_id, name, who, state, columns, live, created_at) VALUES ($1, $2, $3, 'loading', $4, $5, $6) RETURNING id;

-- name: read_batch_to_change
-- Index: batch_pkey.
SELECT id, tenant_id, name, who, state, columns, live, created_at, plan, rate, start_at, begun_at, done_at, row_count,
  checked, position, slice_end, slice_begun_at, counts, findings, forgotten
FROM batch WHERE id = $1 FOR UPDATE;

-- name: read_batch
-- Batch $2 of tenant $1. Index: batch_tenant.
SELECT id, tenant_id, name, who, state, columns, live, created_at, plan, rate, start_at, begun_at, done_at, row_count,
  checked, position, slice_end, slice_begun_at, counts, findings, forgotten
FROM batch WHERE id = $2 AND tenant_id = $1;

-- name: read_batches
-- Batches of a tenant below an id, newest first. Index: batch_tenant.
SELECT id, tenant_id, name, who, state, columns, live, created_at, plan, rate, start_at, begun_at, done_at, row_count,
  checked, position, slice_end, slice_begun_at, counts, findings, forgotten
FROM batch WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3;

-- name: add_batch_chunk
-- Index: none.
INSERT INTO batch_chunk (tenant_id, batch_id, first, cells) VALUES ($1, $2, $3, $4);

-- name: end_loading
-- Index: batch_pkey.
UPDATE batch SET state = 'draft', row_count = $2 WHERE id = $1 AND state = 'loading' RETURNING id;

-- name: read_chunk
-- The chunk that holds row $3. Index: batch_chunk_pkey.
SELECT first, cells, bad FROM batch_chunk WHERE tenant_id = $1 AND batch_id = $2 AND first <= $3 ORDER BY first DESC LIMIT 1;

-- name: read_parts
-- Index: batch_part_pkey.
SELECT first, count, at, outcome FROM batch_part WHERE tenant_id = $1 AND batch_id = $2 AND first > $3 ORDER BY first LIMIT $4;

-- name: set_batch_plan
-- Index: batch_pkey.
UPDATE batch SET plan = $2, state = 'checking', checked = 0, counts = '{}', findings = '{}', owner = '', claimed_until = 0
WHERE id = $1 AND state IN ('draft', 'checking', 'checked') AND NOT forgotten RETURNING tenant_id;

-- name: forget_marks
-- Index: batch_chunk_pkey.
UPDATE batch_chunk SET bad = NULL WHERE tenant_id = $1 AND batch_id = $2 AND bad IS NOT NULL;

-- name: move_batch
-- Whoever is in the middle of a slice keeps it. Index: batch_pkey.
UPDATE batch SET state = $2, done_at = $3,
  owner = CASE WHEN slice_end > position THEN owner ELSE '' END,
  claimed_until = CASE WHEN slice_end > position THEN claimed_until ELSE 0 END
WHERE id = $1;

-- name: start_batch
-- Index: batch_pkey.
UPDATE batch SET state = 'running', rate = $2, start_at = $3, begun_at = $4, owner = '', claimed_until = 0
WHERE id = $1 AND state = 'checked' AND NOT forgotten RETURNING id;

-- name: remove_batch
-- Not while it is unknown what of a slice was sent. Index: batch_pkey.
DELETE FROM batch WHERE id = $1 AND state NOT IN ('loading', 'checking', 'running') AND slice_end <= position RETURNING tenant_id;

-- name: remove_chunks
-- Index: batch_chunk_pkey.
DELETE FROM batch_chunk WHERE tenant_id = $1 AND batch_id = $2;

-- name: remove_parts
-- Index: batch_part_pkey.
DELETE FROM batch_part WHERE tenant_id = $1 AND batch_id = $2;

-- name: open_batches
-- What is to be worked on at $1, also slices that a stop met. Index: batch_open.
SELECT id, tenant_id, name, who, state, columns, live, created_at, plan, rate, start_at, begun_at, done_at, row_count,
  checked, position, slice_end, slice_begun_at, counts, findings, forgotten
FROM batch WHERE (state IN ('checking', 'running') OR (state = 'stopped' AND slice_end > position)) AND start_at <= $1 ORDER BY start_at;

-- name: claim_batch
-- For $2 from $3 until $4. A claim that ends later than any of today could was made by a clock ahead. Index: batch_pkey.
UPDATE batch SET owner = $2, claimed_until = $4
WHERE id = $1 AND (state IN ('checking', 'running') OR (state = 'stopped' AND slice_end > position))
  AND (owner = $2 OR claimed_until <= $3 OR claimed_until > $4) RETURNING id;

-- name: restart_check
-- Index: batch_pkey.
UPDATE batch SET checked = 0, counts = '{}', findings = '{}' WHERE id = $1 AND owner = $2 AND state = 'checking' RETURNING tenant_id;

-- name: read_checking
-- Index: batch_pkey.
SELECT row_count, counts, findings, tenant_id FROM batch WHERE id = $1 AND owner = $2 AND checked = $3 AND state = 'checking' FOR UPDATE;

-- name: note_checked
-- Index: batch_pkey.
UPDATE batch SET checked = $2, state = $3, counts = $4, findings = $5 WHERE id = $1;

-- name: mark_chunk
-- Index: batch_chunk_pkey.
UPDATE batch_chunk SET bad = $4 WHERE tenant_id = $1 AND batch_id = $2 AND first = $3;

-- name: begin_slice
-- By $2, up to row $3, at $4, claimed until $5. A slice that was begun stays as it is. Index: batch_pkey.
UPDATE batch SET claimed_until = $5,
  slice_end = CASE WHEN slice_end > position THEN slice_end ELSE $3 END,
  slice_begun_at = CASE WHEN slice_end > position THEN slice_begun_at ELSE $4 END
WHERE id = $1 AND owner = $2 AND state = 'running' RETURNING id;

-- name: read_slice
-- The batch whose next row is $2. Index: batch_pkey.
SELECT row_count, counts, state, tenant_id FROM batch WHERE id = $1 AND position = $2 AND state IN ('running', 'paused', 'stopped') FOR UPDATE;

-- name: record_slice
-- Index: batch_pkey.
UPDATE batch SET position = $2, slice_end = $2, counts = $3, state = $4, done_at = coalesce($5, done_at) WHERE id = $1;

-- name: add_part
-- Index: none.
INSERT INTO batch_part (tenant_id, batch_id, first, count, at, outcome) VALUES ($1, $2, $3, $4, $5, $6);

-- name: stop_batches
-- Stops what is not over, at $1. Index: none: done once, to a ledger that was restored.
UPDATE batch SET state = 'stopped', done_at = $1 WHERE state NOT IN ('stopped', 'finished');

-- name: batches_to_forget
-- Index: batch_kept.
SELECT tenant_id, id FROM batch WHERE NOT forgotten AND created_at < $1 AND state NOT IN ('checking', 'running') ORDER BY created_at LIMIT $2;

-- name: forget_batch
-- Index: batch_pkey.
UPDATE batch SET forgotten = true, columns = '[]', plan = '{}', findings = '{}', slice_end = position,
  state = CASE WHEN state = 'finished' THEN state ELSE 'stopped' END WHERE id = $1;

-- name: batches_to_purge
-- Index: batch_created.
SELECT tenant_id, id FROM batch WHERE created_at < $1 AND state NOT IN ('checking', 'running') ORDER BY created_at LIMIT $2;

-- name: purge_batch
-- Index: batch_pkey.
DELETE FROM batch WHERE id = $1;

-- name: spans_of_submissions
-- Where the messages of the submissions named in $2 lie, by ids between $3 and $4 or imported. Index: submission_referent.
SELECT s.referent_id, s.id, s.first_message_id, s.message_count
FROM unnest($2::text[]) AS r(referent_id)
CROSS JOIN LATERAL (SELECT * FROM submission WHERE referent_id = r.referent_id AND tenant_id = $1
  AND (id < 281474976710656 OR (id >= $3 AND id < $4)) OFFSET 0) s;

-- name: sent_messages
-- Messages of spans. Index: message_pkey, queue_pkey.
SELECT w.referent_id, m.id, m.destination,
  CASE WHEN m.state = 0 AND q.message_id IS NULL THEN 1 ELSE m.state END AS state, m.error
FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS w(referent_id, first, count)
CROSS JOIN LATERAL (SELECT * FROM message@ WHERE tenant_id = $1 AND id >= w.first AND id < w.first + w.count OFFSET 0) m
LEFT JOIN LATERAL (SELECT message_id FROM queue WHERE message_id = m.id OFFSET 0) q ON true
ORDER BY m.id;
