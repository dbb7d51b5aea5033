-- The first schema. The text and everything shared stand once on the submission; a message is a narrow row; an attempt
-- is a row once something was tried. What is due sits in partial indexes, so finished rows cost the queue nothing.
-- Times are milliseconds since the epoch. States, classes and flags: loa.domain.lifecycle, traffic, standing.

CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('revision', 1), ('boot', 0), ('numbers_forgotten', 0), ('figured_submission', 0),
  ('figured_event', 0);

CREATE TABLE tenant (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  policies TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_key (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL REFERENCES tenant (id),
  name TEXT NOT NULL,
  digest BLOB NOT NULL UNIQUE,
  display TEXT NOT NULL,
  live INTEGER NOT NULL,
  permissions TEXT NOT NULL,
  senders TEXT NOT NULL,
  networks TEXT NOT NULL,
  request_id_mode TEXT NOT NULL,
  success_code INTEGER,
  endpoint_id INTEGER,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER
) STRICT;

CREATE TABLE sender (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL REFERENCES tenant (id),
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  UNIQUE (tenant_id, name)
) STRICT;

CREATE TABLE channel (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  provider TEXT NOT NULL,
  settings TEXT NOT NULL,
  paused INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE template (
  channel_id INTEGER NOT NULL,
  template_id TEXT NOT NULL,
  described TEXT NOT NULL,
  text TEXT NOT NULL,
  daily_quota INTEGER NOT NULL,
  remaining_quota INTEGER NOT NULL,
  synced_at INTEGER NOT NULL,
  PRIMARY KEY (channel_id, template_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE template_look (
  channel_id INTEGER PRIMARY KEY,
  asked_at INTEGER NOT NULL DEFAULT 0,
  begun_at INTEGER NOT NULL DEFAULT 0,
  claimed_until INTEGER NOT NULL DEFAULT 0,
  done_at INTEGER NOT NULL DEFAULT 0,
  problem TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE channel_grant (
  channel_id INTEGER PRIMARY KEY,
  access_token TEXT NOT NULL,
  refresh_token TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  refresh_expires_at INTEGER NOT NULL DEFAULT 0,
  issued_at INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  spent_at INTEGER,
  consent_needed TEXT NOT NULL DEFAULT '',
  renewal_fence INTEGER NOT NULL DEFAULT 0,
  renewal_until INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE consent (
  state_digest TEXT PRIMARY KEY,
  channel_id INTEGER NOT NULL,
  verifier TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE route (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL REFERENCES tenant (id),
  position INTEGER NOT NULL,
  steps TEXT NOT NULL,
  sender TEXT NOT NULL,
  class INTEGER,
  carrier TEXT NOT NULL
) STRICT;

CREATE TABLE endpoint (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL REFERENCES tenant (id),
  url TEXT NOT NULL,
  secrets TEXT NOT NULL,
  every_step INTEGER NOT NULL DEFAULT 0,
  inbound INTEGER NOT NULL DEFAULT 0,
  disabled_at INTEGER,
  disabled_reason TEXT NOT NULL DEFAULT '',
  failing_since INTEGER,
  UNIQUE (tenant_id, url)
) STRICT;

CREATE TABLE submission (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL,
  referent_id TEXT NOT NULL,
  token TEXT NOT NULL,
  request_id TEXT NOT NULL,
  key_id INTEGER NOT NULL,
  sender TEXT NOT NULL,
  text TEXT NOT NULL,
  encoding TEXT NOT NULL,
  segment_count INTEGER NOT NULL,
  class INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  scheduled INTEGER NOT NULL,
  first_message_id INTEGER NOT NULL,
  message_count INTEGER NOT NULL,
  endpoint_id INTEGER,
  every_step INTEGER NOT NULL,
  ext TEXT NOT NULL,
  answer TEXT NOT NULL,
  rich TEXT NOT NULL DEFAULT '',
  brandname TEXT NOT NULL DEFAULT '',
  purged INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX submission_referent ON submission (referent_id);
CREATE INDEX submission_tenant ON submission (tenant_id, id);
CREATE INDEX submission_content ON submission (class, accepted_at) WHERE purged = 0;

CREATE TABLE request_key (
  tenant_id INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  submission_id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, request_id, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_key_at ON request_key (at);

CREATE TABLE message (
  id INTEGER PRIMARY KEY,
  submission_id INTEGER NOT NULL,
  tenant_id INTEGER NOT NULL,
  destination INTEGER NOT NULL,
  class INTEGER NOT NULL,
  channel_id INTEGER NOT NULL,
  plan TEXT NOT NULL,
  step INTEGER NOT NULL,
  state INTEGER NOT NULL,
  due_at INTEGER,
  attempts INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  error TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX message_due ON message (channel_id, class, due_at) WHERE state = 0;
CREATE INDEX message_waiting ON message (due_at) WHERE state = 3 AND due_at IS NOT NULL;
CREATE INDEX message_silent ON message (channel_id, due_at) WHERE state = 2 AND due_at IS NOT NULL;
CREATE INDEX message_unknown ON message (channel_id, destination) WHERE state = 3;
CREATE INDEX message_destination ON message (tenant_id, destination);
CREATE INDEX message_dead ON message (tenant_id) WHERE flags & 2 <> 0;

CREATE TABLE attempt (
  message_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  channel_id INTEGER NOT NULL,
  boot INTEGER NOT NULL,
  claimed_at INTEGER NOT NULL,
  claimed_until INTEGER NOT NULL,
  done_at INTEGER,
  outcome TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  refs TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (message_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_open ON attempt (claimed_until) WHERE done_at IS NULL;

CREATE TABLE segment (
  channel_id INTEGER NOT NULL,
  ref TEXT NOT NULL,
  message_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  segment INTEGER NOT NULL,
  state INTEGER,
  at INTEGER,
  PRIMARY KEY (channel_id, ref, message_id, number, segment)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipt (
  id INTEGER PRIMARY KEY,
  channel_id INTEGER NOT NULL,
  ref TEXT NOT NULL,
  stat TEXT NOT NULL,
  destination INTEGER NOT NULL,
  state INTEGER,
  detail TEXT NOT NULL,
  raw BLOB NOT NULL,
  received_at INTEGER NOT NULL,
  done_at INTEGER NOT NULL,
  message_id INTEGER,
  result TEXT NOT NULL,
  repeats INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX receipt_key ON receipt (channel_id, ref, stat, destination);

CREATE TABLE parked (
  channel_id INTEGER NOT NULL,
  form TEXT NOT NULL,
  receipt_id INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (channel_id, form, receipt_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX parked_receipt ON parked (receipt_id);

-- What a person said of a message: see loa.domain.ruling.

CREATE TABLE ruling (
  message_id INTEGER NOT NULL,
  what TEXT NOT NULL,
  reason TEXT NOT NULL,
  who TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (message_id, what)
) STRICT, WITHOUT ROWID;

-- What came in beside receipts. `kept`: 2 whole, 1 without its content, 0 without whom it is about too.

CREATE TABLE inbound (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL,
  channel_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  subject INTEGER NOT NULL,
  body TEXT NOT NULL,
  raw BLOB NOT NULL,
  at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  kept INTEGER NOT NULL DEFAULT 2
) STRICT;
CREATE UNIQUE INDEX inbound_key ON inbound (channel_id, key);
CREATE INDEX inbound_kept ON inbound (kept, received_at) WHERE kept > 0;

-- Where the message's id is below 0, an event tells of an inbound event: of the one with that id, the sign turned.

CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  state INTEGER NOT NULL,
  at INTEGER NOT NULL,
  error TEXT NOT NULL,
  flags INTEGER NOT NULL,
  channel_id INTEGER NOT NULL,
  endpoint_id INTEGER,
  due_at INTEGER,
  tries INTEGER NOT NULL DEFAULT 0,
  done_at INTEGER,
  result TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX event_tenant ON event (tenant_id, id);
CREATE INDEX event_message ON event (message_id);
CREATE INDEX event_due ON event (endpoint_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX event_failed ON event (endpoint_id, at) WHERE result = 'failed';

CREATE TABLE callback_try (
  event_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  status INTEGER NOT NULL,
  error TEXT NOT NULL,
  excerpt TEXT NOT NULL,
  elapsed_ms INTEGER NOT NULL,
  PRIMARY KEY (event_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE latency (
  channel_id INTEGER NOT NULL,
  class INTEGER NOT NULL,
  span INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (channel_id, class, span)
) STRICT, WITHOUT ROWID;

-- Figures: counts of messages by the time they were accepted, in spans of `grain`; see loa.domain.figures.

CREATE TABLE figure (
  tenant_id INTEGER NOT NULL,
  grain INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  class INTEGER NOT NULL,
  channel_id INTEGER NOT NULL,
  code INTEGER NOT NULL,
  error TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, grain, at, kind, class, channel_id, code, error)
) STRICT, WITHOUT ROWID;

CREATE TABLE warning (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX warning_tenant ON warning (tenant_id, id);

-- Users of the console: see loa.ports.users. Digests are in hex.

CREATE TABLE console_user (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL,
  password TEXT NOT NULL,
  totp_seed TEXT NOT NULL,
  totp_step INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  disabled_at INTEGER
) STRICT;

CREATE TABLE recovery_code (
  user_id INTEGER NOT NULL REFERENCES console_user (id),
  digest TEXT NOT NULL,
  PRIMARY KEY (user_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE sign_in (
  digest TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES console_user (id),
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  address TEXT NOT NULL,
  agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE one_time_link (
  digest TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  user_id INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sign_in_try (
  subject TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  free_at INTEGER NOT NULL,
  tried_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  user_id INTEGER,
  who TEXT NOT NULL,
  verb TEXT NOT NULL,
  subject TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  address TEXT NOT NULL,
  digest TEXT NOT NULL
) STRICT;

-- Batches: see loa.ports.batches. Rows, marks and outcomes are packed: see loa.ledger.batches.

-- The ids of batches are in request ids, so that none may come again.
CREATE TABLE batch (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  who TEXT NOT NULL,
  state TEXT NOT NULL,
  columns TEXT NOT NULL,
  live INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  plan TEXT NOT NULL DEFAULT '{}',
  rate INTEGER NOT NULL DEFAULT 0,
  start_at INTEGER NOT NULL DEFAULT 0,
  begun_at INTEGER,
  done_at INTEGER,
  row_count INTEGER NOT NULL DEFAULT 0,
  checked INTEGER NOT NULL DEFAULT 0,
  position INTEGER NOT NULL DEFAULT 0,
  slice_end INTEGER NOT NULL DEFAULT 0,
  slice_begun_at INTEGER NOT NULL DEFAULT 0,
  counts TEXT NOT NULL DEFAULT '{}',
  findings TEXT NOT NULL DEFAULT '{}',
  forgotten INTEGER NOT NULL DEFAULT 0,
  owner TEXT NOT NULL DEFAULT '',
  claimed_until INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX batch_tenant ON batch (tenant_id, id);
CREATE INDEX batch_open ON batch (start_at) WHERE state IN ('checking', 'running') OR (state = 'stopped' AND slice_end > position);
CREATE INDEX batch_kept ON batch (created_at) WHERE forgotten = 0;
CREATE INDEX batch_created ON batch (created_at);

CREATE TABLE batch_chunk (
  tenant_id INTEGER NOT NULL,
  batch_id INTEGER NOT NULL,
  first INTEGER NOT NULL,
  cells BLOB NOT NULL,
  bad BLOB,
  PRIMARY KEY (tenant_id, batch_id, first)
) STRICT;

CREATE TABLE batch_part (
  tenant_id INTEGER NOT NULL,
  batch_id INTEGER NOT NULL,
  first INTEGER NOT NULL,
  count INTEGER NOT NULL,
  at INTEGER NOT NULL,
  outcome BLOB NOT NULL,
  PRIMARY KEY (tenant_id, batch_id, first)
) STRICT;
