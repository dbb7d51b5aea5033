"""Stand-ins for time and probes that every tier may use."""

import asyncio
from collections.abc import Callable

from loa.observe.clock import SystemClock
from loa.ports.probe import Point

EPOCH = 1_795_000_000_000  # 2026-11-18T11:06:40Z, 18:06 in Vietnam: inside the allowed hours


class FakeClock:
    """Time that moves only when told to; sleepers wake when it reaches them."""

    def __init__(self, now: int = EPOCH) -> None:
        self._now = now
        self._set_by = 0
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now(self) -> int:
        return self._now + self._set_by

    def monotonic(self) -> float:
        return self._now / 1000

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + int(seconds * 1000), future))
        await future

    @property
    def waiting(self) -> bool:
        """Whether anything sleeps."""
        return bool(self._sleepers)

    def advance(self, seconds: float) -> None:
        self._now += round(seconds * 1000)
        due = [future for at, future in self._sleepers if at <= self._now]
        self._sleepers = [(at, future) for at, future in self._sleepers if at > self._now]
        for future in due:
            if not future.done():
                future.set_result(None)

    def set_by(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an admin or NTP does; no time passes by that."""
        self._set_by += round(seconds * 1000)


class SetClock(SystemClock):
    """The machine's time with a wall clock that can be set."""

    def __init__(self) -> None:
        self._set_by = 0

    def now(self) -> int:
        return super().now() + self._set_by

    def set_by(self, seconds: float) -> None:
        """Set the wall clock forward or back; no time passes by that."""
        self._set_by += round(seconds * 1000)


class QuietProbe:
    """Watches nothing."""

    def armed(self, point: Point) -> bool:
        return False

    def reached(self, point: Point) -> None:
        pass


class ActingProbe:
    """Does something the n-th time a point is reached."""

    def __init__(self, point: Point, action: Callable[[], None], count: int = 1) -> None:
        self._point, self._action, self._left = point, action, count

    def armed(self, point: Point) -> bool:
        return point is self._point

    def reached(self, point: Point) -> None:
        if point is self._point:
            self._left -= 1
            if self._left == 0:
                self._action()
