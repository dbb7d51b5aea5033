"""How much of a quota is left, and who may have it: forecast from what was sent, so that the wall is not run into.

What is left is what Zalo says, less what is under way; so several processes, and other programs, may draw on one quota.
The lower a class, the earlier it gives way to what the classes above it will still need; one-time codes never give way
to a forecast. Pure; the time is handed in. Units: milliseconds since the epoch.
"""

from collections.abc import Callable
from typing import Final

from loa.channels.zalo import opening
from loa.domain.traffic import TrafficClass

UNKNOWN: Final = -1
SHORTEST_MS: Final = 3_600_000
"""What was sent in less time than this is taken for what is sent in this time: the first minute is no forecast."""

SHARE_FROM: Final = 20
"""From so many messages on it is believed how many others draw on the same quota."""

SHARE_MAX: Final = 16.0
FLOOR_PART: Final = 10
"""The reserve that is set for one-time codes is at most this part of the daily quota."""


def expected(count: int, since: int, now: int, until: int) -> int:
    """Give how many more there will be until then, when it goes on as it did since then."""
    elapsed = max(now - since, SHORTEST_MS)
    return count * max(0, until - now) // elapsed


def reserve(traffic_class: TrafficClass, counts: list[int], since: int, now: int, until: int, share: float) -> int:
    """Give how much the classes above one will still need until then, all who draw on the quota together."""
    above = counts[: int(traffic_class)]
    return int(sum(expected(count, since, now, until) for count in above) * share)


class Purse:
    """One quota. `ends` gives when its period ends."""

    __slots__ = ("_counts", "_ends", "_first", "_own", "_since", "closed_until", "daily", "left", "until")

    def __init__(self, ends: Callable[[int], int] = opening.next_day) -> None:
        self._ends = ends
        self._counts = [0] * len(TrafficClass)
        self._since = self._own = 0
        self._first = UNKNOWN
        self.until = 0
        self.daily = self.left = UNKNOWN
        self.closed_until = 0

    def heard(self, left: int | None, daily: int | None, under_way: int, now: int) -> None:
        """Take what Zalo says is left, of which `under_way` messages do not know yet."""
        self._turn(now)
        if daily is not None:
            self.daily = daily
        if left is None:
            return
        if left > 0:
            self.closed_until = 0
        self.left = max(0, left - under_way)
        if self._first == UNKNOWN:
            self._first, self._own = self.left, 0

    def spend(self, traffic_class: TrafficClass, now: int) -> None:
        """Note that a message goes."""
        self._turn(now)
        self._counts[traffic_class] += 1
        self._own += 1
        if self.left > 0:
            self.left -= 1

    def close(self, until: int) -> None:
        """Note that Zalo refuses more until then."""
        self.closed_until = until

    def waits_until(self, traffic_class: TrafficClass, floor: int, now: int) -> int:
        """Give until when a message of this class leaves the quota to others, 0 when it may have of it.

        `floor`: what is kept for one-time codes whatever was sent so far.
        """
        if now < self.closed_until:
            return self.closed_until
        self._turn(now)
        if self.left == UNKNOWN or traffic_class is TrafficClass.OTP:
            return 0
        kept = reserve(traffic_class, self._counts, self._since, now, self.until, self._share())
        kept += floor if self.daily == UNKNOWN else min(floor, self.daily // FLOOR_PART)
        return self.until if self.left <= kept else 0

    def _turn(self, now: int) -> None:
        """Begin a new period when the old one is over; after it nobody knows what is left but the daily quota."""
        if self.until - now > 0 and now >= self._since:
            return
        self.left = self.daily if self.until else self.left
        self._counts = [0] * len(TrafficClass)
        self._since, self._own, self._first = now, 0, self.left
        self.until = self._ends(now)

    def _share(self) -> float:
        """Tell how many times as much is drawn as we draw ourselves."""
        gone = self._first - self.left
        if self._first == UNKNOWN or self._own < SHARE_FROM or gone <= self._own:
            return 1.0
        return min(SHARE_MAX, gone / self._own)
