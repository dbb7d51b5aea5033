"""Standstill: how long a channel has taken nothing, and for whom that is too long.

A channel that is paused, has no link or no token refuses nothing: it leaves its messages waiting, until they are too
late. So those that have another step in their plan do not wait here for ever; how long depends on what they are.
"""

from typing import Final

from loa.domain.traffic import TrafficClass
from loa.ports.clock import Clock

STANDS_STILL: Final = "channel_stands_still"
PASSED_MAX: Final = 500
PATIENCE_S: Final = {TrafficClass.OTP: 2, TrafficClass.TRANSACTIONAL: 15, TrafficClass.ADVERTISING: 120}
"""How long a message waits at such a channel, and the channel stands still, before the message goes on: a code is worth
the price of another channel soon, a campaign late."""
STEADY_S: Final = 2.0
"""A channel that is free for a moment between two pauses is not well again; one that is free for so long is."""


class Standstill:
    """What dispatch of one channel knows of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: float | None = None
        self._free_since: float | None = None

    def see(self, *, still: bool) -> None:
        """Take whether the channel takes nothing now."""
        now = self._clock.monotonic()
        if still:
            self._since = now if self._since is None else self._since
            self._free_since = None
        elif self._since is not None:
            self._free_since = now if self._free_since is None else self._free_since
            if now - self._free_since >= STEADY_S:
                self.over()

    def over(self) -> None:
        """Take that the channel works: something was accepted."""
        self._since = self._free_since = None

    def lanes(self) -> list[tuple[TrafficClass, int]]:
        """Name the classes that wait no longer, and how long each message must have waited. Units: milliseconds."""
        if self._since is None or self._free_since is not None:
            return []
        lasted = self._clock.monotonic() - self._since
        return [(each, patience_s * 1000) for each, patience_s in PATIENCE_S.items() if lasted >= patience_s]
