"""Channel: the one public Python seam. A provider hands messages over and passes receipts on.

Third-party packages register a `Provider` under the entry point group `loa.channels` and run the public
contract suite in tests/contract/channel. One whose channels may be worked on by several processes at once also
satisfies `Divides`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from loa.domain.outcome import Outcome
from loa.domain.receipt import Receipt
from loa.domain.rules import Finding
from loa.domain.template import Template
from loa.domain.traffic import TrafficClass
from loa.ports.clock import Clock
from loa.ports.grants import AccessTokens
from loa.ports.probe import Probe
from loa.ports.records import ChannelRecord, NewInbound


@dataclass(frozen=True, slots=True)
class Attempt:
    """One claimed message, ready to be handed over: everything a provider may need, nothing it may change.

    `number` counts attempts of this message over all channels and is the fencing number of the claim; `tries` counts
    those on this channel that used up a try.
    `expires_at` in milliseconds; a provider passes it on as validity where it can.
    """

    message_id: int
    number: int
    channel_id: int
    traffic_class: TrafficClass
    destination: int
    sender: str
    text: str
    encoding: str
    segment_count: int
    expires_at: int
    referent_id: str
    possible_duplicate: bool
    ext: Mapping[str, Any]
    tries: int = 0
    tenant_id: int = 0
    rich: Mapping[str, Any] = field(default_factory=dict)
    """What a channel that carries more than text is to send, as its provider's `compose` made it; empty for text."""


Settle = Callable[[Attempt, Outcome], None]
"""Given to `submit`; called exactly once for each attempt, on the event loop's thread, never before submit returns
control for an attempt whose bytes may still leave."""

ReceiptSink = Callable[[Receipt, Callable[[bool], None]], None]
"""Takes a receipt and a function that is called with True once the receipt is on disk, with False when it could not be
stored: only then may the provider acknowledge it, or ask the peer to send it again."""


def ignore_late(_attempt: Attempt, _outcome: Outcome) -> None:
    """Drop a late answer: what a context without a listener does."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a connection test: what was tried, whether it worked, what was seen."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a channel hands over. Units: segments a second, 0 for no limit.

    `limit`: as it is set; `now`: what throttling has left of it; `used`: what was handed over in the last whole second.
    """

    limit: float
    now: float
    used: int


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """What a channel looks like now, for readiness, metrics and people."""

    ready: bool
    links_up: int
    links: int
    window_in_use: int
    window_size: int
    detail: str = ""
    window_free: int | None = None
    """Room in the windows of the links that are up; None for what `window_in_use` leaves of `window_size`. A rate may
    allow less at a time, see `Channel.free`."""
    rate: Rate | None = None
    """None where the channel keeps no rate."""
    quota_left: int | None = None
    """Messages that the provider still takes today; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """What the gateway hands to a new channel."""

    channel_id: int
    name: str
    clock: Clock
    probe: Probe
    receipts: ReceiptSink
    wake: Callable[[], None]
    """Called when capacity came free or the channel became ready, so that dispatch looks again."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    tokens: AccessTokens | None = None
    """The channel's access token, for a provider that needs a grant."""
    late: Callable[[Attempt, Outcome], None] = ignore_late
    """Called when the answer to an attempt comes after it was settled as Unknown, on a link that is still up: evidence
    that may settle the message, never send it again."""


@dataclass(frozen=True, slots=True)
class Question:
    """What became of a message that was handed over so long ago? `ref`: the provider's own reference, as received."""

    message_id: int
    number: int
    destination: int
    ref: str
    tenant_id: int = 0


@runtime_checkable
class Asks(Protocol):
    """What a channel adds whose provider can be asked what became of a message."""

    async def ask(self, questions: Sequence[Question]) -> Sequence[Receipt]:
        """Ask, and give a receipt for each message whose state the provider knows; never raises."""
        ...


class Channel(Protocol):
    """One configured connection of a provider.

    A provider never raises for a refused message, never tries twice on its own, and returns `Deferred` only when it
    knows that no byte of the request left the process.
    """

    async def start(self) -> None:
        """Begin to connect; returns at once, readiness shows in `free`."""
        ...

    def free(self, now: int) -> int:
        """Tell how many attempts may be handed over now: 0 while not ready, throttled, or the window is full."""
        ...

    def submit(self, attempts: Sequence[Attempt], settle: Settle) -> None:
        """Start to hand the attempts over; each is settled exactly once."""
        ...

    def status(self) -> ChannelStatus:
        """Describe the channel now."""
        ...

    async def test(self) -> list[Step]:
        """Try the connection step by step, apart from the live links."""
        ...

    async def stop(self, drain_s: float) -> None:
        """Take no more, wait up to `drain_s` for answers, unbind; what is left is settled as Unknown."""
        ...


class FieldKind(StrEnum):
    """How a setting is asked for."""

    TEXT = "text"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    TABLE = "table"
    """A mapping of text to text."""


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting of a provider, as forms and the command line ask for it.

    `takes`: its values in words; `low` and `high`: bounds of a number, of a text's length; `whole`: no fractions.
    `needed`: it has no default. `basic`: nearly everybody has to say it. Shapes: `default` as plain JSON.
    """

    name: str
    kind: FieldKind
    takes: str
    meaning: str
    default: Any = None
    needed: bool = False
    secret: bool = False
    basic: bool = False
    low: float | None = None
    high: float | None = None
    whole: bool = True
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """What a provider declares of itself."""

    name: str
    removes_duplicates: bool
    """Its peer removes duplicates by our reference, so that a re-send need not be flagged."""
    secrets: frozenset[str]
    """Settings that must never be shown."""
    takes_reports: bool = False
    """Its peer posts reports over HTTP, see `Provider.read_report`."""
    simulated: bool = False
    """It reaches no real handset; the only kind a test key may use."""
    reaches_users: bool = False
    """It also takes destinations that are its own user ids, see domain.destination."""
    needs_grant: bool = False
    """Its channels work with tokens that a person consents to; it also satisfies `ports.grants.Grantor`."""
    settings: tuple[SettingField, ...] = ()
    """Its settings in the order in which people are asked for them; empty where it does not say."""


class Provider(Protocol):
    """A provider's factory: checks settings and builds channels."""

    info: ProviderInfo

    def check(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Complete and check settings. Errors: ConfigError naming the field and how to cure it."""
        ...

    def build(self, context: ChannelContext) -> Channel:
        """Build a channel; connects nothing yet."""
        ...

    def read_report(self, channel_id: int, report: Mapping[str, Any], now: int) -> Receipt | None:
        """Read a report that the peer posted over HTTP; None where the provider takes none."""
        ...


@runtime_checkable
class Divides(Protocol):
    """What a provider adds whose channels several processes may work on at once, each with a part of it.

    Without it a channel has one slot, so one process works on it and another takes over when that one is gone. However
    the slots are dealt out, all parts together never come to more than the whole: not in links, window or rate. A
    message goes through one part, with all its segments.
    """

    def slots(self, settings: Mapping[str, Any]) -> int:
        """Tell into how many slots a channel with these settings is divided: 1 or more."""
        ...

    def part(self, settings: Mapping[str, Any], held: int) -> Mapping[str, Any]:
        """Give the settings to work with while `held` of the slots are held, from 1 to all, which are the whole."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What one request asks of a step of its route plan.

    `text`: as the handset would show it over SMS. `ext`: the caller's options. `users`: whether the destinations are
    the provider's own user ids instead of phone numbers.
    """

    text: str
    traffic_class: TrafficClass
    ext: Mapping[str, Any]
    sender: str = ""
    users: bool = False


@dataclass(frozen=True, slots=True)
class Composed:
    """What a step would send instead of text, and what it costs. Units: price in VND for one message.

    `rich`: goes into `Attempt.rich`; JSON values only. `on_delivery`: it costs nothing unless it is delivered. `said`:
    the steps of the decision, for the dry run.
    """

    rich: Mapping[str, Any]
    price: int = 0
    on_delivery: bool = False
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a step cannot carry a request.

    `wrong`: the caller asked for just this and made a mistake, so the request is refused; without it the step is left
    out where the plan has others.
    """

    findings: tuple[Finding, ...]
    wrong: bool = False


@runtime_checkable
class Composes(Protocol):
    """What a provider adds whose channels do not carry the text as it is.

    It makes the content of a step before the request is accepted. Pure: it knows only what it is given.
    """

    def compose(self, settings: Mapping[str, Any], templates: Sequence[Template], wish: Wish) -> Composed | Unfit:
        """Make what a channel with these settings and registered templates would send, or say why it cannot."""
        ...


@dataclass(frozen=True, slots=True)
class Asking:
    """What a look at a provider's side works with: the channel, its access token, and what was known before.

    `pause`: waits for so many seconds, between requests that would otherwise follow each other too fast.
    """

    channel_id: int
    token: str = field(repr=False)
    known: Sequence[Template]
    pause: Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Described:
    """All templates that the provider has for a channel. `problem`: what could not be read anew, "" for nothing."""

    templates: tuple[Template, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Undescribed:
    """Why nothing could be read: a stable word or code. `token`: because the token is taken no more."""

    reason: str
    token: bool = False


@runtime_checkable
class Describes(Protocol):
    """What a provider adds that can be asked which templates a channel has."""

    async def describe(self, settings: Mapping[str, Any], asking: Asking) -> Described | Undescribed:
        """Ask for everything, gently; never raises for what the provider or the network does."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """What one event that a provider posted to us says, with the signature found right.

    `inbound`: with no tenant yet. `changed`: the provider's side of the channel changed, as its templates or its quota:
    look again soon.
    """

    channel_id: int
    receipts: tuple[Receipt, ...] = ()
    inbound: tuple[NewInbound, ...] = ()
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Unheard:
    """An event that was not taken: nothing of it is kept. `reason`: a stable word for logs and metrics."""

    reason: str


@runtime_checkable
class Hears(Protocol):
    """What a provider adds that posts signed events to us over HTTP. Pure."""

    def hear(
        self, channels: Sequence[ChannelRecord], headers: Mapping[str, str], body: bytes, now: int
    ) -> Heard | Unheard:
        """Check who signed an event and read it. Shapes: header names in lower case; channels of this provider."""
        ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of an attempt, as it is composed again for people to read.

    `name`: what it is, as `submit_sm` or `POST`. `fields`: names and values in the order of the wire, no secret among
    them. `octets`: the whole of it where the protocol is binary; `body`: of a request over HTTP.
    """

    name: str
    fields: tuple[tuple[str, str], ...]
    octets: bytes = b""
    body: str = ""


@runtime_checkable
class Retells(Protocol):
    """What a provider adds that can show what it sent for an attempt. Pure."""

    def retell(self, settings: Mapping[str, Any], attempt: Attempt, claimed_at: int) -> Sequence[Exchange]:
        """Compose again what was sent, or would have been: empty where nothing could be written.

        With today's settings; numbers that are drawn or counted as it is sent are 0.
        """
        ...


def slots_of(provider: Provider, settings: Mapping[str, Any]) -> int:
    """Tell into how many slots a channel is divided: 1 where its provider does not say."""
    return provider.slots(settings) if isinstance(provider, Divides) else 1


def part_of(provider: Provider, settings: Mapping[str, Any], held: int) -> Mapping[str, Any]:
    """Give the settings of the part of a channel that so many slots make: the whole where it has only one."""
    return provider.part(settings, held) if isinstance(provider, Divides) else settings
