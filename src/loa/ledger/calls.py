"""What a caller asks of a ledger, as calls by kind: the roles that write, the same for both engines.

An engine says how a call is done (`_call`) and who changes the directory (`_directory`); what differs it overrides.
"""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Final

from loa.domain.figures import Count
from loa.domain.latency import Wait
from loa.domain.receipt import Receipt
from loa.domain.routes import RouteStep
from loa.domain.ruling import Effect
from loa.domain.template import Template
from loa.domain.traffic import TrafficClass
from loa.errors import LoaError
from loa.ledger.batch_calls import BatchCalls
from loa.ledger.granting import (
    GRANT_COLUMNS,
    consent_values,
    digest_of,
    read_consent,
    read_grant,
    seal_tokens,
)
from loa.ledger.reckoning import Reckoning
from loa.ports.channel import Question
from loa.ports.grants import Consent, Renewal, Tokens
from loa.ports.records import (
    ApiKey,
    CallbackTry,
    ChannelRecord,
    Decision,
    DueCallback,
    Endpoint,
    NewInbound,
    ReceiptCounts,
    RouteRecord,
    Sender,
    Settlement,
    Tenant,
    UnknownPolicy,
)
from loa.ports.sealing import Resealed
from loa.seal.sealer import Sealer

FAULTS: Final = (
    LoaError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    AssertionError,
    MemoryError,
)
"""What the work of a call may raise beside the errors of a driver.

A call at fault must not end whoever does the work, for then every later call would wait for ever.
"""


class Calls(BatchCalls):
    """The writing half of a ledger."""

    _directory: ClassVar[Any]
    """The engine's module that makes changes of the directory."""
    _templates: ClassVar[Any]
    """The engine's module that keeps templates."""
    _grants: ClassVar[Any]
    """The engine's module that keeps grants."""
    _sealing: ClassVar[Any]
    """The engine's module that keeps master keys."""
    _sealer: Sealer
    """Seals what must not lie open in the ledger."""

    @abstractmethod
    async def _call(self, kind: str, payload: Any) -> Any:
        """Have the work of one call done and committed. Errors: StorageError."""

    async def _change(self, change: Any) -> Any:
        return await self._call("change", change)

    async def ping(self) -> None:
        """Make one small commit. Errors: StorageError."""
        await self._call("ping", None)

    async def cancel(self, tenant_id: int, referent_id: str, now: int) -> int | None:
        """See ports.ledger.Submissions."""
        return await self._call("cancel", (tenant_id, referent_id, now))  # type: ignore[no-any-return]

    async def cancel_message(self, tenant_id: int, message_id: int, now: int) -> bool | None:
        """See ports.ledger.Submissions."""
        return await self._call("cancel_message", (tenant_id, message_id, now))  # type: ignore[no-any-return]

    async def record(self, settlements: Sequence[Settlement]) -> int:
        """See ports.ledger.Claims."""
        return await self._call("record", settlements)  # type: ignore[no-any-return]

    async def next_due(self, channel_id: int, now: int) -> int | None:
        """See ports.ledger.Claims."""
        return await self._call("next_due", (channel_id, now))  # type: ignore[no-any-return]

    async def settle_stale(self, now: int, policy: UnknownPolicy, *, former: bool = False) -> int:
        """See ports.ledger.Claims."""
        return await self._call("settle_stale", (now, policy, former))  # type: ignore[no-any-return]

    async def store(self, receipts: Sequence[Receipt]) -> ReceiptCounts:
        """See ports.ledger.Receipts."""
        return await self._call("receipts", receipts)  # type: ignore[no-any-return]

    async def rematch(self, limit: int, now: int) -> ReceiptCounts:
        """See ports.ledger.Receipts."""
        return await self._call("rematch", (limit, now))  # type: ignore[no-any-return]

    async def rule(self, tenant_id: int, message_ids: Sequence[int], decision: Decision) -> Mapping[int, Effect]:
        """See ports.watching.Rulings."""
        return await self._call("rule", (tenant_id, message_ids, decision))  # type: ignore[no-any-return]

    async def claim_due(
        self, limit: int, per_endpoint: int, now: int, until: int, skip: Sequence[int]
    ) -> list[DueCallback]:
        """See ports.ledger.Callbacks."""
        call = (limit, per_endpoint, now, until, skip)
        return await self._call("claim_callbacks", call)  # type: ignore[no-any-return]

    async def record_tries(self, tries: Sequence[CallbackTry]) -> None:
        """See ports.ledger.Callbacks."""
        await self._call("record_tries", tries)

    async def next_callback_due(self) -> int | None:
        """See ports.ledger.Callbacks."""
        return await self._call("next_callback_due", None)  # type: ignore[no-any-return]

    async def set_endpoint_health(
        self, endpoint_id: int, failing_since: int | None, disabled_at: int | None, reason: str
    ) -> None:
        """See ports.ledger.Callbacks."""
        await self._call("endpoint_health", (endpoint_id, failing_since, disabled_at, reason))

    async def replay(
        self, tenant_id: int, callback_ids: Sequence[int], endpoint_id: int | None, since: int, now: int
    ) -> int:
        """See ports.ledger.Callbacks."""
        call = (tenant_id, callback_ids, endpoint_id, since, now)
        return await self._call("replay", call)  # type: ignore[no-any-return]

    async def take_inbound(self, events: Sequence[NewInbound]) -> int:
        """See ports.ledger.Inbound."""
        return await self._call("inbound", events)  # type: ignore[no-any-return]

    async def expire(self, limit: int, now: int) -> int:
        """See ports.ledger.Upkeep."""
        return await self._call("expire", (limit, now))  # type: ignore[no-any-return]

    async def settle_unknown(self, limit: int, now: int) -> tuple[int, int]:
        """See ports.ledger.Upkeep."""
        return await self._call("settle_unknown", (limit, now))  # type: ignore[no-any-return]

    @abstractmethod
    async def _reckon(self, limit: int) -> Reckoning:
        """Count what follows where counting stands. Errors: StorageError."""

    async def count_figures(self, limit: int) -> bool:
        """See ports.watching.Figures."""
        reckoning = await self._reckon(limit)
        if reckoning.due:
            await self._call("figures", reckoning)
        return reckoning.more

    async def note_queue_ages(self, ages: Sequence[Count]) -> None:
        """See ports.watching.Figures."""
        await self._call("queue_ages", ages)

    async def go_on(self, questions: Sequence[Question], now: int) -> int:
        """See ports.ledger.Silence."""
        return await self._call("go_on", (questions, now))  # type: ignore[no-any-return]

    async def learn(self, waits: Mapping[Wait, int]) -> None:
        """See ports.ledger.Silence."""
        await self._call("learn", waits)

    async def hold(self, limit: int, now: int) -> Mapping[TrafficClass, int]:
        """See ports.ledger.Restoring."""
        return await self._call("hold", (limit, now))  # type: ignore[no-any-return]

    async def add_tenant(self, name: str, now: int) -> Tenant:
        """See ports.ledger.Directory."""
        return await self._change(self._directory.add_tenant(name, now))  # type: ignore[no-any-return]

    async def set_policies(self, tenant_id: int, policies: Mapping[str, Mapping[str, Any]]) -> None:
        """See ports.ledger.Directory."""
        await self._change(self._directory.set_policies(tenant_id, policies))

    async def add_key(self, key: ApiKey) -> ApiKey:
        """See ports.ledger.Directory."""
        return await self._change(self._directory.add_key(key))  # type: ignore[no-any-return]

    async def revoke_key(self, key_id: int, now: int) -> bool:
        """See ports.ledger.Directory."""
        return await self._change(self._directory.revoke_key(key_id, now))  # type: ignore[no-any-return]

    async def touch_keys(self, used: Mapping[int, int]) -> None:
        """See ports.ledger.Directory."""
        await self._call("touch_keys", used)

    async def add_sender(self, tenant_id: int, name: str, kind: str) -> Sender:
        """See ports.ledger.Directory."""
        return await self._change(self._directory.add_sender(tenant_id, name, kind))  # type: ignore[no-any-return]

    async def add_channel(self, name: str, provider: str, settings: Mapping[str, Any]) -> ChannelRecord:
        """See ports.ledger.Directory."""
        return await self._change(self._directory.add_channel(self._sealer, name, provider, settings))  # type: ignore[no-any-return]

    async def change_channel(
        self, name: str, *, settings: Mapping[str, Any] | None = None, paused: bool | None = None
    ) -> ChannelRecord | None:
        """See ports.ledger.Directory."""
        return await self._change(self._directory.change_channel(self._sealer, name, settings, paused))  # type: ignore[no-any-return]

    async def add_route(
        self,
        tenant_id: int,
        steps: Sequence[RouteStep | int],
        *,
        sender: str = "",
        traffic_class: TrafficClass | None = None,
        carrier: str = "",
        position: int | None = None,
    ) -> RouteRecord:
        """See ports.ledger.Directory."""
        whole = tuple(RouteStep(step) if isinstance(step, int) else step for step in steps)
        record = RouteRecord(0, tenant_id, 0, whole, sender, traffic_class, carrier)
        return await self._change(self._directory.add_route(record, position))  # type: ignore[no-any-return]

    async def move_route(self, route_id: int, place: int) -> bool:
        """See ports.ledger.Directory."""
        return await self._change(self._directory.move_route(route_id, place))  # type: ignore[no-any-return]

    async def remove_route(self, route_id: int) -> bool:
        """See ports.ledger.Directory."""
        return await self._change(self._directory.remove_route(route_id))  # type: ignore[no-any-return]

    async def add_endpoint(
        self, tenant_id: int, url: str, secret: str, *, every_step: bool = False, inbound: bool = False
    ) -> Endpoint:
        """See ports.ledger.Directory."""
        change = self._directory.add_endpoint(self._sealer, tenant_id, url, secret, every_step, inbound)
        return await self._change(change)  # type: ignore[no-any-return]

    async def change_endpoint(
        self,
        endpoint_id: int,
        *,
        every_step: bool | None = None,
        inbound: bool | None = None,
        secrets: Sequence[str] | None = None,
    ) -> Endpoint | None:
        """See ports.ledger.Directory."""
        change = self._directory.change_endpoint(self._sealer, endpoint_id, every_step, inbound, secrets)
        return await self._change(change)  # type: ignore[no-any-return]

    async def set_default_endpoint(self, key_id: int, endpoint_id: int | None) -> None:
        """See ports.ledger.Directory."""
        await self._change(self._directory.set_default_endpoint(key_id, endpoint_id))

    async def put_templates(self, channel_id: int, templates: Sequence[Template], now: int) -> int:
        """See ports.ledger.Templates."""
        return await self._call("put_templates", (channel_id, templates, now))  # type: ignore[no-any-return]

    async def set_template_text(self, channel_id: int, template_id: str, text: str) -> bool:
        """See ports.ledger.Templates."""
        return await self._change(self._templates.set_text(channel_id, template_id, text))  # type: ignore[no-any-return]

    async def ask_template_look(self, channel_id: int, now: int) -> None:
        """See ports.ledger.Templates."""
        await self._call("template_look", self._templates.ask_look(channel_id, now))

    async def begin_template_look(self, channel_id: int, now: int, until: int) -> bool:
        """See ports.ledger.Templates."""
        return await self._call("template_look", self._templates.begin_look(channel_id, now, until))  # type: ignore[no-any-return]

    async def end_template_look(self, channel_id: int, now: int, problem: str) -> None:
        """See ports.ledger.Templates."""
        await self._call("template_look", self._templates.end_look(channel_id, now, problem))

    async def begin_renewal(self, channel_id: int, now: int, until: int) -> Renewal | None:
        """See ports.grants.Grants."""
        row = await self._call("grants", self._grants.begin_renewal(channel_id, now, until))
        if row is None:
            return None
        return Renewal(read_grant(self._sealer, row[:GRANT_COLUMNS]), row[GRANT_COLUMNS], until)

    async def mark_spent(self, renewal: Renewal, now: int) -> bool:
        """See ports.grants.Grants."""
        return await self._call("grants", self._grants.mark_spent(*_fenced(renewal), now))  # type: ignore[no-any-return]

    async def mark_unspent(self, renewal: Renewal) -> bool:
        """See ports.grants.Grants."""
        return await self._call("grants", self._grants.mark_unspent(*_fenced(renewal)))  # type: ignore[no-any-return]

    async def keep(self, channel_id: int, tokens: Tokens, now: int, renewal: Renewal | None = None) -> bool:
        """See ports.grants.Grants."""
        values = seal_tokens(self._sealer, channel_id, tokens)
        if renewal is None:
            return await self._call("grants", self._grants.keep_consented(channel_id, values, now))  # type: ignore[no-any-return]
        change = self._grants.keep_renewed(channel_id, renewal.grant.version, values, now)
        return await self._call("grants", change)  # type: ignore[no-any-return]

    async def need_consent(self, channel_id: int, reason: str, renewal: Renewal | None = None) -> bool:
        """See ports.grants.Grants."""
        _, fence, version = _fenced(renewal) if renewal is not None else (channel_id, None, None)
        return await self._call("grants", self._grants.need_consent(channel_id, fence, version, reason))  # type: ignore[no-any-return]

    async def end_renewal(self, renewal: Renewal) -> None:
        """See ports.grants.Grants."""
        await self._call("grants", self._grants.end_renewal(renewal.grant.channel_id, renewal.fence))

    async def ask_consent(self, consent: Consent) -> None:
        """See ports.grants.Grants."""
        await self._call("grants", self._grants.ask_consent(consent_values(self._sealer, consent)))

    async def take_consent(self, state: str, now: int) -> Consent | None:
        """See ports.grants.Grants."""
        row = await self._call("grants", self._grants.take_consent(digest_of(state)))
        if row is None:
            return None
        consent = read_consent(self._sealer, state, row)
        return consent if consent.expires_at > now else None

    async def use_master_key(self, key_id: str, now: int) -> None:
        """See ports.sealing.Sealing."""
        await self._call("sealing", self._sealing.use(key_id, now))
        # Not before it is on disk: what is sealed meanwhile is under the old one, and comes under the new one later.
        self._sealer.use(key_id)

    async def reseal(self, place: str, skip: int, limit: int) -> Resealed:
        """See ports.sealing.Sealing."""
        return await self._call("sealing", self._sealing.reseal(place, skip, limit))  # type: ignore[no-any-return]

    async def end_reseal(self) -> None:
        """See ports.sealing.Sealing."""
        await self._call("sealing", self._sealing.end_reseal)

    async def abandon(self, key_ids: Collection[str]) -> Mapping[str, list[str]]:
        """See ports.sealing.Sealing."""
        return await self._call("sealing", self._sealing.abandon(key_ids))  # type: ignore[no-any-return]


def _fenced(renewal: Renewal) -> tuple[int, int, int]:
    return renewal.grant.channel_id, renewal.fence, renewal.grant.version
