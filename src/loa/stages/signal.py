"""Waiting for "there may be work", with an upper bound: a hint makes it quick, the bound makes it safe."""

import asyncio


class Signal:
    """Set from anywhere on the loop; one stage waits on it.

    A stage waits thousands of times a second and seldom until the bound, so the timer of one wait serves the next ones:
    a timer of its own for each took a tenth of the loop.
    """

    __slots__ = ("_is_set", "_timer", "_until", "_waiter")

    def __init__(self) -> None:
        self._is_set = False
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        """Say that there may be work."""
        self._is_set = True
        self._wake()

    async def wait(self, timeout_s: float) -> None:
        """Return when set, or after the bound; clears what was set."""
        if not self._is_set:
            loop = asyncio.get_running_loop()
            self._until = loop.time() + timeout_s
            if self._timer is None or self._timer.when() > self._until:
                self._arm(loop)
            self._waiter = loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._is_set = False

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(self._until, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if loop.time() < self._until:
            self._arm(loop)
        else:
            self._wake()
