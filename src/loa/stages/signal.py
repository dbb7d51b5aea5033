"""Waiting for "there may be work", with an upper bound: a hint makes it quick, the bound makes it safe."""

import asyncio


class Signal:
    """Set from anywhere on the loop; one stage waits on it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Say that there may be work."""
        self._event.set()

    async def wait(self, timeout_s: float) -> None:
        """Return when set, or after the bound; clears what was set."""
        if not self._event.is_set():
            try:
                async with asyncio.timeout(timeout_s):
                    await self._event.wait()
            except TimeoutError:
                pass
        self._event.clear()
