"""A clock that stands still until a test moves it."""

import asyncio


class HandClock:
    def __init__(self, now=1_764_000_000_000):
        self._now, self._seconds = now, 1000.0
        self._sleepers = []
        self._asleep = asyncio.Event()

    def now(self):
        return self._now

    def monotonic(self):
        return self._seconds

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        entry = (self._seconds + seconds, woken)
        self._sleepers.append(entry)
        self._asleep.set()
        try:
            await woken
        finally:
            self._sleepers.remove(entry)

    async def someone_sleeps(self):
        """Wait until something waits for this clock."""
        self._asleep.clear()
        if not self._sleepers:
            await self._asleep.wait()

    def advance(self, seconds):
        self._seconds += seconds
        self._now += round(seconds * 1000)
        for due, woken in self._sleepers:
            if due <= self._seconds and not woken.done():
                woken.set_result(None)
