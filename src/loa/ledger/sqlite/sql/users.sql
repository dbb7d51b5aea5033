-- Users of the console. Passwords come here hashed, seeds sealed, ids and codes as digests.

-- name: read_users
-- Index: none: the table is small.
SELECT id, name, role, password, totp_seed, totp_step, created_at, disabled_at FROM console_user ORDER BY id;

-- name: read_user
-- The user of name ?1. Index: none: the table is small.
SELECT id, name, role, password, totp_seed, totp_step, created_at, disabled_at FROM console_user WHERE name = ?1;

-- name: read_user_by_id
-- Index: console_user primary key.
SELECT id, name, role, password, totp_seed, totp_step, created_at, disabled_at FROM console_user WHERE id = ?1;

-- name: add_user
-- Gives nothing when the name is taken. Index: none.
INSERT INTO console_user (name, role, password, totp_seed, totp_step, created_at) VALUES (?1, ?2, '', ?3, 0, ?4)
ON CONFLICT (name) DO NOTHING RETURNING id;

-- name: other_owners
-- Counts owners who may sign in, beside user ?1. Index: none: the table is small.
SELECT count(*) FROM console_user WHERE role = 'owner' AND disabled_at IS NULL AND password <> '' AND id <> ?1;

-- name: count_users
-- Index: none: the table is small.
SELECT count(*) FROM console_user;

-- name: set_role
-- Index: console_user primary key.
UPDATE console_user SET role = ?2 WHERE id = ?1 RETURNING id;

-- name: set_disabled
-- Index: console_user primary key.
UPDATE console_user SET disabled_at = ?2 WHERE id = ?1 RETURNING id;

-- name: set_credentials
-- Index: console_user primary key.
UPDATE console_user SET password = ?2, totp_seed = ?3, totp_step = ?4 WHERE id = ?1 AND disabled_at IS NULL RETURNING id;

-- name: take_step
-- Index: console_user primary key.
UPDATE console_user SET totp_step = ?2 WHERE id = ?1 AND totp_step < ?2 RETURNING id;

-- name: forget_recovery
-- Index: recovery_code primary key.
DELETE FROM recovery_code WHERE user_id = ?1;

-- name: add_recovery
-- Index: none.
INSERT INTO recovery_code (user_id, digest) VALUES (?1, ?2);

-- name: take_recovery
-- Index: recovery_code primary key.
DELETE FROM recovery_code WHERE user_id = ?1 AND digest = ?2 RETURNING user_id;

-- name: forget_sign_ins
-- Deletes those that were over at ?1. Index: none: the table is small.
DELETE FROM sign_in WHERE ends_at <= ?1;

-- name: add_sign_in
-- Index: none.
INSERT INTO sign_in (digest, user_id, created_at, seen_at, ends_at, address, agent) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- name: read_sign_in
-- Index: sign_in and console_user primary keys.
SELECT s.digest, s.user_id, s.created_at, s.seen_at, s.ends_at, s.address, s.agent,
  u.id, u.name, u.role, u.password, u.totp_seed, u.totp_step, u.created_at, u.disabled_at
FROM sign_in s JOIN console_user u ON u.id = s.user_id WHERE s.digest = ?1 AND u.disabled_at IS NULL;

-- name: sign_ins_of
-- Index: none: the table is small.
SELECT digest, user_id, created_at, seen_at, ends_at, address, agent FROM sign_in WHERE user_id = ?1
ORDER BY seen_at DESC, digest;

-- name: see_sign_in
-- Index: sign_in primary key.
UPDATE sign_in SET seen_at = ?2 WHERE digest = ?1 AND seen_at < ?2;

-- name: end_sign_in
-- Index: sign_in primary key.
DELETE FROM sign_in WHERE digest = ?2 AND user_id = ?1 RETURNING digest;

-- name: replace_sign_in
-- Index: sign_in primary key.
DELETE FROM sign_in WHERE digest = ?1;

-- name: end_sign_ins
-- Index: none: the table is small.
DELETE FROM sign_in WHERE user_id = ?1 RETURNING digest;

-- name: forget_links
-- Deletes those whose time was over at ?1. Index: none: the table is small.
DELETE FROM one_time_link WHERE expires_at <= ?1;

-- name: end_links
-- Deletes those of purpose ?1 for user ?2. Index: none: the table is small.
DELETE FROM one_time_link WHERE purpose = ?1 AND user_id = ?2;

-- name: add_link
-- Index: none.
INSERT INTO one_time_link (digest, purpose, user_id, expires_at) VALUES (?1, ?2, ?3, ?4);

-- name: read_link
-- Index: one_time_link primary key.
SELECT digest, purpose, user_id, expires_at FROM one_time_link WHERE digest = ?1;

-- name: take_link
-- Index: one_time_link primary key.
DELETE FROM one_time_link WHERE digest = ?1 RETURNING digest, purpose, user_id, expires_at;

-- name: forget_old_tries
-- Deletes what was tried last at ?1 or before. Index: none: the table is small.
DELETE FROM sign_in_try WHERE tried_at <= ?1;

-- name: read_tries
-- Index: sign_in_try primary key.
SELECT count, free_at, tried_at FROM sign_in_try WHERE subject = ?1;

-- name: note_try
-- Index: sign_in_try primary key.
INSERT INTO sign_in_try (subject, count, free_at, tried_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (subject) DO UPDATE SET count = excluded.count, free_at = excluded.free_at, tried_at = excluded.tried_at;

-- name: forget_tries
-- Index: sign_in_try primary key.
DELETE FROM sign_in_try WHERE subject = ?1;

-- name: last_deed
-- Index: audit primary key.
SELECT id, digest FROM audit ORDER BY id DESC LIMIT 1;

-- name: add_deed
-- Index: none.
INSERT INTO audit (id, at, user_id, who, verb, subject, before, after, address, digest)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- name: deeds_before
-- ?2 entries below id ?1, from new to old. Index: audit primary key.
SELECT id, at, user_id, who, verb, subject, before, after, address, digest FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2;

-- name: deeds_after
-- ?2 entries above id ?1, from old to new. Index: audit primary key.
SELECT id, at, user_id, who, verb, subject, before, after, address, digest FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2;
