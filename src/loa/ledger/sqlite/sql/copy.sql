-- What a ledger of another engine is made from, in pages: ?1 rows after the key in ?3 and so on, in the order of the key; ?2 is
-- the day that segments are counted to. Each gives the columns of the table it is named after there.

-- name: copy_tenant
-- Index: tenant primary key.
SELECT id, name, policies, created_at FROM tenant WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_api_key
-- Index: api_key primary key.
SELECT tenant_id, id, name, digest, display, live, permissions, senders, networks, request_id_mode, success_code, endpoint_id,
  created_at, expires_at, revoked_at, last_used_at
FROM api_key WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_sender
-- Index: sender primary key.
SELECT tenant_id, id, name, kind FROM sender WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_channel
-- Index: channel primary key.
SELECT id, name, provider, settings, paused, version FROM channel WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_template
-- Index: template primary key.
SELECT channel_id, template_id, described, text, daily_quota, remaining_quota, synced_at
FROM template WHERE (channel_id, template_id) > (?3, ?4) ORDER BY channel_id, template_id LIMIT ?1;

-- name: copy_channel_grant
-- Index: channel_grant primary key.
SELECT channel_id, access_token, refresh_token, expires_at, refresh_expires_at, issued_at, version, spent_at, consent_needed,
  renewal_fence, renewal_until
FROM channel_grant WHERE channel_id > ?3 ORDER BY channel_id LIMIT ?1;

-- name: copy_consent
-- Index: consent primary key.
SELECT state_digest, channel_id, verifier, redirect_uri, asked_at, expires_at
FROM consent WHERE state_digest > ?3 ORDER BY state_digest LIMIT ?1;

-- name: copy_console_user
-- Index: console_user primary key.
SELECT id, name, role, password, totp_seed, totp_step, created_at, disabled_at FROM console_user WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_recovery_code
-- Index: recovery_code primary key.
SELECT user_id, digest FROM recovery_code WHERE (user_id, digest) > (?3, ?4) ORDER BY user_id, digest LIMIT ?1;

-- name: copy_audit
-- Index: audit primary key.
SELECT id, at, user_id, who, verb, subject, before, after, address, digest FROM audit WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_batch
-- Index: batch primary key.
SELECT id, tenant_id, name, who, state, columns, live, created_at, plan, rate, start_at, begun_at, done_at, row_count, checked,
  position, slice_end, slice_begun_at, counts, findings, forgotten, owner, claimed_until
FROM batch WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_batch_chunk
-- Index: batch_chunk primary key.
SELECT tenant_id, batch_id, first, cells, bad
FROM batch_chunk WHERE (tenant_id, batch_id, first) > (?3, ?4, ?5) ORDER BY tenant_id, batch_id, first LIMIT ?1;

-- name: copy_batch_part
-- Index: batch_part primary key.
SELECT tenant_id, batch_id, first, count, at, outcome
FROM batch_part WHERE (tenant_id, batch_id, first) > (?3, ?4, ?5) ORDER BY tenant_id, batch_id, first LIMIT ?1;

-- name: copy_route
-- Index: route primary key.
SELECT tenant_id, id, position, steps, sender, class, carrier FROM route WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_endpoint
-- Index: endpoint primary key.
SELECT tenant_id, id, url, secrets, every_step, inbound, disabled_at, disabled_reason, failing_since
FROM endpoint WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_warning
-- Index: warning primary key.
SELECT tenant_id, id, at, kind, detail FROM warning WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_submission
-- Index: submission primary key.
SELECT tenant_id, id, referent_id, token, request_id, key_id, sender, text, encoding, segment_count, class, accepted_at, due_at,
  expires_at, scheduled, first_message_id, message_count, endpoint_id, every_step, ext, answer, rich, brandname,
  purged
FROM submission WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_request_key
-- Index: request_key primary key.
SELECT tenant_id, request_id, fingerprint, submission_id, at
FROM request_key WHERE (tenant_id, request_id, fingerprint) > (?3, ?4, ?5) ORDER BY tenant_id, request_id, fingerprint LIMIT ?1;

-- name: copy_message
-- A message on its way is a queued one without a place in a lane; its open attempt is a claim. Index: message and submission
-- primary keys.
SELECT m.tenant_id, m.id, m.submission_id, m.destination, m.due_at, m.updated_at, m.channel_id,
  m.attempts - (m.state = 1) AS attempts, m.tries, m.sequence, m.flags, m.class, m.step, iif(m.state = 1, 0, m.state) AS state,
  coalesce(s.every_step, 0) AS every_step, m.plan, m.error
FROM message m LEFT JOIN submission s ON s.id = m.submission_id WHERE m.id > ?3 ORDER BY m.id LIMIT ?1;

-- name: copy_queue
-- Index: message and submission primary keys.
SELECT m.id AS message_id, m.tenant_id, m.submission_id, m.destination, m.due_at, coalesce(s.expires_at, 0) AS expires_at,
  m.channel_id, m.attempts, m.tries, m.flags, m.class
FROM message m LEFT JOIN submission s ON s.id = m.submission_id WHERE m.id > ?3 AND m.state = 0 ORDER BY m.id LIMIT ?1;

-- name: copy_unknown
-- Index: message primary key.
SELECT id AS message_id, tenant_id, channel_id, destination, due_at FROM message WHERE id > ?3 AND +state = 3 ORDER BY id LIMIT ?1;

-- name: copy_silent
-- Index: message primary key.
SELECT id AS message_id, tenant_id, channel_id, due_at FROM message WHERE id > ?3 AND +state = 2 AND due_at IS NOT NULL
ORDER BY id LIMIT ?1;

-- name: copy_latency
-- Index: latency primary key.
SELECT channel_id, class, span, count FROM latency WHERE (channel_id, class, span) > (?3, ?4, ?5)
ORDER BY channel_id, class, span LIMIT ?1;

-- name: copy_claim
-- The open attempts of messages on their way, claim by claim, under the boot number that had claimed them: a process that is
-- dead there. Index: attempt_open, message primary key.
SELECT min(m.id) AS id, a.boot, a.channel_id, a.claimed_at, a.claimed_until, json_group_array(m.tenant_id) AS tenant_ids,
  json_group_array(m.id) AS message_ids, json_group_array(a.number) AS numbers
FROM attempt a INDEXED BY attempt_open CROSS JOIN message m ON m.id = a.message_id AND m.state = 1 AND m.attempts = a.number
WHERE a.done_at IS NULL
GROUP BY a.boot, a.channel_id, a.claimed_at, a.claimed_until
HAVING (a.boot, min(m.id)) > (?3, ?4) ORDER BY a.boot, min(m.id) LIMIT ?1;

-- name: copy_attempt
-- Attempts that ended; one that is open although its message is not on its way has no known outcome.
-- Index: attempt and message primary keys.
SELECT coalesce(m.tenant_id, 0) AS tenant_id, a.message_id, a.number, a.channel_id, a.claimed_at,
  coalesce(a.done_at, a.claimed_until) AS done_at, iif(a.done_at IS NULL, 'unknown', a.outcome) AS outcome, a.reason, a.refs
FROM attempt a LEFT JOIN message m ON m.id = a.message_id
WHERE (a.message_id, a.number) > (?3, ?4) AND NOT (+a.done_at IS NULL AND m.state IS 1 AND m.attempts IS a.number)
ORDER BY a.message_id, a.number LIMIT ?1;

-- name: copy_segment
-- Index: segment and message primary keys.
SELECT g.channel_id, g.ref, coalesce(m.tenant_id, 0) AS tenant_id, g.message_id, coalesce(m.destination, 0) AS destination,
  g.number, g.segment, ?2 AS day, g.state, g.at
FROM segment g LEFT JOIN message m ON m.id = g.message_id
WHERE (g.channel_id, g.ref, g.message_id, g.number, g.segment) > (?3, ?4, ?5, ?6, ?7)
ORDER BY g.channel_id, g.ref, g.message_id, g.number, g.segment LIMIT ?1;

-- name: copy_receipt
-- Which of them were taken as evidence is not on record here; of messages in doubt any may have been.
-- Index: receipt and attempt primary keys.
SELECT id, channel_id, ref, stat, destination, state, detail, raw, received_at, done_at, message_id, result, repeats,
  EXISTS (SELECT 1 FROM attempt a WHERE a.message_id = receipt.message_id AND a.outcome = 'unknown') AS by_evidence
FROM receipt WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_parked
-- Index: parked primary key.
SELECT channel_id, form, receipt_id, rank, received_at
FROM parked WHERE (channel_id, form, receipt_id) > (?3, ?4, ?5) ORDER BY channel_id, form, receipt_id LIMIT ?1;

-- name: copy_ruling
-- Index: ruling and message primary keys.
SELECT coalesce(m.tenant_id, 0) AS tenant_id, r.message_id, r.what, r.reason, r.who, r.at
FROM ruling r LEFT JOIN message m ON m.id = r.message_id
WHERE (r.message_id, r.what) > (?3, ?4) ORDER BY r.message_id, r.what LIMIT ?1;

-- name: copy_inbound
-- Index: inbound primary key.
SELECT tenant_id, id, subject, at, received_at, channel_id, kept, kind, key, body, raw
FROM inbound WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_inbound_key
-- Index: inbound_key.
SELECT channel_id, key, received_at AS at
FROM inbound INDEXED BY inbound_key WHERE (channel_id, key) > (?3, ?4) ORDER BY channel_id, key LIMIT ?1;

-- name: copy_event
-- Events come before all that is written there. Index: event primary key.
SELECT tenant_id, id, 0 AS xid, message_id, sequence, state, at, error, flags, channel_id, endpoint_id
FROM event WHERE id > ?3 ORDER BY id LIMIT ?1;

-- name: copy_callback
-- Callbacks that are owed or have failed, and those taken of which their tries do not say all. One that waits for its first try
-- may have been claimed, by a process that is dead there. Index: event and callback_try primary keys.
SELECT e.id AS event_id, e.tenant_id, e.endpoint_id, e.message_id, e.at, e.due_at,
  iif(e.tries = 0 AND e.due_at > e.at, (SELECT value FROM meta WHERE name = 'boot'), NULL) AS claimed_by, e.done_at,
  e.sequence, e.tries, e.flags, e.channel_id, e.state, e.error, e.result
FROM event e
WHERE e.id > ?3 AND +e.endpoint_id IS NOT NULL AND (e.result <> 'delivered'
  OR (e.tries, e.done_at) IS NOT (SELECT count(*), max(t.at) FROM callback_try t WHERE t.event_id = e.id))
ORDER BY e.id LIMIT ?1;

-- name: copy_callback_try
-- Index: callback_try and event primary keys.
SELECT coalesce(e.tenant_id, 0) AS tenant_id, t.event_id, t.number, t.at, t.status, t.error, t.excerpt, t.elapsed_ms
FROM callback_try t LEFT JOIN event e ON e.id = t.event_id
WHERE (t.event_id, t.number) > (?3, ?4) ORDER BY t.event_id, t.number LIMIT ?1;
