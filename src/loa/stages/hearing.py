"""Hearing: events that providers post. Believed by their signature, on disk before they are answered.

Nothing gathers here: receipts share the commits of the receipt stage, inbound events those of the ledger.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from loa.domain.receipt import Receipt
from loa.errors import StorageError, StorageUnavailable
from loa.observe import metrics
from loa.ports.channel import Heard, Hears, ReceiptSink, Unheard
from loa.ports.clock import Clock
from loa.ports.ledger import Inbound
from loa.ports.records import ChannelRecord, NewInbound
from loa.stages.owners import Owners
from loa.stages.registry import Registry

STORE_WAIT_S: Final = 20.0
TAKEN, UNAVAILABLE = "taken", "unavailable"


class Hearing:
    """One for the whole process.

    `told`: called when callbacks may be owed; `changed`: has the provider's side of a channel looked at again.
    """

    def __init__(
        self,
        providers: Mapping[str, Hears],
        registry: Registry,
        ledger: Inbound,
        clock: Clock,
        *,
        receipts: ReceiptSink,
        told: Callable[[], None],
        changed: Callable[[int], Awaitable[None]],
    ) -> None:
        self._providers = providers
        self._registry = registry
        self._ledger = ledger
        self._clock = clock
        self._receipts = receipts
        self._told = told
        self._changed = changed
        self._owners = Owners()
        self._revision: int | None = None
        self._channels: dict[str, list[ChannelRecord]] = {}

    def knows(self, provider: str) -> bool:
        """Tell whether a provider posts events."""
        return provider in self._providers

    async def take(self, provider: str, headers: Mapping[str, str], body: bytes) -> Unheard | None:
        """Store what an event says, and give None; or why it was not believed. Errors: StorageError.

        Shapes: header names in lower case; the body as it came.
        """
        heard = self._providers[provider].hear(self._channels_of(provider), headers, body, self._clock.now())
        if isinstance(heard, Unheard):
            metrics.heard_total.labels(provider, heard.reason).inc()
            return heard
        try:
            await self._store(heard)
        except StorageError:
            metrics.heard_total.labels(provider, UNAVAILABLE).inc()
            raise
        metrics.heard_total.labels(provider, TAKEN).inc()
        return None

    def _channels_of(self, provider: str) -> Sequence[ChannelRecord]:
        snapshot = self._registry.snapshot
        if snapshot.revision != self._revision:
            self._revision, self._channels = snapshot.revision, {}
            for channel in snapshot.channels.values():
                self._channels.setdefault(channel.provider, []).append(channel)
        return self._channels.get(provider, ())

    async def _store(self, heard: Heard) -> None:
        if heard.receipts:
            await self._store_receipts(heard.receipts)
        if heard.inbound:
            await self._store_inbound(heard)
        if heard.changed:
            await self._changed(heard.channel_id)

    async def _store_receipts(self, receipts: Sequence[Receipt]) -> None:
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        left = len(receipts)

        def done(on_disk: bool) -> None:
            nonlocal left
            left -= 1
            if not stored.done() and (left == 0 or not on_disk):
                stored.set_result(on_disk)

        for receipt in receipts:
            self._receipts(receipt, done)
        try:
            async with asyncio.timeout(STORE_WAIT_S):
                on_disk = await stored
        except TimeoutError as late:
            raise StorageUnavailable("receipts were not stored in time") from late
        if not on_disk:
            raise StorageUnavailable("receipts could not be stored")

    async def _store_inbound(self, heard: Heard) -> None:
        owner = self._owners.of(self._registry.snapshot, heard.channel_id)
        events: list[NewInbound] = [replace(each, tenant_id=owner) for each in heard.inbound]
        new = await self._ledger.take_inbound(events)
        metrics.inbound_total.inc(new)
        metrics.inbound_repeat_total.inc(len(events) - new)
        if owner is None:
            metrics.inbound_unowned_total.inc(new)
        elif new:
            self._told()
