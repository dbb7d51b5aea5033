"""The tree of settings: every value an admin can choose at start, with its unit in the name, default and meaning.

Frozen: a running program never changes it. Channels, routes, tenants, keys and endpoints are not here, they live in the
ledger and change while the program runs. `Settings()` holds the defaults; `load.load` reads what an admin chose.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from loa.settings.about import (
    about,
    countries,
    ledger_url,
    networks,
    owner_url,
    ports,
    some_of,
    time_of_day,
    web_address,
)
from loa.settings.secret import Secret

ROLES: Final = ("api", "dispatch", "callbacks", "receipts", "upkeep", "console")
OPTIONAL: Final = frozenset({"console"})
"""Roles that a Loa can do without."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where Loa listens. TLS belongs to a reverse proxy in front."""

    listen_host: str = field(
        default="127.0.0.1",
        metadata=about("Address of the API. Open it to other machines only behind a proxy that adds TLS."),
    )
    listen_port: int = field(default=8080, metadata=about("Port of the API; 0 picks a free one.", low=0, high=65535))
    public_url: str = field(
        default="",
        metadata=about(
            "Address at which people and providers reach the API from outside, as in `https://sms.example.vn`; consent"
            " links lead back to it.",
            check=web_address,
        ),
    )
    admin_host: str = field(default="127.0.0.1", metadata=about("Address of the admin listener."))
    admin_port: int = field(
        default=0,
        metadata=about(
            "Port of a listener of its own for metrics and health; 0 means none: then the main listener serves metrics,"
            " to loopback addresses only.",
            low=0,
            high=65535,
        ),
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Networks of reverse proxies whose `X-Forwarded-For` is believed; without it a key's network allow-list"
            " sees the proxy's address.",
            check=networks,
        ),
    )
    keep_alive_s: int = field(
        default=75, metadata=about("How long an idle connection of a client is kept.", low=1, high=3600)
    )
    workers: int = field(
        default=1,
        metadata=about(
            "Processes that serve the API on this port; more than one need PostgreSQL. They are started and watched by"
            " the one that was called, which has the other roles. Worker N has its admin listener N ports above"
            " `admin_port`.",
            low=1,
            high=64,
        ),
    )
    drain_notice_s: float = field(
        default=0.0,
        metadata=about(
            "How long a stopping process goes on serving while `/readyz` says 503: as long as the balancer needs to"
            " notice.",
            low=0,
            high=600,
        ),
    )


@dataclass(frozen=True, slots=True)
class Log:
    """What is written to standard error."""

    level: str = field(
        default="info",
        metadata=about("The least important lines that are written.", choices=("debug", "info", "warning", "error")),
    )
    format: str = field(
        default="auto",
        metadata=about(
            "Form of the lines; `auto` is console on a terminal, else JSON.", choices=("auto", "json", "console")
        ),
    )


@dataclass(frozen=True, slots=True)
class Ledger:
    """The embedded ledger: how its file is kept."""

    checkpoint_pages: int = field(
        default=4_000,
        metadata=about(
            "Pages in the write-ahead log after which they are moved into the file.", low=100, high=1_000_000
        ),
    )
    reserve_bytes: int = field(
        default=67_108_864,
        metadata=about(
            "Size of a file that is given up when the disk is full, so that outcomes and receipts can still be kept.",
            low=0,
        ),
    )
    busy_ms: int = field(
        default=5_000,
        metadata=about("How long to wait for a lock on the file, as during a backup.", low=0, high=60_000),
    )
    cache_kib: int = field(
        default=64_000, metadata=about("Page cache of the writing connection.", low=1_000, high=16_000_000)
    )
    readers: int = field(default=2, metadata=about("Connections that only read.", low=1, high=32))
    switch_interval_s: float = field(
        default=0.001,
        metadata=about(
            "How long a thread may hold the interpreter: shorter makes commits wait less, longer saves the hand-overs.",
            low=0.00001,
            high=0.1,
        ),
    )


@dataclass(frozen=True, slots=True)
class Postgres:
    """The ledger on PostgreSQL: how many connections, how patient. See docs/how-to/cluster.md."""

    owner: Secret = field(
        default=Secret(),
        metadata=about(
            "Address of the role that owns the tables and may change them, for `loa ledger migrate`; empty means the"
            " role of `database`.",
            check=owner_url,
        ),
    )
    connections: int = field(default=8, metadata=about("Connections that write, each process.", low=5, high=200))
    readers: int = field(default=4, metadata=about("Connections that read for callers, each process.", low=1, high=200))
    calls_max: int = field(
        default=4_000,
        metadata=about("Calls that may wait for a connection; more are answered 503 at once.", low=10, high=1_000_000),
    )
    timeout_s: float = field(
        default=4.0,
        metadata=about("How long one call may take; then the caller is told 503.", low=0.5, high=60),
    )
    dead_after_s: float = field(
        default=8.0,
        metadata=about(
            "Silence after which a process counts as dead: others then take its links and settle its messages.",
            low=2,
            high=600,
        ),
    )


@dataclass(frozen=True, slots=True)
class Seal:
    """The master keys by which secrets are sealed in the ledger. See docs/how-to/production.md."""

    key_file: str = field(
        default="",
        metadata=about(
            "Path of the file of master keys; empty means `master.key` in the data directory. It is made where there is"
            " none, and only its owner may read it."
        ),
    )
    keys: Secret = field(
        default=Secret(),
        metadata=about(
            "The master keys themselves, with commas between them, instead of the file; the first one seals where the"
            " ledger names none yet. `openssl rand -base64 32` makes one."
        ),
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest of everything that comes in."""

    body_bytes_max: int = field(
        default=4_194_304, metadata=about("Size of a request's body.", low=1_024, high=268_435_456)
    )
    destinations_max: int = field(default=10_000, metadata=about("Destinations of a submission.", low=1, high=100_000))
    text_chars_max: int = field(default=2_000, metadata=about("Length of a text.", low=1, high=100_000))
    segments_max: int = field(default=10, metadata=about("Segments of a message.", low=1, high=255))
    ext_bytes_max: int = field(default=8_192, metadata=about("Size of `ext`, as JSON.", low=0, high=65_536))
    json_depth_max: int = field(default=16, metadata=about("Depth of a request's JSON.", low=4, high=200))
    schedule_days_max: int = field(
        default=366, metadata=about("How far ahead a message may be scheduled.", low=0, high=3_660)
    )
    accepts_in_flight_max: int = field(
        default=2_000,
        metadata=about(
            "Submissions being written down at once; more are answered 503 with `Retry-After`.", low=1, high=100_000
        ),
    )
    disk_free_min_bytes: int = field(
        default=268_435_456,
        metadata=about("Free disk space below which no submission is accepted; the rest goes on.", low=0),
    )
    request_id_keep_hours: int = field(
        default=24,
        metadata=about("How long a `requestId` is remembered, so that a repeat is recognised.", low=1, high=8_760),
    )


@dataclass(frozen=True, slots=True)
class Numbers:
    """How destinations are read."""

    countries: tuple[str, ...] = field(
        default=("VN",), metadata=about("Countries that may be reached, as ISO 3166 codes.", check=countries)
    )
    convert_2018_prefixes: bool = field(
        default=False,
        metadata=about(
            "Turn eleven-digit numbers from before the change of 2018 into today's form instead of refusing them."
        ),
    )
    table: str = field(
        default="", metadata=about("Path of a newer numbering table; empty means the one that comes with Loa.")
    )


@dataclass(frozen=True, slots=True)
class Otp:
    """One-time codes."""

    lifetime_s: int = field(
        default=300, metadata=about("How long a message may wait to be handed over.", low=1, high=86_400)
    )
    on_unknown: str = field(
        default="never",
        metadata=about(
            "What happens when the outcome stays unknown: `never` re-sent, or `resend_once`, flagged; the second may"
            " deliver one code twice.",
            choices=("never", "resend_once", "next_step"),
        ),
    )
    evidence_wait_s: int = field(
        default=30, metadata=about("How long an unknown outcome waits for a receipt.", low=0, high=86_400)
    )


@dataclass(frozen=True, slots=True)
class Transactional:
    """Notices of care and business."""

    lifetime_s: int = field(
        default=86_400, metadata=about("How long a message may wait to be handed over.", low=1, high=2_592_000)
    )
    on_unknown: str = field(
        default="resend_once",
        metadata=about(
            "What happens when the outcome stays unknown: `resend_once`, flagged as a possible duplicate, or `never`;"
            " the second may lose a message.",
            choices=("never", "resend_once", "next_step"),
        ),
    )
    evidence_wait_s: int = field(
        default=120, metadata=about("How long an unknown outcome waits for a receipt.", low=0, high=86_400)
    )


@dataclass(frozen=True, slots=True)
class Advertising:
    """Advertising: its hours and its label."""

    lifetime_s: int = field(
        default=0,
        metadata=about(
            "How long a message may wait to be handed over; 0 means until the end of the allowed hours.",
            low=0,
            high=2_592_000,
        ),
    )
    on_unknown: str = field(
        default="never",
        metadata=about(
            "What happens when the outcome stays unknown: `never` re-sent, or `resend_once`, flagged; the second may"
            " break the limit of advertising a day.",
            choices=("never", "resend_once", "next_step"),
        ),
    )
    evidence_wait_s: int = field(
        default=120, metadata=about("How long an unknown outcome waits for a receipt.", low=0, high=86_400)
    )
    hours_enforced: bool = field(
        default=True,
        metadata=about("Hold advertising outside the allowed hours. Without it the law of Vietnam is yours to keep."),
    )
    hours_open: str = field(
        default="07:00", metadata=about("First hand-over of the day, Vietnam's time.", check=time_of_day)
    )
    hours_last: str = field(
        default="21:30",
        metadata=about(
            "Last hand-over of the day; before the legal end, so that nothing arrives late.", check=time_of_day
        ),
    )
    hours_close: str = field(
        default="22:00", metadata=about("Legal end of the day: messages expire here.", check=time_of_day)
    )
    label: str = field(
        default="carrier",
        metadata=about(
            "Who sees to the label: the `carrier` inserts it, or Loa can `require` that the text begins with it.",
            choices=("carrier", "require"),
        ),
    )
    labels: tuple[str, ...] = field(default=("[QC]", "[AD]"), metadata=about("Labels that count."))


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Handing messages over."""

    claim_s: int = field(
        default=90,
        metadata=about("How long a claim lasts; longer than any provider takes to answer.", low=5, high=3_600),
    )
    poll_ms: int = field(
        default=500, metadata=about("Longest pause before looking for due messages again.", low=10, high=60_000)
    )
    batch_max: int = field(default=2_000, metadata=about("Messages claimed in one commit.", low=1, high=50_000))


@dataclass(frozen=True, slots=True)
class Receipts:
    """What providers tell of messages."""

    batch_max: int = field(default=2_000, metadata=about("Receipts stored in one commit.", low=1, high=50_000))
    park_hours: int = field(
        default=72, metadata=about("How long a receipt that matches nothing is kept and tried again.", low=1, high=720)
    )


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Telling tenants. The guard is explained in docs/explain/outbound-guard.md."""

    timeout_s: float = field(default=15.0, metadata=about("Whole time of one try.", low=0.05, high=120))
    concurrency: int = field(default=256, metadata=about("Tries under way at once.", low=1, high=10_000))
    per_endpoint: int = field(
        default=64, metadata=about("Tries under way at once to one endpoint.", low=1, high=10_000)
    )
    allow_http: bool = field(
        default=False,
        metadata=about("Take `http` endpoints too: numbers and states then cross the network in the clear."),
    )
    ports: tuple[int, ...] = field(
        default=(443, 8443),
        metadata=about(
            "Ports an endpoint may have; empty means any. With `allow_http` plain `http` may use 80 too.", check=ports
        ),
    )
    allow_networks: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Networks that endpoints may have although they are not public, such as receivers in your own house.",
            check=networks,
        ),
    )


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept. Counts and states outlive texts and numbers."""

    content_otp_hours: int = field(default=24, metadata=about("Texts of one-time codes.", low=1, high=8_760))
    content_days: int = field(default=30, metadata=about("All other texts; inbound events.", low=1, high=3_650))
    numbers_days: int = field(
        default=180, metadata=about("Destinations; whom inbound events are about.", low=1, high=3_650)
    )
    events_days: int = field(default=730, metadata=about("Messages, attempts and events.", low=1, high=3_650))
    receipts_days: int = field(default=30, metadata=about("Receipts as they came.", low=1, high=3_650))


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The channel that reaches no real handset; the only one for test keys."""

    receipt_delay_ms: int = field(
        default=300, metadata=about("Time from hand-over to the receipt.", low=0, high=3_600_000)
    )
    window: int = field(default=100, metadata=about("Attempts in flight at once.", low=1, high=100_000))


@dataclass(frozen=True, slots=True)
class Client:
    """What the command line uses to reach a running Loa."""

    url: str = field(default="http://127.0.0.1:8080", metadata=about("Where the running Loa listens."))
    api_key: Secret = field(default=Secret(), metadata=about("The API key for `loa send` and `loa messages`."))


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings."""

    data_dir: Path = field(default=Path(".loa"), metadata=about("Folder for everything Loa keeps."))
    database: Secret = field(
        default=Secret(),
        metadata=about(
            "The ledger: `sqlite:///PATH`, or `postgresql://USER:PASSWORD@HOST:PORT/NAME` for many machines; empty"
            " means `loa.db` in the data directory.",
            check=ledger_url,
        ),
    )
    roles: tuple[str, ...] = field(
        default=ROLES,
        metadata=about(
            "What this process does: `api` serves HTTP, `dispatch` has the channels and takes their receipts,"
            " `callbacks` posts, `receipts` matches parked receipts again, `upkeep` does what time brings about;"
            " `console` serves the pages for people, below `/console`. Fewer than all need PostgreSQL, and another"
            " process for the others; `console` may be left out anywhere.",
            check=some_of(ROLES),
        ),
    )
    language: str = field(
        default="vi", metadata=about("Language of answers when a caller asks for none.", choices=("vi", "en"))
    )
    drain_s: float = field(
        default=30.0, metadata=about("How long a stop waits for what is in flight.", low=0, high=3_600)
    )
    probe: str = field(default="", metadata=about("Arms a probe point, for crash tests only."))
    server: Server = field(default_factory=Server)
    log: Log = field(default_factory=Log)
    ledger: Ledger = field(default_factory=Ledger)
    postgres: Postgres = field(default_factory=Postgres)
    seal: Seal = field(default_factory=Seal)
    limits: Limits = field(default_factory=Limits)
    numbers: Numbers = field(default_factory=Numbers)
    otp: Otp = field(default_factory=Otp)
    transactional: Transactional = field(default_factory=Transactional)
    advertising: Advertising = field(default_factory=Advertising)
    dispatch: Dispatch = field(default_factory=Dispatch)
    receipts: Receipts = field(default_factory=Receipts)
    callbacks: Callbacks = field(default_factory=Callbacks)
    retention: Retention = field(default_factory=Retention)
    sandbox: Sandbox = field(default_factory=Sandbox)
    client: Client = field(default_factory=Client)

    @property
    def ledger_path(self) -> Path:
        """The SQLite file of the ledger, where it is one."""
        url = self.database.reveal()
        return Path(url.removeprefix("sqlite:///")) if url else self.data_dir / "loa.db"

    @property
    def key_path(self) -> Path:
        """The file of master keys, where they come from one."""
        return Path(self.seal.key_file) if self.seal.key_file else self.data_dir / "master.key"

    @property
    def on_postgres(self) -> bool:
        """Whether the ledger is on PostgreSQL."""
        return not self.database.reveal().startswith("sqlite:") and bool(self.database)


def minute_of_day(text: str) -> int:
    """Turn "HH:MM" into minutes after midnight."""
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)
