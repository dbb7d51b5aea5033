-- name: known_inbound
-- Which of the events in ?1, rows [index, channel, key], are stored already. Index: inbound_key.
SELECT json_group_array(j.value ->> 0)
FROM json_each(?1) j CROSS JOIN inbound i ON i.channel_id = j.value ->> 1 AND i.key = j.value ->> 2;

-- name: insert_inbound
-- Stores inbound events. Index: none.
INSERT INTO inbound (id, tenant_id, subject, at, received_at, channel_id, kind, key, body, raw)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8,
  unhex(value ->> 9)
FROM json_each(?1);

-- name: inbound_endpoints
-- Endpoints of the tenants in ?1 that want inbound events: [tenant, id]. Index: endpoint's unique tenant and URL.
SELECT json_group_array(json_array(tenant_id, id)) FROM (
  SELECT e.tenant_id, e.id FROM json_each(?1) j CROSS JOIN endpoint e ON e.tenant_id = j.value AND e.inbound = 1
  ORDER BY e.id);

-- name: insert_inbound_events
-- Tells of inbound events, each row with the callback it owes where an endpoint is set. Index: none.
INSERT INTO event (id, tenant_id, message_id, sequence, state, at, error, flags, channel_id, endpoint_id, due_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, 0, value ->> 4, '', 0, value ->> 5, value ->> 6, value ->> 7
FROM json_each(?1);

-- name: read_inbound_callbacks
-- Callbacks that tell of inbound events. Index: primary keys.
SELECT json_group_array(json_array(v.id, v.tenant_id, v.endpoint_id, v.tries, v.sequence, v.at, i.id, i.kind,
  coalesce(c.name, ''), i.subject, i.body, hex(i.raw), i.received_at, i.at))
FROM json_each(?1) j
CROSS JOIN event v ON v.id = j.value
CROSS JOIN inbound i ON i.id = -v.message_id
LEFT JOIN channel c ON c.id = i.channel_id;

-- name: forget_inbound_content
-- Forgets what inbound events said. Index: inbound_kept.
UPDATE inbound SET body = '{}', raw = x'', kept = 1 WHERE id IN (
  SELECT id FROM inbound WHERE kept = 2 AND kept > 0 AND received_at < ?1 ORDER BY received_at LIMIT ?2);

-- name: forget_inbound_subjects
-- Forgets whom inbound events are about; their keys may name them too. Index: inbound_kept.
UPDATE inbound SET subject = 0, key = 'forgotten ' || id, kept = 0 WHERE id IN (
  SELECT id FROM inbound WHERE kept = 1 AND kept > 0 AND received_at < ?1 ORDER BY received_at LIMIT ?2);

-- name: first_inbound
-- The oldest inbound events: [id, when it came]. Index: inbound primary key.
SELECT json_group_array(json_array(id, received_at)) FROM (SELECT id, received_at FROM inbound ORDER BY id LIMIT ?1);

-- name: purge_inbound
-- Index: inbound primary key.
DELETE FROM inbound WHERE id >= ?1 AND id <= ?2;
