"""What is wrong with this installation, looked at every few seconds at most, however many pages are asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from loa.console.troubles import Trouble
from loa.errors import CannotOpen, StorageError
from loa.ports.channel import ChannelStatus
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.records import ChannelRecord, Endpoint

EVERY_S: Final = 5.0
PATIENCE_S: Final = 2.0
SLOW_S: Final = 0.5
SHOWN: Final = 3
"""How many channels or endpoints are named one by one."""


class Watch:
    """Answers with the last look; where that is old, the next one begins, and nobody waits for it but the first."""

    def __init__(self, look: Callable[[], Awaitable[Sequence[Trouble]]], clock: Clock) -> None:
        self._look = look
        self._clock = clock
        self._found: Sequence[Trouble] | None = None
        self._looked_at = 0.0
        self._looking: asyncio.Task[None] | None = None

    async def troubles(self) -> Sequence[Trouble]:
        """Give what is wrong."""
        now = self._clock.monotonic()
        if self._looking is None and (self._found is None or now - self._looked_at >= EVERY_S):
            self._looked_at = now
            self._looking = asyncio.create_task(self._look_once())
        if self._found is None and self._looking is not None:
            await asyncio.wait((self._looking,))
        return self._found or ()

    async def _look_once(self) -> None:
        try:
            self._found = await self._look()
        finally:
            self._looking = None


class Look:
    """Looks once. `disk_low`: below how many free octets the disk is said to be low."""

    def __init__(
        self, ledger: Ledger, clock: Clock, channel_states: Callable[[], Mapping[int, ChannelStatus]], disk_low: int
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._channel_states = channel_states
        self._disk_low = disk_low

    async def __call__(self) -> Sequence[Trouble]:
        """Give what is wrong now, the worst first."""
        begun = self._clock.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_S):
                found = await self._read()
        except CannotOpen:
            return [Trouble("key_missing", "bad", path="/console/system")]
        except (StorageError, TimeoutError):
            return [Trouble("ledger_failing", "bad", path="/console/system")]
        if self._clock.monotonic() - begun > SLOW_S:
            found.append(Trouble("ledger_slow", "warn", path="/console/system"))
        return sorted(found, key=lambda each: each.tone)

    async def _read(self) -> list[Trouble]:
        found = [*self._of_disk()]
        if not self._ledger.writable():
            found.append(Trouble("ledger_failing", "bad", path="/console/system"))
        if await self._ledger.backup_at() is not None:
            found.append(Trouble("restored", "bad", path="/console/system"))
        found += _of_channels(await self._ledger.channels(), self._channel_states())
        return found + _of_endpoints(await self._ledger.endpoints())

    def _of_disk(self) -> list[Trouble]:
        free = self._ledger.disk_free()
        if free is None or free >= self._disk_low:
            return []
        return [Trouble("disk_low", "warn", f"{free // 2**20:,} MiB", "/console/system")]


def _of_channels(records: Sequence[ChannelRecord], states: Mapping[int, ChannelStatus]) -> list[Trouble]:
    down = [each.name for each in records if not each.paused and each.id in states and not states[each.id].ready]
    return _named("channel_down", "bad", sorted(down), "/console/channels")


def _of_endpoints(endpoints: Sequence[Endpoint]) -> list[Trouble]:
    off = [each.url for each in endpoints if each.disabled_at is not None]
    return _named("endpoint_off", "warn", off, "/console/callbacks")


def _named(kind: str, tone: str, names: Sequence[str], path: str) -> list[Trouble]:
    if len(names) > SHOWN:
        return [Trouble(f"{kind}.many", tone, str(len(names)), path)]
    return [Trouble(kind, tone, name, path) for name in names]
