-- name: keep_rulings
-- Keeps who said what of messages, and why. Index: ruling primary key.
INSERT OR IGNORE INTO ruling (message_id, what, reason, who, at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?1);

-- name: rulings_of
-- What people said of one message. Index: ruling primary key.
SELECT json_group_array(json_object('what', what, 'reason', reason, 'who', who, 'at', at)) FROM (
  SELECT * FROM ruling WHERE message_id = ?1 ORDER BY at);

-- name: purge_rulings
-- Index: ruling primary key.
DELETE FROM ruling WHERE message_id >= ?1 AND message_id < ?1 + ?2;
