-- Grants and consents. Tokens and verifiers are sealed before they come here; a state is kept as its digest only. Rights to renew
-- are measured by the server's clock, since those of the callers may differ by more than a right lasts.

-- name: read_grants
-- The grant of channel $1, or all where that is null. Index: channel_grant_pkey, or none: the table is small.
SELECT channel_id, access_token, refresh_token, expires_at, refresh_expires_at, issued_at, version, spent_at, consent_needed
FROM channel_grant WHERE $1::bigint IS NULL OR channel_id = $1 ORDER BY channel_id;

-- name: begin_renewal
-- Takes the right to renew for $2 ms, if nobody has it. One that ends later than twice as far ahead was taken before the clock
-- was set back, and is over. Index: channel_grant_pkey.
UPDATE channel_grant SET renewal_fence = renewal_fence + 1, renewal_until = n.ms + $2
FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms) n
WHERE channel_id = $1 AND (renewal_until <= n.ms OR renewal_until > n.ms + 2 * $2)
RETURNING channel_id, access_token, refresh_token, expires_at, refresh_expires_at, issued_at, version, spent_at, consent_needed,
  renewal_fence;

-- name: mark_spent
-- Marks the refresh token, for who has the right $2 and knows the newest pair $3. Index: channel_grant_pkey.
UPDATE channel_grant SET spent_at = $4
WHERE channel_id = $1 AND renewal_fence = $2 AND version = $3 AND spent_at IS NULL
  AND renewal_until > (extract(epoch FROM clock_timestamp()) * 1000)::bigint
RETURNING channel_id;

-- name: mark_unspent
-- Takes the mark away. Index: channel_grant_pkey.
UPDATE channel_grant SET spent_at = NULL WHERE channel_id = $1 AND renewal_fence = $2 AND version = $3 RETURNING channel_id;

-- name: keep_renewed
-- Replaces pair $2 by the one that it was spent on, whoever has the right by now. Index: channel_grant_pkey.
UPDATE channel_grant SET access_token = $3, refresh_token = $4, expires_at = $5, refresh_expires_at = $6, issued_at = $7,
  version = version + 1, spent_at = NULL, consent_needed = '', renewal_until = 0
WHERE channel_id = $1 AND version = $2
RETURNING channel_id;

-- name: keep_consented
-- Keeps a pair that does not come from the one before; a renewal that goes on is over. Index: channel_grant_pkey.
INSERT INTO channel_grant AS g (channel_id, access_token, refresh_token, expires_at, refresh_expires_at, issued_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (channel_id) DO UPDATE SET access_token = excluded.access_token, refresh_token = excluded.refresh_token,
  expires_at = excluded.expires_at, refresh_expires_at = excluded.refresh_expires_at, issued_at = excluded.issued_at,
  version = g.version + 1, spent_at = NULL, consent_needed = '', renewal_fence = g.renewal_fence + 1, renewal_until = 0
RETURNING channel_id;

-- name: need_consent
-- Notes why only a person can go on, and ends a renewal; without one ($2 null) whoever says so is right.
-- Index: channel_grant_pkey.
UPDATE channel_grant SET consent_needed = $4, renewal_until = 0
WHERE channel_id = $1 AND ($2::bigint IS NULL OR (renewal_fence = $2 AND version = $3))
RETURNING channel_id;

-- name: end_renewal
-- Gives the right back. Index: channel_grant_pkey.
UPDATE channel_grant SET renewal_until = 0 WHERE channel_id = $1 AND renewal_fence = $2;

-- name: doubt_grants
-- Marks every refresh token as spent at $1: somebody else may have spent it. Index: none: the table is small.
UPDATE channel_grant SET spent_at = $1, renewal_until = 0 WHERE spent_at IS NULL;

-- name: forget_consents
-- Deletes consents whose time was over at $1. Index: none: the table is small.
DELETE FROM consent WHERE expires_at <= $1;

-- name: ask_consent
-- Keeps a consent that was asked for. Index: none.
INSERT INTO consent (state_digest, channel_id, verifier, redirect_uri, asked_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: take_consent
-- Takes a consent out. Index: consent_pkey.
DELETE FROM consent WHERE state_digest = $1 RETURNING channel_id, verifier, redirect_uri, asked_at, expires_at;
