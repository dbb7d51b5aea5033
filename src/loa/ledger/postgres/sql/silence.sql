-- name: silent_on
-- Sent messages of a channel whose step was silent for its time, oldest first. Index: silent_due.
SELECT tenant_id, message_id FROM silent WHERE channel_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3;

-- name: silent_details
-- What their provider knows them by, of messages $1, $2 (tenant, id). Index: message_pkey, attempt_pkey.
SELECT m.id, m.attempts, m.destination, coalesce(a.refs, ''), m.tenant_id
FROM unnest($1::bigint[], $2::bigint[]) AS w(tenant_id, id)
CROSS JOIN LATERAL (SELECT * FROM message@ WHERE tenant_id = w.tenant_id AND id = w.id OFFSET 0) m
LEFT JOIN LATERAL (
  SELECT refs FROM attempt@ WHERE tenant_id = m.tenant_id AND message_id = m.id AND number = m.attempts OFFSET 0) a ON true;

-- name: silent_channels
-- The channels with such messages. Index: silent_due.
SELECT DISTINCT channel_id FROM silent WHERE due_at <= $1;

-- name: add_waits
-- Counts how long receipts took, $1..$4 (channel, class, span, count). Index: latency_pkey.
INSERT INTO latency AS l (channel_id, class, span, count)
SELECT * FROM unnest($1::integer[], $2::smallint[], $3::smallint[], $4::bigint[])
ON CONFLICT (channel_id, class, span) DO UPDATE SET count = l.count + excluded.count;

-- name: halve_waits
-- Lets the past of a channel and class count for half where it has come to more than $1. Index: latency is small.
WITH full_ones AS (SELECT channel_id, class FROM latency GROUP BY channel_id, class HAVING sum(count) > $1)
UPDATE latency l SET count = count / 2 WHERE (l.channel_id, l.class) IN (SELECT channel_id, class FROM full_ones);

-- name: read_waits
-- Index: latency is small.
SELECT channel_id, class, span, count FROM latency WHERE count > 0;
