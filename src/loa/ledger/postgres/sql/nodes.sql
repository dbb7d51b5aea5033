-- name: join
-- Gives a new process its boot number. Index: none.
INSERT INTO node (boot, name, version) VALUES (nextval('boot_number'), $1, $2) RETURNING boot;

-- name: keep_feed_order
-- After a restore into another server its transaction numbers may be lower than those on record: a base lifts them.
-- Index: meta_pkey.
UPDATE meta SET value = greatest(value, (SELECT value FROM meta WHERE name = 'xid_seen') + 1000000
  - pg_current_xact_id()::text::bigint)
WHERE name = 'xid_base' AND value + pg_current_xact_id()::text::bigint < (SELECT value FROM meta WHERE name = 'xid_seen');

-- name: note_feed_order
-- Notes how far transaction numbers have come. Index: meta_pkey.
UPDATE meta SET value = (SELECT value FROM meta WHERE name = 'xid_base') + pg_current_xact_id()::text::bigint
WHERE name = 'xid_seen';

-- name: bury_namesakes
-- Earlier runs of this process are over: it holds the lock they held. Index: node is small.
UPDATE node SET dead_at = clock_timestamp() WHERE name = $1 AND boot < $2 AND dead_at IS NULL;

-- name: beat
-- Says that a process lives; nothing comes back where it was taken for dead. Index: node_pkey.
UPDATE node SET beat_at = clock_timestamp() WHERE boot = $1 AND dead_at IS NULL RETURNING 1;

-- name: note_dead
-- Takes processes for dead that were silent for $2 seconds, but not ourselves ($1). Index: node is small.
UPDATE node SET dead_at = clock_timestamp()
WHERE dead_at IS NULL AND boot <> $1 AND beat_at < clock_timestamp() - make_interval(secs => $2::double precision)
RETURNING boot;

-- name: leave
-- A process that stops in order leaves nothing behind. Index: node_pkey.
UPDATE node SET dead_at = clock_timestamp() WHERE boot = $1;

-- name: forget_dead
-- Forgets processes that are dead for a day and hold nothing. Index: node is small; claim_pkey.
DELETE FROM node n WHERE n.dead_at < clock_timestamp() - interval '1 day'
  AND NOT EXISTS (SELECT FROM claim c WHERE c.boot = n.boot);

-- name: younger_namesake
-- Whether another run under our name has started since. Index: node is small.
SELECT EXISTS (SELECT FROM node WHERE name = $1 AND boot > $2 AND dead_at IS NULL);

-- name: take_turn
-- Lets one process at a time settle who holds which slots. Index: none.
SELECT pg_advisory_xact_lock(7603297, 2);

-- name: want_shares
-- Says that a process works with channels. Index: node_pkey.
UPDATE node SET shares_at = clock_timestamp() WHERE boot = $1;

-- name: sharers
-- The living processes that work with channels, in the order of their boot numbers. Index: node is small.
SELECT boot FROM node
WHERE dead_at IS NULL AND shares_at >= clock_timestamp() - make_interval(secs => $1::double precision) ORDER BY boot;

-- name: make_slots
-- Makes the slots of channels $1 up to their numbers $2. Index: slot_pkey.
INSERT INTO slot (channel_id, number)
SELECT w.channel_id, n FROM unnest($1::integer[], $2::integer[]) AS w(channel_id, total)
CROSS JOIN LATERAL generate_series(1, w.total) AS n
ON CONFLICT DO NOTHING;

-- name: remove_slots
-- Removes free slots above the numbers of channels. Index: slot_pkey.
DELETE FROM slot s USING unnest($1::integer[], $2::integer[]) AS w(channel_id, total)
WHERE s.channel_id = w.channel_id AND s.number > w.total AND (s.boot IS NULL OR s.boot = $3);

-- name: free_slots
-- Frees the slots of processes that are dead, or that no longer work with channels. Index: slot is small; node_pkey.
UPDATE slot s SET boot = NULL WHERE s.boot IS NOT NULL AND NOT EXISTS (
  SELECT FROM node n WHERE n.boot = s.boot AND n.dead_at IS NULL);

-- name: slots_held
-- How many slots of each channel a process holds. Index: slot is small.
SELECT channel_id, count(*)::integer FROM slot WHERE boot = $1 GROUP BY channel_id;

-- name: take_slots
-- Takes up to $2 free slots of each channel $1 for process $3. Index: slot_pkey.
UPDATE slot s SET boot = $3 FROM (
  SELECT f.channel_id, f.number FROM unnest($1::integer[], $2::integer[]) AS w(channel_id, wanted)
  CROSS JOIN LATERAL (
    SELECT channel_id, number FROM slot WHERE channel_id = w.channel_id AND boot IS NULL ORDER BY number LIMIT w.wanted) f) t
WHERE s.channel_id = t.channel_id AND s.number = t.number;

-- name: give_slots
-- Gives up $2 slots of each channel $1 that process $3 holds. Index: slot_pkey.
UPDATE slot s SET boot = NULL FROM (
  SELECT f.channel_id, f.number FROM unnest($1::integer[], $2::integer[]) AS w(channel_id, surplus)
  CROSS JOIN LATERAL (
    SELECT channel_id, number FROM slot WHERE channel_id = w.channel_id AND boot = $3 ORDER BY number DESC LIMIT w.surplus) f) t
WHERE s.channel_id = t.channel_id AND s.number = t.number;
