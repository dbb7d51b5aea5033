"""Figures: counts what came in and what became of it, a little behind it and a bounded number at a time."""

from typing import Final, Protocol

from loa.domain.figures import HOUSE, MINUTE_MS, Count, Kind, floor_ms
from loa.domain.traffic import TrafficClass
from loa.ports.clock import Clock
from loa.ports.ledger import Search
from loa.ports.watching import Figures
from loa.stages.loop import keep_running

TICK_S: Final = 1.0
PAUSE_S: Final = 0.05
"""Between two chunks while counting is behind, so that it never takes the ledger for itself."""
CHUNK: Final = 2_000
AGES_EVERY: Final = 5
CLASSES: Final = {each.label: each for each in TrafficClass}


class CountingLedger(Figures, Search, Protocol):
    """The roles that counting works on."""


class Counting:
    """Counts for the whole ledger; several may run at once."""

    def __init__(self, ledger: CountingLedger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ticks = 0

    async def run(self) -> None:
        """Count until cancelled."""
        await keep_running("figures", self._turn, self._clock)

    async def _turn(self) -> None:
        more = await self._ledger.count_figures(CHUNK)
        if more:
            await self._clock.sleep(PAUSE_S)
            return
        if self._ticks % AGES_EVERY == 0:
            await self.note_ages()
        self._ticks += 1
        await self._clock.sleep(TICK_S)

    async def note_ages(self) -> None:
        """Keep how long the lanes make messages wait now."""
        now = self._clock.now()
        at = floor_ms(now, MINUTE_MS)
        ages = [
            Count(
                HOUSE, at, Kind.QUEUE_AGE, CLASSES[row["class"]], row["channel_id"], 0, "", now - row["oldest_due_at"]
            )
            for row in await self._ledger.depths()
            if row["oldest_due_at"] and row["oldest_due_at"] < now
        ]
        if ages:
            await self._ledger.note_queue_ages(ages)
