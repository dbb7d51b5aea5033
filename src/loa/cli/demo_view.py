"""The live view of a demo: what was accepted, what the handset shows, what was receipted and reported.

Events wait in a short queue. Before one is shown the gateway is asked for messages that were accepted meanwhile, so
that a message is always seen before what becomes of it.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from loa.domain.ids import message_id_from
from loa.simulators.receiver.server import Delivery
from loa.simulators.smsc.events import Shown, SmscEvent, Taken, Told
from loa.simulators.zalo.watch import Declined, ZaloEvent
from loa.simulators.zalo.watch import Shown as ShownOnZalo

QUEUE: Final = 200
LOOK_S: Final = 0.4
PAGE: Final = 50
_CODINGS: Final = {0: "GSM 03.38", 8: "UCS-2"}
_BUBBLE: Final = 44
Newest = Callable[[int], Awaitable[Sequence[Mapping[str, Any]]]]
"""Gives so many of the newest messages, as the verb reading.messages does; none while the gateway is away."""
Event = Shown | Told | Delivery | ShownOnZalo | Declined


class DemoView:
    """Shows events in colour on a terminal, as plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._queue: deque[tuple[Event, int]] = deque()
        self._dropped = 0
        self._news = asyncio.Event()
        self._coding = 0
        self._newest = 0

    # heard from the simulators

    def on_smsc(self, event: SmscEvent) -> None:
        """Hear of something at the SMSC."""
        if isinstance(event, Taken):
            self._coding = event.data_coding
        elif isinstance(event, Shown | Told):
            self._hear(event)

    def on_zalo(self, event: ZaloEvent) -> None:
        """Hear of something at Zalo."""
        if isinstance(event, ShownOnZalo | Declined):
            self._hear(event)

    def on_callback(self, delivery: Delivery) -> None:
        """Hear of a callback."""
        self._hear(delivery)

    def _hear(self, event: Event) -> None:
        if len(self._queue) >= QUEUE:
            self._dropped += 1
        else:
            self._queue.append((event, self._coding))
        self._news.set()

    # shown to people

    async def run(self, newest: Newest) -> None:
        """Show what happens until cancelled, from now on."""
        await self.begin(newest)
        while True:
            await self.look(newest)
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()
            except TimeoutError:
                continue
            await self.look(newest)
            self._news.clear()
            self.show_queue()

    async def begin(self, newest: Newest) -> None:
        """Pass over what was accepted before."""
        self._newest = max(map(_number, await newest(1)), default=0)

    async def look(self, newest: Newest) -> None:
        """Show what was accepted since the last look."""
        new = [each for each in await newest(PAGE) if _number(each) > self._newest]
        if not new:
            return
        if len(new) == PAGE:
            self._line("yellow", "…", "many were accepted; the last ones are shown")
        self._newest = max(map(_number, new))
        for each in sorted(new, key=_number):
            self._show_accepted(each)

    def show_queue(self) -> None:
        """Show what was heard since the last time."""
        while self._queue:
            event, coding = self._queue.popleft()
            if isinstance(event, Shown):
                self._show_bubble(event, coding)
            elif isinstance(event, ShownOnZalo):
                self._show_zalo(event)
            elif isinstance(event, Declined):
                self._line("yellow", "zalo", f"{event.destination}  refused with {event.code}")
            elif isinstance(event, Told):
                self._line("cyan", "receipt", f"{event.destination}  {event.stat}")
            else:
                self._show_callback(event)
        if self._dropped:
            self._line("yellow", "…", f"{self._dropped} more were not shown; loa messages list knows them all")
            self._dropped = 0

    def _show_accepted(self, message: Mapping[str, Any]) -> None:
        size = f"{message['segmentCount']} segment{'' if message['segmentCount'] == 1 else 's'}"
        names = f"{message['messageId']}  {message['referentId']}"
        said = f"{message['destination']}  {message['class']}  {size}  {names}{_held(message)}"
        self._line("blue", "accepted", said)

    def _show_bubble(self, shown: Shown, coding: int) -> None:
        about = f"{_CODINGS.get(coding, f'data coding {coding}')}, {shown.parts} part{'' if shown.parts == 1 else 's'}"
        if not self._console.is_terminal:
            self._line("", "handset", f"{shown.destination}  {shown.source}: {shown.text!r}  ({about})")
            return
        self._line("green", "handset", f"{shown.destination}  ({about})")
        bubble = Panel(Text(shown.text), title=shown.source, title_align="left", width=_BUBBLE, border_style="green")
        self._console.print(bubble)

    def _show_zalo(self, shown: ShownOnZalo) -> None:
        if not self._console.is_terminal:
            self._line("", "zalo", f"{shown.destination}  {shown.oa_name}: {shown.text!r}  ({shown.kind})")
            return
        self._line("blue", "zalo", f"{shown.destination}  ({shown.kind})")
        title = f"Zalo · {shown.oa_name}"
        bubble = Panel(Text(shown.text), title=title, title_align="left", width=_BUBBLE, border_style="blue")
        self._console.print(bubble)

    def _show_callback(self, delivery: Delivery) -> None:
        body = _body(delivery)
        signed = "signature valid" if delivery.verdict == "valid" else f"signature {delivery.verdict}"
        said = f"{body.get('msisdn', '?')}  {body.get('state', '?')} (status {body.get('status', '?')})"
        style = "green" if delivery.verdict == "valid" else "red"
        self._line(style, "callback", f"{said}  {signed}, answered {delivery.status}  {delivery.callback_id}")

    def _line(self, style: str, what: str, detail: str) -> None:
        line = Text.assemble((f"{_clock():%H:%M:%S.%f}"[:12], "dim"), "  ", (what.ljust(9), style), " ", detail)
        self._console.print(line, soft_wrap=True)


def _clock() -> datetime:
    return datetime.now().astimezone()


def _number(message: Mapping[str, Any]) -> int:
    return message_id_from(message["messageId"]) or 0


def _held(message: Mapping[str, Any]) -> str:
    due, accepted = message["dueAt"], datetime.fromisoformat(message["acceptedAt"])
    if message["state"] != "queued" or not due:
        return ""
    at = datetime.fromisoformat(due)
    return f"  waits until {at.astimezone():%Y-%m-%d %H:%M}" if at > accepted + timedelta(seconds=1) else ""


def _body(delivery: Delivery) -> dict[str, Any]:
    try:
        body = json.loads(delivery.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
