"""The registry: who may call and which ways a message may take, read from the ledger and kept as one snapshot.

Every request looks here and never waits: a snapshot is built whole and swapped in, so a reader sees one state of the
directory. `watch` reads again when the ledger's revision has changed, which makes a revoked key useless within a
second. When a key was last used is collected here and written down now and then.
"""

import asyncio
import ipaddress
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol, TypeVar

from loa.domain import keys
from loa.domain.latency import learned
from loa.domain.routes import Route, RouteStep, choose
from loa.domain.template import Template
from loa.domain.traffic import DEFAULT_POLICIES, ClassPolicy, OnUnknown, TrafficClass
from loa.errors import StorageError
from loa.observe.log import get_logger
from loa.ports.clock import Clock
from loa.ports.ledger import Directory, Silence, Templates
from loa.ports.records import ApiKey, ChannelRecord, Endpoint, RouteRecord, Sender, Tenant
from loa.stages.loop import keep_running

WATCH_INTERVAL_S = 0.5
FLUSH_EVERY = 20
"""Flush the last use of keys once in so many rounds of `watch`."""

Owned = TypeVar("Owned", Sender, RouteRecord, Endpoint)
Policies = Mapping[TrafficClass, ClassPolicy]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TenantView:
    """All that is known of one tenant, ready for look-ups. `routes` are in the order in which they are tried."""

    tenant: Tenant
    policies: Policies
    senders: Mapping[str, Sender]
    routes: tuple[Route, ...]
    endpoints: Mapping[int, Endpoint]
    by_carrier: bool
    """Whether any route asks for the carrier; where none does, numbers need not be told apart."""
    _steps: dict[tuple[str, TrafficClass, str], tuple[RouteStep, ...]] = field(default_factory=dict)

    def steps(self, sender: str, traffic_class: TrafficClass, carrier: str) -> tuple[RouteStep, ...]:
        """Give the ordered steps for such messages, at whatever hour; empty when no route fits.

        Shapes: answers are kept, their number is bounded by senders x classes x carriers.
        """
        known = self._steps.get((sender, traffic_class, carrier))
        if known is None:
            route = choose(self.routes, sender, traffic_class, carrier)
            known = () if route is None else tuple(s for s in route.steps if s.suits(traffic_class, carrier))
            self._steps[sender, traffic_class, carrier] = known
        return known


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller: a key, and its tenant as it stands now."""

    key: ApiKey
    view: TenantView
    networks: tuple[Network, ...] | None
    """Where the key may be used from; None means anywhere."""

    @property
    def tenant_id(self) -> int:
        """The tenant everything this caller does belongs to."""
        return self.key.tenant_id

    def may(self, permission: str) -> bool:
        """Tell whether the key carries a permission."""
        return permission in self.key.permissions


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the directory."""

    revision: int = -1
    principals: Mapping[bytes, Principal] = field(default_factory=dict)
    views: Mapping[int, TenantView] = field(default_factory=dict)
    channels: Mapping[int, ChannelRecord] = field(default_factory=dict)
    channels_by_name: Mapping[str, ChannelRecord] = field(default_factory=dict)
    endpoints: Mapping[int, Endpoint] = field(default_factory=dict)
    takes_imported_keys: bool = False
    templates: Mapping[int, tuple[Template, ...]] = field(default_factory=dict)
    """By channel; quotas in them are those of when the directory last changed."""


class RegistryLedger(Directory, Silence, Templates, Protocol):
    """The roles that are read here."""


class Registry:
    """Answers from the last snapshot; `refresh` makes a new one when the directory has changed."""

    def __init__(self, ledger: RegistryLedger, clock: Clock, defaults: Policies = DEFAULT_POLICIES) -> None:
        self._ledger = ledger
        self._defaults = defaults
        self._clock = clock
        self._used: dict[int, int] = {}
        self._refreshing = asyncio.Lock()
        self._listeners: list[Callable[[Snapshot], None]] = []
        self.snapshot = Snapshot()
        self.usual_waits: Mapping[tuple[int, TrafficClass], int] = {}

    def on_change(self, listener: Callable[[Snapshot], None]) -> None:
        """Have a function called with each new snapshot."""
        self._listeners.append(listener)

    async def refresh(self) -> bool:
        """Read the directory again if it has changed; tell whether it had. Errors: StorageError."""
        async with self._refreshing:
            revision = await self._ledger.revision()
            if revision == self.snapshot.revision:
                return False
            self.snapshot = await self._read(revision)
        for listener in self._listeners:
            listener(self.snapshot)
        return True

    async def _read(self, revision: int) -> Snapshot:
        # The revision is read before the rows: what changes in between is read again next time.
        channels = await self._ledger.channels()
        endpoints = await self._ledger.endpoints()
        senders, routes = _by_tenant(await self._ledger.senders()), _by_tenant(await self._ledger.routes())
        owned = _by_tenant(endpoints)
        views = {
            tenant.id: _view(
                tenant, _policies(tenant, self._defaults), senders[tenant.id], routes[tenant.id], owned[tenant.id]
            )
            for tenant in await self._ledger.tenants()
        }
        held = [key for key in await self._ledger.keys() if key.tenant_id in views]
        return Snapshot(
            revision=revision,
            principals={key.digest: Principal(key, views[key.tenant_id], _networks(key)) for key in held},
            views=views,
            channels={channel.id: channel for channel in channels},
            channels_by_name={channel.name: channel for channel in channels},
            endpoints={endpoint.id: endpoint for endpoint in endpoints},
            takes_imported_keys=any(not keys.looks_ours(key.display) for key in held),
            templates=_by_channel(await self._ledger.templates()),
        )

    async def refresh_waits(self) -> None:
        """Read again how long receipts usually take. Errors: StorageError."""
        self.usual_waits = learned(await self._ledger.usual_waits())

    async def watch(self, interval_s: float = WATCH_INTERVAL_S) -> None:
        """Keep the snapshot fresh until cancelled; while the ledger cannot be read, the last snapshot serves."""
        rounds = count(1)

        async def turn() -> None:
            await self._clock.sleep(interval_s)
            await self.refresh()
            if next(rounds) % FLUSH_EVERY == 0:
                await self.flush_used()
                await self.refresh_waits()

        await keep_running("registry", turn, self._clock)

    def principal(self, digest: bytes) -> Principal | None:
        """Give the caller with this key, None when there is none or the key is revoked or expired."""
        found = self.snapshot.principals.get(digest)
        if found is None or found.key.revoked_at is not None:
            return None
        expires_at = found.key.expires_at
        return None if expires_at is not None and expires_at <= self._clock.now() else found

    def note_used(self, key_id: int) -> None:
        """Note that a key was used now."""
        self._used[key_id] = self._clock.now()

    async def flush_used(self) -> None:
        """Write down when keys were last used. Errors: StorageError, and nothing is forgotten."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self._ledger.touch_keys(used)
        except StorageError:
            self._used = {**used, **self._used}
            raise

    def channel(self, channel_id: int) -> ChannelRecord | None:
        """Give a channel by its id."""
        return self.snapshot.channels.get(channel_id)

    def channel_named(self, name: str) -> ChannelRecord | None:
        """Give a channel by its name."""
        return self.snapshot.channels_by_name.get(name)

    def view(self, tenant_id: int) -> TenantView | None:
        """Give what is known of a tenant."""
        return self.snapshot.views.get(tenant_id)

    def policies(self, tenant_id: int) -> Policies:
        """Give a tenant's class policies; the defaults for an unknown one."""
        view = self.snapshot.views.get(tenant_id)
        return self._defaults if view is None else view.policies


def class_policies(overrides: Mapping[str, Mapping[str, Any]], defaults: Policies = DEFAULT_POLICIES) -> Policies:
    """Lay a tenant's overrides, by class label, over the defaults. Errors: TypeError, ValueError."""
    merged = {}
    for traffic_class, default in defaults.items():
        own = overrides.get(traffic_class.label, {})
        merged[traffic_class] = ClassPolicy(
            lifetime_s=int(own.get("lifetime_s", default.lifetime_s)),
            on_unknown=OnUnknown(own.get("on_unknown", default.on_unknown)),
            evidence_wait_s=int(own.get("evidence_wait_s", default.evidence_wait_s)),
        )
    return merged


def _by_tenant(rows: Iterable[Owned]) -> defaultdict[int, list[Owned]]:
    grouped: defaultdict[int, list[Owned]] = defaultdict(list)
    for row in rows:
        grouped[row.tenant_id].append(row)
    return grouped


def _by_channel(templates: Iterable[Template]) -> Mapping[int, tuple[Template, ...]]:
    grouped: defaultdict[int, list[Template]] = defaultdict(list)
    for template in templates:
        grouped[template.channel_id].append(template)
    return {channel_id: tuple(each) for channel_id, each in grouped.items()}


def _view(
    tenant: Tenant,
    policies: Policies,
    senders: Iterable[Sender],
    routes: Iterable[RouteRecord],
    endpoints: Iterable[Endpoint],
) -> TenantView:
    in_order = [
        Route(route.id, route.position, route.steps, route.sender, route.traffic_class, route.carrier)
        for route in sorted(routes, key=lambda route: (route.position, route.id))
    ]
    return TenantView(
        tenant=tenant,
        policies=policies,
        senders={sender.name: sender for sender in senders},
        routes=tuple(in_order),
        endpoints={endpoint.id: endpoint for endpoint in endpoints},
        by_carrier=any(route.by_carrier for route in in_order),
    )


def _policies(tenant: Tenant, defaults: Policies) -> Policies:
    try:
        return class_policies(tenant.policies, defaults)
    except (TypeError, ValueError):
        _log.warning("a tenant's class policies cannot be read, the defaults hold", tenant_id=tenant.id)
        return defaults


def _networks(key: ApiKey) -> tuple[Network, ...] | None:
    """Read a key's networks; one that cannot be read lets nobody in."""
    if not key.networks:
        return None
    readable = []
    for written in key.networks:
        try:
            readable.append(ipaddress.ip_network(written, strict=False))
        except ValueError:
            _log.warning("a key names a network that cannot be read", key_id=key.id)
    return tuple(readable)
