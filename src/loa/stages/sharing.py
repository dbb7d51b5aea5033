"""Sharing: says how this process uses each channel, and learns how many of its slots it may work with.

What another process gives up comes here within a tick, and the other way round. While the ledger is away the last share
stands: links stay up, and nothing is handed over that could not be claimed.
"""

import asyncio
from collections.abc import Callable, Mapping

from loa.ports.clock import Clock
from loa.ports.ledger import Members
from loa.ports.records import SlotUse
from loa.stages.loop import keep_running

TICK_S = 1.0

Uses = Mapping[int, SlotUse]
Shares = Mapping[int, int]


class Sharing:
    """One for the whole process. `uses` tells how channels are used now; `take` is told what was asked and answered."""

    def __init__(
        self, ledger: Members, clock: Clock, *, uses: Callable[[], Uses], take: Callable[[Uses, Shares], None]
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._uses = uses
        self._take = take
        self._turns = asyncio.Lock()
        self._asked = asyncio.Event()
        self._stopping = False

    def ask(self) -> None:
        """Ask soon: a channel is new or was changed."""
        self._asked.set()

    async def run(self) -> None:
        """Tick until cancelled."""
        await keep_running("sharing", self._turn, self._clock)

    async def _turn(self) -> None:
        waits = [asyncio.ensure_future(self._clock.sleep(TICK_S)), asyncio.ensure_future(self._asked.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._asked.clear()
        await self.tick()

    async def tick(self) -> None:
        """Ask once, now. Errors: StorageError; then the last share stands."""
        async with self._turns:
            if self._stopping:
                return
            uses = self._uses()
            self._take(uses, await self._ledger.share(uses))

    def stop(self) -> None:
        """Ask no more: what this process gives up is taken from it when it leaves the ledger."""
        self._stopping = True
