"""Upkeep: what time brings about. Stale claims, waits and lifetimes that end, receipts to match, old rows."""

from collections.abc import Callable, Mapping
from typing import Protocol

from loa.observe import metrics
from loa.observe.log import get_logger
from loa.ports.clock import Clock
from loa.ports.ledger import Claims, Receipts, Search
from loa.ports.ledger import Upkeep as UpkeepRole
from loa.ports.records import UnknownPolicy
from loa.stages.loop import keep_running

TICK_S = 1.0
ROWS_PER_TICK = 2_000
REMATCHED_PER_TICK = 500
PURGE_EVERY = 60

log = get_logger("loa.stages.upkeep")


class UpkeepLedger(UpkeepRole, Claims, Receipts, Search, Protocol):
    """The roles upkeep works on."""


class Upkeep:
    """One for the whole process. `keep_ms` names how long each kind of row is kept, in milliseconds."""

    def __init__(
        self,
        ledger: UpkeepLedger,
        *,
        clock: Clock,
        policy: UnknownPolicy,
        keep_ms: Mapping[str, int],
        channel_names: Callable[[int], str],
        requeued: Callable[[], None],
        told: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._policy = policy
        self._keep_ms = keep_ms
        self._channel_names = channel_names
        self._requeued = requeued
        self._told = told
        self._ticks = 0
        self._lanes: set[str] = set()

    async def recover(self) -> int:
        """Settle what a former run left open, before anything is dispatched. Gives how many became unknown."""
        total = 0
        while count := await self._ledger.settle_stale(self._clock.now(), self._policy, former=True):
            total += count
        await self._ledger.rematch(ROWS_PER_TICK, self._clock.now())
        if total:
            log.warning("attempts of a former run have no known outcome", unknown=total)
        return total

    async def run(self) -> None:
        """Tick until cancelled."""
        await keep_running("upkeep", self._turn, self._clock)

    async def _turn(self) -> None:
        await self.tick()
        await self._clock.sleep(TICK_S)

    async def tick(self) -> None:
        """Do one round."""
        self._ticks += 1
        now = self._clock.now()
        stale = await self._ledger.settle_stale(now, self._policy)
        # Evidence that is already here comes before the end of the wait for it.
        matched = (await self._ledger.rematch(REMATCHED_PER_TICK, now)).applied
        resent, ended = await self._ledger.settle_unknown(ROWS_PER_TICK, now)
        expired = await self._ledger.expire(ROWS_PER_TICK, now)
        if self._ticks % PURGE_EVERY == 0:
            await self._purge(now)
        if resent:
            self._requeued()
        if ended or expired or matched:
            self._told()
        if stale or resent or ended:
            log.info("unknown outcomes moved on", unknown=stale, resent=resent, settled=ended)
        await self._measure(now)

    async def _purge(self, now: int) -> None:
        deleted = await self._ledger.purge(ROWS_PER_TICK, now, self._keep_ms)
        if deleted:
            log.info("rows past their time were deleted", deleted=deleted)

    async def _measure(self, now: int) -> None:
        seen: set[str] = set()
        for row in await self._ledger.depths():
            lane = f"{self._channel_names(row['channel_id'])}/{row['class']}"
            seen.add(lane)
            metrics.queue_depth.labels(lane).set(row["count"])
            oldest = row["oldest_due_at"]
            metrics.oldest_queued_seconds.labels(lane).set(max(0, now - oldest) / 1000 if oldest else 0)
        for lane in self._lanes - seen:
            metrics.queue_depth.labels(lane).set(0)
            metrics.oldest_queued_seconds.labels(lane).set(0)
        self._lanes |= seen
        orphans = await self._ledger.orphans()
        metrics.receipts_orphan.set(sum(row["count"] for row in orphans))
