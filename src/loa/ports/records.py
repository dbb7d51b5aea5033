"""What goes into the ledger and comes out of it, as plain values. Times are milliseconds since the epoch.

The records made once a message are not frozen: freezing triples the time to make one. Nobody changes them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loa.domain.latency import Wait
from loa.domain.lifecycle import State
from loa.domain.outcome import Outcome
from loa.domain.routes import RoutePlan, RouteStep
from loa.domain.ruling import Ruling
from loa.domain.traffic import OnUnknown, TrafficClass

# --- who ---


@dataclass(frozen=True, slots=True)
class Tenant:
    """An isolated customer. `policies`: overrides of the class policies, by class label."""

    id: int
    name: str
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A tenant's credential; the secret itself is not kept.

    `digest`: SHA-256 of the key. `display`: its first eight and last four characters. Empty `senders` or `networks`
    means any. `request_id_mode`: off, fingerprint or strict. `success_code`: None for the HTTP status.
    """

    id: int
    tenant_id: int
    name: str
    digest: bytes
    display: str
    live: bool
    permissions: frozenset[str]
    senders: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    request_id_mode: str = "fingerprint"
    success_code: int | None = None
    endpoint_id: int | None = None
    created_at: int = 0
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """What the handset shows. `kind`: brandname, short_code or long_number."""

    id: int
    tenant_id: int
    name: str
    kind: str = "brandname"


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    """One configured channel. `version` grows with every change of its settings."""

    id: int
    name: str
    provider: str
    settings: Mapping[str, Any]
    paused: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class RouteRecord:
    """One routing rule of a tenant; conditions left empty match everything. `steps`: what is tried, in order."""

    id: int
    tenant_id: int
    position: int
    steps: tuple[RouteStep, ...]
    sender: str = ""
    traffic_class: TrafficClass | None = None
    carrier: str = ""

    @property
    def channels(self) -> tuple[int, ...]:
        """The channels of its steps."""
        return tuple(step.channel_id for step in self.steps)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A tenant's URL that takes callbacks. `secrets`: current first.

    `every_step`: also told of `sent`. `inbound`: also told of inbound events, all of its tenant's.
    """

    id: int
    tenant_id: int
    url: str
    secrets: tuple[str, ...]
    every_step: bool = False
    disabled_at: int | None = None
    disabled_reason: str = ""
    failing_since: int | None = None
    inbound: bool = False


# --- intake ---


@dataclass(slots=True)
class NewSubmission:
    """One checked request, ready to be written.

    `plans`: route plans with the destinations that follow each. `rich`: what steps send instead of the text, by the
    channel's id, below 0 for what goes to user ids. `brandname`: what the handset shows over SMS, "" for `sender`.
    `fingerprint`: digest of the body, b"" when repeats are not recognised. `strict`: refuse the same request id with
    another body. `answer`: what the reply's data holds beside the token. `callback_url`: wins over `endpoint_id`.
    """

    tenant_id: int
    key_id: int
    referent_id: str
    token: str
    request_id: str
    fingerprint: bytes
    strict: bool
    sender: str
    text: str
    encoding: str
    segment_count: int
    traffic_class: TrafficClass
    accepted_at: int
    due_at: int
    expires_at: int
    plans: Sequence[tuple[RoutePlan, Sequence[int]]]
    endpoint_id: int | None = None
    callback_url: str = ""
    ext: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)
    scheduled: bool = False
    rich: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    brandname: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """The submission is on disk. `reused_request_id`: its request id was seen before with another body."""

    reused_request_id: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same submission was accepted before; nothing was written."""

    referent_id: str
    token: str
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Clash:
    """Strict mode: the request id belongs to another body; nothing was written."""


AcceptResult = Stored | Repeat | Clash

# --- dispatch ---


@dataclass(slots=True)
class Settlement:
    """The outcome of one attempt, to be recorded.

    `retry_at`: when the next try is due after Deferred or a passing refusal (0: keep its place in the lane).
    `wait_until`: how long an Unknown waits for evidence; `after`: what its class then allows, with a flag.
    `dead`: no try is left, the message becomes a dead letter. `tenant_id`: of the message, as the attempt had it.
    """

    message_id: int
    number: int
    channel_id: int
    outcome: Outcome
    at: int
    retry_at: int = 0
    wait_until: int = 0
    after: OnUnknown = OnUnknown.NEVER
    dead: bool = False
    tenant_id: int = 0


UnknownPolicy = Callable[[int, TrafficClass], tuple[int, OnUnknown]]
"""For a tenant and a class: how long an unknown message waits for evidence (milliseconds), and what happens then.
Pure; an engine may call it from any thread."""


# --- many processes ---


@dataclass(frozen=True, slots=True)
class SlotUse:
    """How a process uses one channel: into how many slots the channel is divided, and how many it works with now."""

    total: int
    in_use: int


# --- receipts ---


@dataclass(frozen=True, slots=True)
class ReceiptCounts:
    """What became of a group of receipts. `waits`: how long delivery took, as counts by `latency.Wait`."""

    applied: int = 0
    repeated: int = 0
    parked: int = 0
    conflicts: int = 0
    doubles: int = 0
    waits: Mapping[Wait, int] = field(default_factory=dict, compare=False)


# --- rulings ---


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person says of messages. `reason`: how they know; `who`: their name. Neither is told to a tenant."""

    ruling: Ruling
    reason: str
    who: str
    at: int


# --- templates ---


@dataclass(frozen=True, slots=True)
class TemplateLook:
    """When a channel's templates were last read from its provider, and how that went. Times 0: never.

    `asked_at`: somebody wanted them read again. `claimed_until`: a process is reading them. `problem`: why the last
    look failed, "" when it did not.
    """

    channel_id: int
    asked_at: int = 0
    begun_at: int = 0
    claimed_until: int = 0
    done_at: int = 0
    problem: str = ""


# --- inbound ---


@dataclass(frozen=True, slots=True)
class NewInbound:
    """Something that came in over a channel and is no receipt: a user's message, a follow, a change of a template.

    `kind`: the event's name, as the provider gives it. `key`: what makes a repeat recognisable, within the channel.
    `subject`: the user it is about as a destination (see domain.destination), 0 for nobody. `tenant_id`: whose it is,
    None for nobody's. `body`: what the tenant is told; JSON values only. `raw`: as it came.
    Units: milliseconds; at 0 where the provider did not say.
    """

    channel_id: int
    kind: str
    key: str
    subject: int
    tenant_id: int | None
    body: Mapping[str, Any]
    raw: bytes
    received_at: int
    at: int = 0


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """An inbound event as its tenant is told of it.

    `channel`: its name, "" where it is gone. `subject`: 0 for nobody, or once it is forgotten; `body` and `raw` are
    empty once their content is.
    """

    id: int
    kind: str
    channel: str
    subject: int
    body: Mapping[str, Any]
    raw: bytes
    received_at: int
    at: int


# --- callbacks ---


@dataclass(slots=True)
class DueCallback:
    """One callback to post now, with the message as it stands, or with the `inbound` event that it tells of instead.

    Where it tells of an inbound event, what it says of a message means nothing.
    """

    id: int
    tenant_id: int
    endpoint_id: int
    url: str
    secrets: tuple[str, ...]
    tries: int
    message_id: int = 0
    sequence: int = 0
    state: State = State.QUEUED
    error: str = ""
    occurred_at: int = 0
    possible_duplicate: bool = False
    double_reach: bool = False
    cost: int = 0
    destination: int = 0
    channel: str = ""
    segment_count: int = 0
    referent_id: str = ""
    request_id: str = ""
    sent_at: int = 0
    handed_over_at: int = 0
    metadata: Any = None
    inbound: InboundEvent | None = None


@dataclass(slots=True)
class CallbackTry:
    """One try of a callback. `next_at`: when to try again, None when it is over. `delivered`: it was taken."""

    callback_id: int
    number: int
    at: int
    status: int
    error: str
    excerpt: str
    elapsed_ms: int
    delivered: bool
    next_at: int | None


# --- reading ---


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """What a list of messages is narrowed by; None and empty mean any. Cursor pages run from new to old."""

    states: tuple[State, ...] = ()
    traffic_class: TrafficClass | None = None
    destination: int | None = None
    sender: str = ""
    channel: str = ""
    request_id: str = ""
    error: str = ""
    since: int | None = None
    until: int | None = None
    dead: bool | None = None
    dealt_with: bool | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave: rows, newest first, and how far it looked.

    `further`: the last message that was looked at, None where the page is full or all were.
    """

    rows: Sequence[Mapping[str, Any]]
    further: int | None = None


Row = Mapping[str, Any]
"""One row for reading, as the query names its columns; states and classes are labels, times milliseconds."""


@dataclass(frozen=True, slots=True)
class CallbackFilter:
    """What a list of callbacks is narrowed by; None and empty mean any. `result`: due, delivered or failed.

    `since`, `until`: when the state was reached that is told of; of due ones when they are due.
    """

    endpoint_id: int | None = None
    result: str = ""
    message_id: int | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class CallbackPage:
    """A page of callbacks. `further`: where the next one begins, None where nothing is left.

    A page may be short, even empty, and still have a next one: only so much is looked through at a time.
    """

    rows: Sequence[Row]
    further: tuple[int, int] | None
