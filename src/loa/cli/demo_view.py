"""The live view of a demo: what was accepted, what the handset shows, what was receipted and reported.

Events wait in a short queue. Before one is shown the ledger is read for messages that were accepted meanwhile, so that
a message is always seen before what becomes of it.
"""

import asyncio
import json
from collections import deque
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from loa.domain.ids import message_public_id
from loa.ports.ledger import Search
from loa.ports.records import MessageFilter, Row
from loa.simulators.receiver.server import Delivery
from loa.simulators.smsc.events import Shown, SmscEvent, Taken, Told
from loa.simulators.zalo.watch import Declined, ZaloEvent
from loa.simulators.zalo.watch import Shown as ShownOnZalo

QUEUE: Final = 200
LOOK_S: Final = 0.4
PAGE: Final = 50
_CODINGS: Final = {0: "GSM 03.38", 8: "UCS-2"}
_BUBBLE: Final = 44
EVERYTHING: Final = MessageFilter()

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

    async def run(self, ledger: Search, tenant_id: int) -> None:
        """Show what happens until cancelled, from now on. Errors: StorageError."""
        await self.begin(ledger, tenant_id)
        while True:
            await self.look(ledger, tenant_id)
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()
            except TimeoutError:
                continue
            await self.look(ledger, tenant_id)
            self._news.clear()
            self.show_queue()

    async def begin(self, ledger: Search, tenant_id: int) -> None:
        """Pass over what was accepted before. Errors: StorageError."""
        known = await ledger.messages(tenant_id, EVERYTHING, None, 1)
        self._newest = max((row["id"] for row in known), default=0)

    async def look(self, ledger: Search, tenant_id: int) -> None:
        """Show what was accepted since the last look. Errors: StorageError."""
        rows = await ledger.messages(tenant_id, EVERYTHING, None, PAGE)
        new = [row for row in rows if row["id"] > self._newest]
        if not new:
            return
        if len(new) == PAGE:
            self._line("yellow", "…", "many were accepted; the last ones are shown")
        self._newest = max(row["id"] for row in new)
        for row in sorted(new, key=lambda each: int(each["id"])):
            self._show_accepted(row)

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

    def _show_accepted(self, row: Row) -> None:
        size = f"{row['segment_count']} segment{'' if row['segment_count'] == 1 else 's'}"
        names = f"{message_public_id(row['id'])}  {row['referent_id']}"
        self._line("blue", "accepted", f"{row['destination']}  {row['class']}  {size}  {names}{_held(row)}")

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


def _held(row: Row) -> str:
    due = row["due_at"]
    if row["state"] != "queued" or not due or due <= row["accepted_at"] + 1000:
        return ""
    return f"  waits until {datetime.fromtimestamp(due / 1000).astimezone():%Y-%m-%d %H:%M}"


def _body(delivery: Delivery) -> dict[str, Any]:
    try:
        body = json.loads(delivery.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
