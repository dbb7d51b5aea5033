-- name: figured
-- Up to which transaction and event all events are counted. Index: meta_pkey.
SELECT (SELECT value FROM meta WHERE name = 'figured_xid') AS xid,
  (SELECT value FROM meta WHERE name = 'figured_event') AS event;

-- name: figured_up_to
-- The event that is the $4th of a tenant after ($1, $2), the first of those of all tenants; not below the id $3, and only one
-- before which nothing can come any more. Index: event_feed; tenants are few.
SELECT e.xid, e.id FROM tenant t CROSS JOIN LATERAL (
  SELECT xid, id FROM event
  WHERE tenant_id = t.id AND (xid, id) > ($1::bigint, $2::bigint) AND id >= $3
    AND xid < (SELECT value FROM meta WHERE name = 'xid_base') + pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  ORDER BY xid, id OFFSET $4::integer - 1 LIMIT 1) e
ORDER BY e.xid, e.id LIMIT 1;

-- name: last_to_figure
-- The last event after ($1, $2) before which nothing can come any more; not below the id $3.
-- Index: event_feed; tenants are few.
SELECT e.xid, e.id FROM tenant t CROSS JOIN LATERAL (
  SELECT xid, id FROM event
  WHERE tenant_id = t.id AND (xid, id) > ($1::bigint, $2::bigint) AND id >= $3
    AND xid < (SELECT value FROM meta WHERE name = 'xid_base') + pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  ORDER BY xid DESC, id DESC LIMIT 1) e
ORDER BY e.xid DESC, e.id DESC LIMIT 1;

-- name: days_to_figure
-- The days of the messages that events after ($1, $2) up to ($3, $4) tell of; not below the id $5.
-- Index: event_feed; tenants are few.
SELECT DISTINCT e.message_id >> 48 AS day FROM tenant t CROSS JOIN LATERAL (
  SELECT message_id FROM event
  WHERE tenant_id = t.id AND (xid, id) > ($1::bigint, $2::bigint) AND (xid, id) <= ($3::bigint, $4::bigint) AND id >= $5
    AND message_id > 0 OFFSET 0) e;

-- name: reckon_ended
-- Counts of what events after ($1, $2) up to ($3, $4), not below the id $5, tell of messages from $6 up to $7: states, less
-- the one told before, and waits by their first digit.
-- Index: event_feed, message_pkey, submission_pkey, event_message, attempt_pkey.
WITH told AS MATERIALIZED (
  SELECT e.tenant_id, s.accepted_at / 60000 * 60000 AS at, m.class, e.channel_id, e.state, e.error,
    p.channel_id AS former_channel, p.state AS former_state, p.error AS former_error,
    CASE WHEN a.outcome = 'accepted' THEN greatest(0, a.done_at - s.due_at) END::text AS handed_over,
    greatest(0, e.at - s.due_at)::text AS delivered
  FROM tenant t
  CROSS JOIN LATERAL (
    SELECT * FROM event
    WHERE tenant_id = t.id AND (xid, id) > ($1::bigint, $2::bigint) AND (xid, id) <= ($3::bigint, $4::bigint) AND id >= $5
      AND message_id >= $6 AND message_id < $7 OFFSET 0) e
  CROSS JOIN LATERAL (SELECT * FROM message@ WHERE tenant_id = e.tenant_id AND id = e.message_id OFFSET 0) m
  CROSS JOIN LATERAL (SELECT * FROM submission@ WHERE tenant_id = e.tenant_id AND id = m.submission_id OFFSET 0) s
  LEFT JOIN LATERAL (
    SELECT * FROM event
    WHERE tenant_id = e.tenant_id AND message_id = e.message_id AND id >= $6 AND sequence = e.sequence - 1 OFFSET 0) p ON true
  LEFT JOIN LATERAL (
    SELECT * FROM attempt@ WHERE tenant_id = e.tenant_id AND message_id = m.id AND number = m.attempts OFFSET 0) a ON true
), counted AS (
  SELECT tenant_id, at, 1 AS kind, class, channel_id, state AS code, error, 1 AS n FROM told
  UNION ALL
  SELECT tenant_id, at, 1, class, former_channel, former_state, former_error, -1 FROM told WHERE former_state IS NOT NULL
  UNION ALL
  SELECT tenant_id, at, 2, class, 0, (left(handed_over, 1) || repeat('0', length(handed_over) - 1))::bigint, '', 1 FROM told
  WHERE handed_over IS NOT NULL AND (former_state IS NULL OR former_state = 3)
  UNION ALL
  SELECT tenant_id, at, 3, class, 0, (left(delivered, 1) || repeat('0', length(delivered) - 1))::bigint, '', 1 FROM told
  WHERE state = 4
)
SELECT tenant_id, at, kind, class, channel_id, code, error, sum(n)::bigint FROM counted
GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(n) <> 0;

-- name: reckon_bills
-- What the cost of priced messages follows from of which the events of reckon_ended tell, those that are equal together.
-- Index: event_feed, message_pkey, submission_pkey, event_message, attempt_pkey.
SELECT tenant_id, at, class, channel_id, plan, state, flags, former_state, former_flags, tried, count(*) FROM (
  SELECT e.tenant_id, s.accepted_at / 60000 * 60000 AS at, m.class, e.channel_id, m.plan, e.state, e.flags,
    p.state AS former_state, p.flags AS former_flags, a.tried
  FROM tenant t
  CROSS JOIN LATERAL (
    SELECT * FROM event
    WHERE tenant_id = t.id AND (xid, id) > ($1::bigint, $2::bigint) AND (xid, id) <= ($3::bigint, $4::bigint) AND id >= $5
      AND message_id >= $6 AND message_id < $7 OFFSET 0) e
  CROSS JOIN LATERAL (
    SELECT * FROM message@ WHERE tenant_id = e.tenant_id AND id = e.message_id AND strpos(plan, ':') > 0 OFFSET 0) m
  CROSS JOIN LATERAL (SELECT * FROM submission@ WHERE tenant_id = e.tenant_id AND id = m.submission_id OFFSET 0) s
  LEFT JOIN LATERAL (
    SELECT * FROM event
    WHERE tenant_id = e.tenant_id AND message_id = e.message_id AND id >= $6 AND sequence = e.sequence - 1 OFFSET 0) p ON true
  LEFT JOIN LATERAL (
    SELECT string_agg(channel_id || ' ' || outcome, ',' ORDER BY number) AS tried FROM (
      SELECT * FROM attempt@ WHERE tenant_id = e.tenant_id AND message_id = m.id OFFSET 0) made) a ON true) bills
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;

-- name: lock_figured
-- Whether counting still stands at ($1, $2); who counts next waits until this transaction is over. Index: meta_pkey.
UPDATE meta SET value = value WHERE name = 'figured_xid' AND value = $1
  AND $2 = (SELECT value FROM meta WHERE name = 'figured_event') RETURNING 1;

-- name: note_figured
-- Moves on to ($1, $2). Index: meta_pkey.
UPDATE meta SET value = CASE name WHEN 'figured_xid' THEN $1::bigint ELSE $2::bigint END
WHERE name IN ('figured_xid', 'figured_event');

-- name: any_accepted
-- Whether commits have noted anything as accepted. Index: accepted_move is small.
SELECT EXISTS (SELECT FROM accepted_move);

-- name: take_accepted
-- What commits have noted as accepted, taken away: at most $1 rows. Index: accepted_move is small.
WITH gone AS (
  DELETE FROM accepted_move WHERE ctid = ANY(ARRAY(SELECT ctid FROM accepted_move LIMIT $1 FOR UPDATE SKIP LOCKED))
  RETURNING tenant_id, at, class, count
)
SELECT tenant_id, at, 0, class, 0, 0, '', sum(count)::bigint FROM gone GROUP BY tenant_id, at, class;

-- name: add_figures
-- Adds counts $1..$8 in each grain of $9; of ages the highest stays. Index: figure_pkey.
INSERT INTO figure AS f (tenant_id, grain, at, kind, class, channel_id, code, error, count)
SELECT w.tenant_id, g.grain, w.at / g.grain * g.grain AS span, w.kind, w.class, w.channel_id, w.code, w.error,
  CASE WHEN w.kind = 5 THEN max(w.count) ELSE sum(w.count) END::bigint
FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::integer[], $6::bigint[], $7::text[], $8::bigint[])
  AS w(tenant_id, at, kind, class, channel_id, code, error, count)
CROSS JOIN unnest($9::integer[]) AS g(grain)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
ON CONFLICT (tenant_id, grain, at, kind, class, channel_id, code, error) DO UPDATE SET
  count = CASE WHEN f.kind = 5 THEN greatest(f.count, excluded.count) ELSE f.count + excluded.count END;

-- name: figure_series
-- Figures of tenant $1 in spans of $2 from $3 until $4, over all errors. Index: figure_pkey.
SELECT at, kind, class, CASE WHEN kind = 5 THEN channel_id ELSE 0 END AS channel_id, code, sum(count)::bigint AS count
FROM figure WHERE tenant_id = $1 AND grain = $2 AND at >= $3 AND at < $4
GROUP BY 1, 2, 3, 4, 5 HAVING sum(count) <> 0;

-- name: figure_sums
-- Figures of tenant $1 in spans of $2 from $3 until $4, over the whole time. Index: figure_pkey.
SELECT f.kind, f.class, f.channel_id, coalesce(c.name, '') AS channel, f.code, f.error, f.count FROM (
  SELECT kind, class, channel_id, code, error, sum(count)::bigint AS count FROM figure
  WHERE tenant_id = $1 AND grain = $2 AND at >= $3 AND at < $4 AND kind IN (0, 1, 4)
  GROUP BY 1, 2, 3, 4, 5 HAVING sum(count) <> 0) f
LEFT JOIN channel c ON c.id = f.channel_id;

-- name: purge_figures
-- Forgets the spans of grain $1 before $2. Index: figure_pkey.
DELETE FROM figure WHERE (tenant_id, grain, at, kind, class, channel_id, code, error) IN (
  SELECT f.tenant_id, f.grain, f.at, f.kind, f.class, f.channel_id, f.code, f.error
  FROM (SELECT 0 AS id UNION ALL SELECT id FROM tenant) t
  CROSS JOIN LATERAL (SELECT * FROM figure WHERE tenant_id = t.id AND grain = $1 AND at < $2 ORDER BY at LIMIT $3) f
  LIMIT $3) RETURNING 1;
