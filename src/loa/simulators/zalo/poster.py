"""Posting events: over a few kept connections, in their order, again when they were not taken, and then no more.

Source: Zalo reference, section 8: taken is what answers 200 within 2 seconds; retries carry `num_retry`; after the last
of them the address is switched off.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, cast
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from loa.simulators.alarms import Alarms
from loa.simulators.zalo.notices import Notice
from loa.simulators.zalo.script import ZaloScript
from loa.simulators.zalo.watch import ZaloCounts

TAKEN: Final = 200
NOT_MADE: Final = 0


class _Caller(asyncio.Protocol):
    """One connection to a receiver of events; one request at a time."""

    __slots__ = ("_asked", "_keep", "_parser", "_status", "_transport", "lost")

    def __init__(self) -> None:
        self.lost = False
        self._asked: Callable[[int], None] | None = None
        self._status = 0
        self._keep = False
        self._parser = HttpResponseParser(self)

    def post(self, request: bytes, then: Callable[[int], None]) -> None:
        """Write a request; `then` gets the status, 0 where no answer came."""
        self._asked = then
        self._transport.write(request)

    def give_up(self) -> None:
        """Wait for the answer no longer."""
        self._end(NOT_MADE)

    def close(self) -> None:
        """Say goodbye."""
        self._asked = None
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - a lost connection is a lost connection
        """See asyncio."""
        self._end(NOT_MADE)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._end(NOT_MADE)

    def on_message_complete(self) -> None:
        """See httptools."""
        self._status = self._parser.get_status_code()
        if self._status >= TAKEN:
            self._end(self._status, keep=self._parser.should_keep_alive())

    def _end(self, status: int, *, keep: bool = False) -> None:
        if not keep and not self.lost:
            self.lost = True
            self._transport.abort()
        asked, self._asked = self._asked, None
        if asked is not None:
            asked(status)


class _Target:
    """One address that takes events."""

    __slots__ = ("free", "head", "host", "parts", "port", "tls", "tries_left", "waiting", "working")

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.tls = parts.scheme == "https"
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if self.tls else 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n".encode()
        self.waiting: deque[Notice] = deque()
        self.free: list[_Caller] = []
        self.working: dict[int, _Caller | None] = {}


class Poster:
    """Posts events to their addresses and says what came of each try: the status, 0 where no answer came.

    `off`: addresses that were switched off, and get nothing any more.
    """

    def __init__(self, alarms: Alarms, counts: ZaloCounts, told: Callable[[Notice, int], None]) -> None:
        self._alarms = alarms
        self._counts = counts
        self._told = told
        self._targets: dict[str, _Target] = {}
        self._dialling: set[asyncio.Task[None]] = set()
        self._pump_due: set[str] = set()
        self._closed = False
        self._turn = 0
        self.script = ZaloScript()
        self.off: set[str] = set()

    def post(self, notice: Notice) -> None:
        """Queue an event for its address."""
        if notice.url in self.off:
            self._counts.events_lost += 1
            return
        self._counts.events_waiting += 1
        target = self._targets.get(notice.url)
        if target is None:
            target = self._targets[notice.url] = _Target(notice.url)
        target.waiting.append(notice)
        self._plan(notice.url, target)

    def switch_on(self) -> None:
        """Post to all addresses again; what was lost stays lost."""
        self.off.clear()

    async def close(self) -> None:
        """Stop posting; what was not taken is dropped."""
        self._closed = True
        for task in tuple(self._dialling):
            task.cancel()
        await asyncio.gather(*self._dialling, return_exceptions=True)
        for target in self._targets.values():
            for caller in [*target.free, *(each for each in target.working.values() if each is not None)]:
                caller.close()
            target.free.clear()

    def _plan(self, url: str, target: _Target) -> None:
        """Post after this turn of the loop, so that what is due together can be put in another order."""
        if url not in self._pump_due:
            self._pump_due.add(url)
            asyncio.get_running_loop().call_soon(self._pump, url, target)

    def _pump(self, url: str, target: _Target) -> None:
        self._pump_due.discard(url)
        newest_first = self.script.event_order == "newest_first"
        while target.waiting and len(target.working) < self.script.event_window and not self._closed:
            notice = target.waiting.pop() if newest_first else target.waiting.popleft()
            self._turn += 1
            turn = self._turn
            caller = None
            while target.free and caller is None:
                caller = target.free.pop()
                caller = None if caller.lost else caller
            target.working[turn] = caller
            if caller is not None:
                self._send(target, turn, caller, notice)
            else:
                task = asyncio.get_running_loop().create_task(self._dial(target, turn, notice))
                self._dialling.add(task)
                task.add_done_callback(self._dialling.discard)

    async def _dial(self, target: _Target, turn: int, notice: Notice) -> None:
        loop = asyncio.get_running_loop()
        context = ssl.create_default_context() if target.tls else None
        try:
            _, caller = await loop.create_connection(_Caller, target.host, target.port, ssl=context)
        except OSError:
            notice.tries += 1
            self._answered(target, turn, None, notice, NOT_MADE)
            return
        target.working[turn] = caller
        self._send(target, turn, caller, notice)

    def _send(self, target: _Target, turn: int, caller: _Caller, notice: Notice) -> None:
        retry = f"num_retry: {notice.tries}\r\n" if notice.tries else ""
        marked = "X-ZEvent-Server: ZNS\r\n" if notice.marked else ""
        more = f"X-ZEvent-Signature: {notice.signature}\r\n{marked}{retry}Content-Length: {len(notice.body)}\r\n\r\n"
        notice.tries += 1
        caller.post(target.head + more.encode() + notice.body, partial(self._answered, target, turn, caller, notice))
        self._alarms.after(self.script.event_timeout_s, partial(self._late, target, turn))

    def _late(self, target: _Target, turn: int) -> None:
        caller = target.working.get(turn)
        if caller is not None:
            caller.give_up()

    def _answered(self, target: _Target, turn: int, caller: _Caller | None, notice: Notice, status: int) -> None:
        target.working.pop(turn, None)
        if caller is not None and not caller.lost:
            target.free.append(caller)
        if self._closed:
            return
        if status == TAKEN:
            self._counts.events_taken += 1
            self._counts.events_waiting -= 1
        else:
            self._again(notice)
        if target.waiting:
            self._plan(notice.url, target)
        self._told(notice, status)

    def _again(self, notice: Notice) -> None:
        """Post an event later once more; after the last time switch its address off."""
        waits = self.script.event_retries_s
        if notice.tries <= len(waits):
            self._counts.events_retried += 1
            self._alarms.after(waits[notice.tries - 1] * self.script.event_pace, partial(self._repost, notice))
            return
        self._counts.events_waiting -= 1
        self._counts.events_lost += 1
        self._counts.addresses_off += notice.url not in self.off
        self.off.add(notice.url)
        waiting = self._targets[notice.url].waiting
        self._counts.events_waiting -= len(waiting)
        self._counts.events_lost += len(waiting)
        waiting.clear()

    def _repost(self, notice: Notice) -> None:
        self._counts.events_waiting -= 1
        self.post(notice)
