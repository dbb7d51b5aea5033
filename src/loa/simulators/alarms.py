"""Calls that are due later: one heap and one sleeping task, however many there are."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

from loa.ports.clock import Clock


class Alarms:
    """Run functions when their time has come, in order of time and then of setting; on the event loop's thread."""

    __slots__ = ("_calling", "_clock", "_heap", "_order", "_sleeper")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._calling = False
        self._sleeper: asyncio.Task[None] | None = None

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Run `call` once that many seconds have passed; at once when there is nothing to wait for."""
        if seconds <= 0:
            call()
            return
        entry = (self._clock.monotonic() + seconds, next(self._order), call)
        heapq.heappush(self._heap, entry)
        if self._heap[0] is entry and not self._calling:
            self._restart()

    def clear(self) -> None:
        """Forget everything that is still to come."""
        self._heap.clear()
        if self._sleeper is not None:
            self._sleeper.cancel()
            self._sleeper = None

    def _restart(self) -> None:
        if self._sleeper is not None:
            self._sleeper.cancel()
        self._sleeper = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while self._heap:
            wait = self._heap[0][0] - self._clock.monotonic()
            if wait > 0:
                await self._clock.sleep(wait)
                continue
            call = heapq.heappop(self._heap)[2]
            self._calling = True
            try:
                call()
            finally:
                self._calling = False
        self._sleeper = None
