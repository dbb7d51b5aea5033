"""How fast a channel may submit: a token bucket, and what throttling and congestion make of it.

Additive increase, multiplicative decrease: a throttled answer pauses the channel (1 s, doubling to 30 s) and lowers the
rate; time without one raises it again. Pure; the time is handed in. Units: segments, seconds of a monotonic clock.
"""

import math
from typing import Final

from loa.ports.channel import Rate

PAUSE_FIRST_S: Final = 1.0
PAUSE_LONGEST_S: Final = 30.0
CALM_S: Final = 10.0
"""Time after a pause without throttling after which the next pause is a short one again."""

DECREASE: Final = 0.7
CONGESTED_DECREASE: Final = 0.9
INCREASE_A_SECOND: Final = 0.05
LIFT: Final = 3.0
"""Where there is no configured rate, a lowered one is dropped when it has grown to this many times the cause."""

BURST_S: Final = 0.1
PLENTY: Final = 1 << 30

_CONGESTED: Final = 90
_FULL: Final = 100


class Pace:
    """The shared limiter of a channel's links."""

    __slots__ = (
        "_at",
        "_ceiling",
        "_congested_at",
        "_count",
        "_last_count",
        "_pause_s",
        "_paused_until",
        "_reference",
        "_second",
        "_tokens",
        "rate",
    )

    def __init__(self, rate: float) -> None:
        """Units: rate in segments a second, 0 for no limit."""
        self._ceiling = rate or math.inf
        self.rate = self._ceiling
        self._reference = 0.0
        self._tokens = 1.0
        self._at = 0.0
        self._pause_s = PAUSE_FIRST_S / 2
        self._paused_until = 0.0
        self._congested_at = 0.0
        self._second = 0
        self._count = 0
        self._last_count = 0

    def room(self, now: float) -> int:
        """Tell how many segments may be written now: 0 in a pause or without tokens."""
        if now < self._paused_until:
            return 0
        if self.rate == math.inf:
            return PLENTY
        self._refill(now)
        return int(self._tokens)

    def take(self, count: int, now: float) -> None:
        """Note that segments were written."""
        second = int(now)
        if second != self._second:
            self._last_count = self._count if second == self._second + 1 else 0
            self._second, self._count = second, 0
        self._count += count
        if self.rate != math.inf:
            self._tokens -= count

    def next_at(self, now: float) -> float:
        """Give when there is room again; `now` when there is."""
        if now < self._paused_until:
            return self._paused_until
        if self.rate == math.inf:
            return now
        self._refill(now)
        # One token more than nothing would wake the dispatcher for every single segment.
        wanted = max(1.0, min(self._capacity(), self.rate * 0.02))
        return now + max(0.0, wanted - self._tokens) / self.rate

    def throttled(self, now: float) -> float:
        """Slow down because the peer said so; give the end of the pause.

        Answers of one window that come in the same pause count once.
        """
        if now < self._paused_until:
            return self._paused_until
        calm = now - self._paused_until > CALM_S
        self._pause_s = PAUSE_FIRST_S if calm else min(PAUSE_LONGEST_S, self._pause_s * 2)
        self._lower(now, DECREASE)
        self._paused_until = self._at = now + self._pause_s
        self._tokens = 1.0
        return self._paused_until

    def congested(self, level: int, now: float) -> None:
        """Heed a congestion_state: from 90 the rate stays or falls, once a second. Source: SMPP 5.0 section 4.8.4.8."""
        if level < _CONGESTED or level > _FULL or now - self._congested_at < 1.0:
            return
        self._congested_at = now
        self._lower(now, CONGESTED_DECREASE if level == _FULL else 1.0)

    def paused(self, now: float) -> bool:
        """Tell whether the channel waits because of throttling."""
        return now < self._paused_until

    def told(self, now: float) -> Rate:
        """Tell how fast it goes, for people."""
        second = int(now)
        last = self._count if second == self._second + 1 else self._last_count if second == self._second else 0
        finite = [0.0 if each == math.inf else each for each in (self._ceiling, self.rate)]
        return Rate(finite[0], finite[1], last)

    def _lower(self, now: float, factor: float) -> None:
        if self.rate == math.inf:
            self._at = now
            self._tokens = 1.0
        self._reference = max(1.0, min(self.rate, float(max(self._count, self._last_count))))
        self.rate = min(self._ceiling, max(1.0, self._reference * factor))

    def _capacity(self) -> float:
        return max(1.0, self.rate * BURST_S)

    def _refill(self, now: float) -> None:
        elapsed = now - self._at
        if elapsed <= 0:
            return
        self._at = now
        if self.rate < self._ceiling:
            self.rate = min(self._ceiling, self.rate + max(1.0, self._reference * INCREASE_A_SECOND) * elapsed)
            if self._ceiling == math.inf and self.rate >= self._reference * LIFT:
                self.rate = math.inf
                return
        self._tokens = min(self._capacity(), self._tokens + self.rate * elapsed)
