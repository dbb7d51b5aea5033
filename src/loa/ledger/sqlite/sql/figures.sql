-- name: figured
-- Up to which submission and event all is counted, and the last there are. Index: meta, submission and event primary keys.
SELECT json_array((SELECT value FROM meta WHERE name = 'figured_submission'),
  (SELECT value FROM meta WHERE name = 'figured_event'),
  (SELECT coalesce(max(id), 0) FROM submission), (SELECT coalesce(max(id), 0) FROM event));

-- name: reckon_accepted
-- Counts of what was accepted after submission ?1 up to ?2. Index: submission primary key.
SELECT json_group_array(json_array(tenant_id, at, 0, class, 0, 0, '', n)) FROM (
  SELECT tenant_id, accepted_at / 60000 * 60000 AS at, class, sum(message_count) AS n FROM submission
  WHERE id > ?1 AND id <= ?2 GROUP BY 1, 2, 3);

-- name: reckon_ended
-- Counts of what events after ?1 up to ?2 tell: states, less the one told before, and waits by their first digit.
-- Index: event, message, submission and attempt primary keys, event_message.
WITH told AS MATERIALIZED (
  SELECT e.tenant_id, s.accepted_at / 60000 * 60000 AS at, m.class, e.channel_id, e.state, e.error,
    p.channel_id AS former_channel, p.state AS former_state, p.error AS former_error,
    iif(a.outcome = 'accepted', max(0, a.done_at - s.due_at), NULL) AS handed_over, max(0, e.at - s.due_at) AS delivered
  FROM (SELECT * FROM event WHERE id > ?1 AND id <= ?2 AND message_id > 0) e
  CROSS JOIN message m ON m.id = e.message_id
  CROSS JOIN submission s ON s.id = m.submission_id
  LEFT JOIN event p ON p.message_id = e.message_id AND p.sequence = e.sequence - 1
  LEFT JOIN attempt a ON a.message_id = m.id AND a.number = m.attempts
), counted AS (
  SELECT tenant_id, at, 1 AS kind, class, channel_id, state AS code, error, 1 AS n FROM told
  UNION ALL
  SELECT tenant_id, at, 1, class, former_channel, former_state, former_error, -1 FROM told WHERE former_state IS NOT NULL
  UNION ALL
  SELECT tenant_id, at, 2, class, 0, CAST(substr(handed_over, 1, 1) || substr('00000000000000', 1, length(handed_over) - 1)
    AS INTEGER), '', 1 FROM told WHERE handed_over IS NOT NULL AND (former_state IS NULL OR former_state = 3)
  UNION ALL
  SELECT tenant_id, at, 3, class, 0, CAST(substr(delivered, 1, 1) || substr('00000000000000', 1, length(delivered) - 1)
    AS INTEGER), '', 1 FROM told WHERE state = 4
)
SELECT json_group_array(json_array(tenant_id, at, kind, class, channel_id, code, error, n)) FROM (
  SELECT tenant_id, at, kind, class, channel_id, code, error, sum(n) AS n FROM counted
  GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(n) <> 0);

-- name: reckon_bills
-- What the cost of priced messages follows from of which events after ?1 up to ?2 tell, those that are equal together.
-- Index: event, message, submission and attempt primary keys, event_message.
SELECT json_group_array(json_array(tenant_id, at, class, channel_id, plan, state, flags, former_state, former_flags, tried, n))
FROM (
  SELECT *, count(*) AS n FROM (
    SELECT e.tenant_id, s.accepted_at / 60000 * 60000 AS at, m.class, e.channel_id, m.plan, e.state, e.flags,
      p.state AS former_state, p.flags AS former_flags, (
        SELECT group_concat(channel_id || ' ' || outcome) FROM (
          SELECT channel_id, outcome FROM attempt WHERE message_id = m.id ORDER BY number)) AS tried
    FROM (SELECT * FROM event WHERE id > ?1 AND id <= ?2 AND message_id > 0) e
    CROSS JOIN message m ON m.id = e.message_id AND instr(m.plan, ':')
    CROSS JOIN submission s ON s.id = m.submission_id
    LEFT JOIN event p ON p.message_id = e.message_id AND p.sequence = e.sequence - 1)
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);

-- name: note_figured
-- Moves on from submission ?1 and event ?2 to ?3 and ?4. Index: meta primary key.
UPDATE meta SET value = iif(name = 'figured_event', ?4, ?3) WHERE name IN ('figured_submission', 'figured_event')
AND (SELECT value FROM meta WHERE name = 'figured_submission') = ?1
AND (SELECT value FROM meta WHERE name = 'figured_event') = ?2;

-- name: add_figures
-- Adds counts, rows [tenant, at, kind, class, channel, code, error, count], in each grain of ?2; of ages the highest stays.
-- Index: figure primary key.
INSERT INTO figure (tenant_id, grain, at, kind, class, channel_id, code, error, count)
SELECT j.value ->> 0, g.value, (j.value ->> 1) / g.value * g.value, j.value ->> 2, j.value ->> 3, j.value ->> 4,
  j.value ->> 5, j.value ->> 6, iif(j.value ->> 2 = 5, max(j.value ->> 7), sum(j.value ->> 7))
FROM json_each(?1) j CROSS JOIN json_each(?2) g WHERE true
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
ON CONFLICT DO UPDATE SET
  count = iif(excluded.kind = 5, max(figure.count, excluded.count), figure.count + excluded.count);

-- name: figure_series
-- Figures of tenant ?1 in spans of ?2 from ?3 until ?4, over all errors. Index: figure primary key.
SELECT json_group_array(json_object('at', at, 'kind', kind, 'class', class, 'channel_id', channel_id, 'code', code, 'count', n))
FROM (
  SELECT at, kind, class, iif(kind = 5, channel_id, 0) AS channel_id, code, sum(count) AS n FROM figure
  WHERE tenant_id = ?1 AND grain = ?2 AND at >= ?3 AND at < ?4 GROUP BY 1, 2, 3, 4, 5 HAVING sum(count) <> 0);

-- name: figure_sums
-- Figures of tenant ?1 in spans of ?2 from ?3 until ?4, over the whole time. Index: figure primary key.
SELECT json_group_array(json_object('kind', kind, 'class', class, 'channel_id', channel_id, 'channel', coalesce(c.name, ''),
  'code', code, 'error', error, 'count', n))
FROM (
  SELECT kind, class, channel_id, code, error, sum(count) AS n FROM figure
  WHERE tenant_id = ?1 AND grain = ?2 AND at >= ?3 AND at < ?4 AND kind IN (0, 1, 4)
  GROUP BY 1, 2, 3, 4, 5 HAVING sum(count) <> 0) f
LEFT JOIN channel c ON c.id = f.channel_id;

-- name: purge_figures
-- Forgets the spans of a grain before ?2. Index: figure primary key.
DELETE FROM figure WHERE (tenant_id, grain, at, kind, class, channel_id, code, error) IN (
  SELECT f.tenant_id, f.grain, f.at, f.kind, f.class, f.channel_id, f.code, f.error
  FROM (SELECT 0 AS id UNION ALL SELECT id FROM tenant) t
  CROSS JOIN figure f ON f.tenant_id = t.id AND f.grain = ?1 AND f.at < ?2 LIMIT ?3);
