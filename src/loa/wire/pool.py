"""Keeps connections, so that a request seldom opens one; holds each exchange to its time.

One timer watches all deadlines, because a timer for each request would cost more than reading its answer. At most
`limit` connections are open, idle ones included: where a new one finds no room, the longest idle one goes.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol
from weakref import WeakValueDictionary

from loa.wire.wire import Answer, Origin, Wire

KEEP_ALIVE_S = 4.0
"""Shorter than the five seconds after which common servers hang up, so that a post never meets a closing connection."""
TICK_S = 0.05
GOODBYE_S = 2.0
"""How long a peer may take to end a connection with us."""


class Dials(Protocol):
    """Opens connections, to whom its maker allows."""

    async def dial(self, origin: Origin, left: Callable[[Wire], None]) -> Wire | str:
        """Connect, or tell by a code why not; whoever calls limits the time. `left`: see Wire."""
        ...


def _nothing() -> None:
    """Tell nobody."""


class Pool:
    """Exchanges requests for answers. Made inside the running event loop.

    Units: times in seconds on the clock `now`; `timeout_s` is the least time that any deadline lies ahead.
    """

    def __init__(self, dialer: Dials, *, limit: int, timeout_s: float, now: Callable[[], float]) -> None:
        self._loop = asyncio.get_running_loop()
        self._dialer = dialer
        self._limit = limit
        self._now = now
        self._tick_s = min(TICK_S, timeout_s / 4)
        self._room = asyncio.Semaphore(limit)
        self._busy = 0
        self._origins: WeakValueDictionary[tuple[str, int, bool], Origin] = WeakValueDictionary()
        self._wires: set[Wire] = set()
        self._asked: set[Wire] = set()
        self._idle: OrderedDict[Wire, None] = OrderedDict()
        self._sweeper: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Future[None] | None = None

    def origin(self, host: str, port: int, *, tls: bool) -> Origin:
        """Give the one origin of scheme, host and port; it lives as long as someone knows it."""
        origin = self._origins.get((host, port, tls))
        if origin is None:
            origin = self._origins[host, port, tls] = Origin(host, port, tls=tls)
        return origin

    async def exchange(
        self,
        origin: Origin,
        request: bytes,
        deadline: float,
        *,
        answer_s: float | None = None,
        written: Callable[[], None] = _nothing,
        through: bool = False,
    ) -> Answer:
        """Send a request once and give what came of it; never raises for anything the peer does.

        `answer_s`: how long the answer may take from when the request is written; without it `deadline` ends that too.
        `written`: called once bytes of the request may have left. `through`: see Wire.
        """
        if not self._room.locked():
            await self._room.acquire()
        elif not await self._wait_for_room(deadline):
            return Answer(fault="timeout")
        self._busy += 1
        try:
            wire = self._take(origin) or await self._connect(origin, deadline)
            if isinstance(wire, str):
                return Answer(fault=wire)
            answer_by = deadline if answer_s is None else self._now() + answer_s
            return await self._ask(wire, request, answer_by, written, through=through)
        finally:
            self._busy -= 1
            self._room.release()

    async def close(self) -> None:
        """Close every connection; what is under way fails."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._emptied = self._loop.create_future()
        for wire in list(self._wires):
            wire.abort()
        if self._wires:
            await asyncio.wait((self._emptied,), timeout=GOODBYE_S)

    def _is_closing(self) -> bool:
        return self._emptied is not None

    # connections

    async def _wait_for_room(self, deadline: float) -> bool:
        try:
            async with asyncio.timeout(deadline - self._now()):
                return await self._room.acquire()
        except TimeoutError:
            return False

    def _take(self, origin: Origin) -> Wire | None:
        while origin.idle:
            wire = origin.idle.pop()
            del self._idle[wire]
            if wire.closing:
                continue
            if self._now() - wire.idle_since < KEEP_ALIVE_S:
                return wire
            wire.close()
        return None

    async def _connect(self, origin: Origin, deadline: float) -> Wire | str:
        if self._is_closing():
            return "connect"
        while self._idle and self._busy + len(self._idle) > self._limit:
            self._retire(next(iter(self._idle)))
        try:
            async with asyncio.timeout(deadline - self._now()):
                found = await self._dialer.dial(origin, self._left)
        except TimeoutError:
            return "timeout"
        if isinstance(found, Wire) and not found.lost:
            self._wires.add(found)
            if self._is_closing():
                found.abort()
        return found

    async def _ask(
        self, wire: Wire, request: bytes, deadline: float, written: Callable[[], None], *, through: bool
    ) -> Answer:
        self._asked.add(wire)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(self._tick_s, self._sweep)
        try:
            asked = wire.send(request, deadline, through=through)
            written()
            return await asked
        finally:
            self._asked.discard(wire)
            if wire.reusable and not wire.closing:
                wire.idle_since = self._now()
                wire.origin.idle.append(wire)
                self._idle[wire] = None
            else:
                wire.abort()

    def _retire(self, wire: Wire) -> None:
        del self._idle[wire]
        wire.origin.idle.remove(wire)
        wire.close()

    def _left(self, wire: Wire) -> None:
        self._wires.discard(wire)
        if wire in self._idle:
            self._retire(wire)
        if self._emptied is not None and not self._wires and not self._emptied.done():
            self._emptied.set_result(None)

    # time

    def _sweep(self) -> None:
        now = self._now()
        for wire in [wire for wire in self._asked if wire.deadline <= now]:
            wire.fail("timeout")
        while self._idle:
            longest = next(iter(self._idle))
            if now - longest.idle_since < KEEP_ALIVE_S:
                break
            self._retire(longest)
        self._sweeper = self._loop.call_later(self._tick_s, self._sweep) if self._asked or self._idle else None
