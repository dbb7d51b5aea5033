"""The machine's own clock, for everything that runs for real."""

import asyncio
import time


class SystemClock:
    """Wall and monotonic time of this machine. Units: milliseconds / seconds."""

    def now(self) -> int:
        """Give milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Give seconds on a clock that never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
