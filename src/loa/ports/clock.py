"""Time, as the stages see it."""

from typing import Protocol


class Clock(Protocol):
    """Wall time for what is stored and monotonic time for what is measured. Units: milliseconds / seconds."""

    def now(self) -> int:
        """Give milliseconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Give seconds on a clock that never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a fake clock decides when this returns."""
        ...
