"""The ledger's roles. Every engine serves all of them with one behaviour: tests/contract/ledger is the specification.

All calls are atomic; when one returns, its effect is on disk; when it raises a StorageError, nothing of it is. Any
number of callers may run at once: an engine joins their writes into shared commits. After a crash the ledger holds
exactly the calls that returned, and maybe some whose answer was lost on the way.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from loa.domain.latency import Wait
from loa.domain.receipt import Receipt
from loa.domain.routes import RouteStep
from loa.domain.template import Template
from loa.domain.traffic import TrafficClass
from loa.ports.batches import Batches
from loa.ports.channel import Attempt, Question
from loa.ports.grants import Grants
from loa.ports.records import (
    AcceptResult,
    ApiKey,
    CallbackTry,
    ChannelRecord,
    DueCallback,
    Endpoint,
    Found,
    MessageFilter,
    NewInbound,
    NewSubmission,
    ReceiptCounts,
    RouteRecord,
    Row,
    Sender,
    Settlement,
    SlotUse,
    TemplateLook,
    Tenant,
    UnknownPolicy,
)
from loa.ports.sealing import Sealing
from loa.ports.users import Users
from loa.ports.watching import Deliveries, Figures, Rulings


class Submissions(Protocol):
    """Writing requests down, and taking them back."""

    async def accept(self, submission: NewSubmission) -> AcceptResult:
        """Write one submission with all its messages, or recognise a repeat."""
        ...

    async def cancel(self, tenant_id: int, referent_id: str, now: int) -> int | None:
        """Cancel what is not yet sending; give how many messages were, None when there is no such submission."""
        ...

    async def cancel_message(self, tenant_id: int, message_id: int, now: int) -> bool | None:
        """Cancel one message; False when it is past queued, None when there is no such message."""
        ...


class Claims(Protocol):
    """The dispatch side: exclusive, fenced rights on due messages, and the record of what came of them."""

    async def claim(
        self,
        channel_id: int,
        wanted: Sequence[tuple[TrafficClass, int]],
        limit: int,
        now: int,
        until: int,
        *,
        waited_ms: int | None = None,
    ) -> list[Attempt]:
        """Claim due messages of a channel's lanes: lane after lane as `wanted` names them, each in due order.

        A lane may fill the claim up to its number, and all together up to `limit`: a lane named later with a smaller
        number leaves room for those before it. With
        `waited_ms` only messages are taken that have been due for so long and whose plan has a step after this one.

        Each claimed message is `sending` with an open attempt, on disk, when this returns. Messages whose lifetime is
        over are expired on the way, with the callbacks they owe.
        """
        ...

    async def record(self, settlements: Sequence[Settlement]) -> int:
        """Record outcomes and the callbacks they owe, and apply receipts that came before their response.

        Fenced: a settlement whose attempt is no longer the open one changes nothing, but that an Accepted may still
        settle an `unknown` message. Give how many settlements took effect.
        """
        ...

    async def next_due(self, channel_id: int, now: int) -> int | None:
        """Give the due time of the next queued message after `now` on a channel, None when there is none."""
        ...

    async def settle_stale(self, now: int, policy: UnknownPolicy, *, former: bool = False) -> int:
        """Turn attempts whose claim is over, or whose owner is dead, into `unknown`.

        With `former`, at the start of a process: all that its own earlier runs left open, and the callbacks that they
        had claimed are due again. Where processes share a ledger, every call settles what dead ones left.
        """
        ...


class Receipts(Protocol):
    """Receipts in: stored raw, matched, applied, in one commit."""

    async def store(self, receipts: Sequence[Receipt]) -> ReceiptCounts:
        """Store receipts and apply them; those without a match are parked. Repeats are counted, not applied."""
        ...

    async def rematch(self, limit: int, now: int) -> ReceiptCounts:
        """Try parked receipts again."""
        ...


class Callbacks(Protocol):
    """Callbacks out."""

    async def claim_due(
        self, limit: int, per_endpoint: int, now: int, until: int, skip: Sequence[int]
    ) -> list[DueCallback]:
        """Claim due callbacks until `until`; at most `per_endpoint` of one endpoint, none of those in `skip`."""
        ...

    async def record_tries(self, tries: Sequence[CallbackTry]) -> None:
        """Record tries; a callback without a next try is over."""
        ...

    async def next_callback_due(self) -> int | None:
        """Give when the next callback is due."""
        ...

    async def set_endpoint_health(
        self, endpoint_id: int, failing_since: int | None, disabled_at: int | None, reason: str
    ) -> None:
        """Note that an endpoint fails, works again, or was switched off."""
        ...

    async def replay(
        self, tenant_id: int, callback_ids: Sequence[int], endpoint_id: int | None, since: int, now: int
    ) -> int:
        """Make callbacks due again: the named ones, or all failed ones of an endpoint since a time. Give how many."""
        ...


class Upkeep(Protocol):
    """What time brings about."""

    async def expire(self, limit: int, now: int) -> int:
        """Expire queued messages whose lifetime is over. Give how many."""
        ...

    async def settle_unknown(self, limit: int, now: int) -> tuple[int, int]:
        """End the wait of unknown messages: (queued for their one flagged re-send, finally unknown)."""
        ...

    async def purge(self, limit: int, now: int, keep_ms: Mapping[str, int]) -> int:
        """Delete what is past its time: request keys, parked receipts, texts and history. Give how many rows."""
        ...


class Silence(Protocol):
    """Steps of route plans that were given a time to speak in, and how long receipts usually take."""

    async def silent_channels(self, now: int) -> list[int]:
        """Name the channels with sent messages whose step was silent for its time."""
        ...

    async def silent(self, channel_id: int, limit: int, now: int) -> list[Question]:
        """Name such messages of a channel, oldest first, with what its provider knows them by."""
        ...

    async def go_on(self, questions: Sequence[Question], now: int) -> int:
        """Begin the next step of those that are still silent, flagged; a receipt that was quicker wins.

        Give how many.
        """
        ...

    async def learn(self, waits: Mapping[Wait, int]) -> None:
        """Count how long receipts took; what is long past counts less and less."""
        ...

    async def usual_waits(self) -> Mapping[Wait, int]:
        """Give the counts."""
        ...


class Templates(Protocol):
    """The registered templates of channels. A change of more than quotas moves the directory's revision."""

    async def templates(self) -> list[Template]:
        """Give all templates of all channels."""
        ...

    async def put_templates(self, channel_id: int, templates: Sequence[Template], now: int) -> int:
        """Keep what the provider has now, whole: one that it no longer names becomes deleted. Texts stay.

        Give how many changed.
        """
        ...

    async def set_template_text(self, channel_id: int, template_id: str, text: str) -> bool:
        """Say how a template reads as plain text, "" for nothing; False when there is no such template."""
        ...

    async def template_looks(self) -> list[TemplateLook]:
        """Give how the last look at each channel's templates went; this and the calls below move no revision."""
        ...

    async def ask_template_look(self, channel_id: int, now: int) -> None:
        """Note that the provider's side has changed: whoever runs the channel looks again."""
        ...

    async def begin_template_look(self, channel_id: int, now: int, until: int) -> bool:
        """Take the right to look until a time; False while another process has it."""
        ...

    async def end_template_look(self, channel_id: int, now: int, problem: str) -> None:
        """Note how a look went, "" for well, and give the right back."""
        ...


class Inbound(Protocol):
    """What comes in over channels beside receipts, kept raw, told to its tenant: in the feed, and by callbacks."""

    async def take_inbound(self, events: Sequence[NewInbound]) -> int:
        """Store events with the callbacks they owe, and give how many are new; a repeat by channel and key is none.

        Each new one of a tenant is one entry of its feed, and a callback for each endpoint that wants inbound events.
        """
        ...


class Restoring(Protocol):
    """A ledger that was restored from a backup: the one it is a copy of may have sent what waits in it."""

    async def backup_at(self) -> int | None:
        """Give when the copy was made that this ledger is, 0 where nobody knows; None when it is none, or released."""
        ...

    async def hold(self, limit: int, now: int) -> Mapping[TrafficClass, int]:
        """End about `limit` messages that are queued, sending or wait as unknown; give how many of each class.

        They become finally `unknown`, and their tenants are told; none is sent. Batches that run are stopped.
        Empty: nothing is left to end.
        """
        ...

    async def release(self) -> None:
        """Note that this ledger is no copy any more but goes on by itself."""
        ...


class Directory(Protocol):
    """Tenants, keys, senders, channels, routes, endpoints: small, read often, changed by people."""

    async def revision(self) -> int:
        """Give a number that grows with every change, so that readers know when to read again."""
        ...

    async def add_tenant(self, name: str, now: int) -> Tenant: ...
    async def tenants(self) -> list[Tenant]: ...
    async def set_policies(self, tenant_id: int, policies: Mapping[str, Mapping[str, Any]]) -> None: ...
    async def add_key(self, key: ApiKey) -> ApiKey: ...
    async def keys(self) -> list[ApiKey]: ...
    async def revoke_key(self, key_id: int, now: int) -> bool: ...
    async def touch_keys(self, used: Mapping[int, int]) -> None: ...
    async def add_sender(self, tenant_id: int, name: str, kind: str) -> Sender: ...
    async def senders(self) -> list[Sender]: ...
    async def add_channel(self, name: str, provider: str, settings: Mapping[str, Any]) -> ChannelRecord: ...
    async def channels(self) -> list[ChannelRecord]: ...
    async def change_channel(
        self, name: str, *, settings: Mapping[str, Any] | None = None, paused: bool | None = None
    ) -> ChannelRecord | None: ...
    async def add_route(
        self,
        tenant_id: int,
        steps: Sequence[RouteStep | int],
        *,
        sender: str = "",
        traffic_class: TrafficClass | None = None,
        carrier: str = "",
        position: int | None = None,
    ) -> RouteRecord: ...
    async def routes(self) -> list[RouteRecord]: ...
    async def move_route(self, route_id: int, place: int) -> bool:
        """Put a rule at a place among its tenant's, counted from 0; their positions are given out anew, ten apart.

        A place beyond the last is the last. False where there is no such rule.
        """
        ...

    async def remove_route(self, route_id: int) -> bool: ...
    async def add_endpoint(
        self, tenant_id: int, url: str, secret: str, *, every_step: bool = False, inbound: bool = False
    ) -> Endpoint: ...
    async def endpoints(self, tenant_id: int | None = None) -> list[Endpoint]: ...
    async def change_endpoint(
        self,
        endpoint_id: int,
        *,
        every_step: bool | None = None,
        inbound: bool | None = None,
        secrets: Sequence[str] | None = None,
    ) -> Endpoint | None:
        """Change what is given, and give the endpoint as it is then; None where there is none."""
        ...

    async def set_default_endpoint(self, key_id: int, endpoint_id: int | None) -> None: ...


class Search(Protocol):
    """Reading for people and programs; every call but by_token is bound to a tenant. Cursors are opaque to callers."""

    async def submission(self, tenant_id: int, referent_id: str) -> Row | None: ...
    async def submission_by_token(self, token: str) -> Row | None: ...
    async def submission_messages(self, tenant_id: int, referent_id: str, after: int, limit: int) -> list[Row]: ...
    async def message(self, tenant_id: int, message_id: int) -> Row | None: ...
    async def timeline(self, tenant_id: int, message_id: int) -> Row | None:
        """Give a message with attempts, segments, receipts, rulings, events and callbacks with every try."""
        ...

    async def attempt(self, tenant_id: int, message_id: int, number: int) -> Attempt | None:
        """Give one attempt as its channel was handed it, as far as that is kept; None where there was none."""
        ...

    async def messages_by_ref(self, tenant_id: int, ref: str, limit: int) -> list[int]:
        """Name messages with a segment that any provider knows by this reference, newest first."""
        ...

    async def unknown_by_channel(self, tenant_id: int) -> list[Row]:
        """Count unknown messages by channel: all, those that wait for evidence, and the id of the first of them."""
        ...

    async def messages(self, tenant_id: int, wanted: MessageFilter, before: int | None, limit: int) -> list[Row]: ...
    async def find_messages(
        self, tenant_id: int, wanted: MessageFilter, before: int | None, limit: int, reach: int
    ) -> Found:
        """List messages as `messages` does, but look at about `reach` of them at most where no index leads to them.

        Where ids and times of acceptance do not rise together within an hour, some near the ends of a span may lack.
        """
        ...

    async def unknown_waiting(self, tenant_id: int, since: int, limit: int) -> int:
        """Count the unknown messages accepted since then that still wait for evidence, of `limit` that wait."""
        ...

    async def events(self, tenant_id: int, after: int, limit: int) -> list[Row]:
        """Give events in the order they were written, after a cursor.

        A row's `inbound` is the InboundEvent that it tells of, once however many endpoints are told, and beside it
        there are `id` and `at` alone; None where it tells of a message.
        """
        ...

    async def last_event(self, tenant_id: int) -> int:
        """Give the cursor behind a tenant's last event, 0 where there is none."""
        ...

    async def warnings(self, tenant_id: int, limit: int) -> list[Row]: ...
    async def orphans(self) -> list[Row]:
        """Give parked receipts by channel: count and age."""
        ...

    async def depths(self) -> list[Row]:
        """Give queued counts kept per channel and class, with the oldest due time."""
        ...


class Members(Protocol):
    """The processes that share one ledger, and which part of each channel is whose.

    A channel is divided into slots; a process works with the links and the rate of the slots it holds, so that all
    together never use more than the channel has. The embedded ledger has one process, which holds every slot.
    """

    async def share(self, uses: Mapping[int, SlotUse]) -> Mapping[int, int]:
        """Say how channels are used by this process and give how many slots of each it may use from now on.

        More than before: they are held when this returns. Fewer: work with fewer first, then say so in the next call;
        only then do they go to another process. Slots of dead processes go to those that live. Shapes: by channel id.
        """
        ...

    def listen(self, woken: Callable[[], None]) -> None:
        """Have a function called when another process may have left something to do: a hint, which may be lost."""
        ...


class Flag(Protocol):
    """Something that is set once, and can be waited for."""

    def is_set(self) -> bool: ...
    async def wait(self) -> object: ...


class Ledger(
    Submissions,
    Claims,
    Receipts,
    Rulings,
    Callbacks,
    Inbound,
    Upkeep,
    Figures,
    Restoring,
    Silence,
    Directory,
    Templates,
    Grants,
    Sealing,
    Users,
    Batches,
    Search,
    Deliveries,
    Members,
    Protocol,
):
    """All roles together, and its own life."""

    @property
    def engine(self) -> str:
        """The engine's name, for metrics and people: sqlite or postgres."""
        ...

    @property
    def failed(self) -> Flag:
        """Set once this process may not go on with the ledger: it must stop and start again."""
        ...

    def disk_free(self) -> int | None:
        """Give the free space where the ledger lies, None where that is not known. Units: octets."""
        ...

    def writable(self) -> bool:
        """Tell whether new messages can be accepted now."""
        ...

    async def ping(self) -> None:
        """Make one empty commit. Errors: StorageError."""
        ...

    async def close(self) -> None:
        """Finish what is queued and close."""
        ...
