"""The live tail: a page of the newest messages, and one stream of server-sent events that keeps it new.

However much happens, a look reads and tells a bounded number of rows; what is left out the page says.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from loa.console.language import Language
from loa.console.messages import CLASSES, STATES, Asked, line, read_filter
from loa.console.pages import part, render
from loa.console.parts import Parts, visitor_of
from loa.console.place import place_of
from loa.domain.roles import May, may
from loa.ports.records import Row

ROWS: Final = 50
MOST: Final = 500
"""How many events, and how many new messages, one look takes; of more the newest, and the page says so."""
REACH: Final = 5_000
"""How many of the newest messages are looked through for those that match a filter."""
TAIL_FIELDS: Final = ("destination", "sender", "channel")
LOOK_S: Final = 0.5
HEARTBEAT_LOOKS: Final = 30
KNOWN_S: Final = 5.0
"""For so long a stream goes on without looking whether its user is still who they were."""
_HIGHEST: Final = 2**63


@dataclass(frozen=True, slots=True)
class Position:
    """How far a stream has told: the newest message and the newest event. Written `12-40`, the id of an SSE event."""

    message: int
    event: int

    def __str__(self) -> str:
        return f"{self.message}-{self.event}"


def read_position(text: str) -> Position | None:
    """Read a position, None where it is none."""
    message, dash, event = text.partition("-")
    if not (dash and message.isascii() and message.isdigit() and event.isascii() and event.isdigit()):
        return None
    read = Position(int(message), int(event))
    return read if max(read.message, read.event) < _HIGHEST else None


async def tail(request: Request, parts: Parts) -> Response:
    """Show the newest messages, readable as they stand, and where the stream goes on from."""
    place = await place_of(request, parts)
    asked = _asked(request, parts)
    whole = may(visitor_of(request).role, May.SEE_NUMBERS)
    rows: list[Row] = []
    position = Position(0, 0)
    if place.tenant is not None and not asked.unreadable:
        event = await parts.ledger.last_event(place.tenant.id)
        rows = await _newest(parts, place.tenant.id, asked, ROWS)
        position = Position(rows[0]["id"] if rows else 0, event)
    return render(
        request,
        "tail.html",
        **place.values(),
        lines=[line(row, whole=whole) for row in rows],
        position=str(position),
        rows=ROWS,
        asked=asked,
        states=list(STATES),
        classes=list(CLASSES),
        channels=sorted(each.name for each in await parts.ledger.channels()),
        status=422 if asked.unreadable else 200,
    )


def _asked(request: Request, parts: Parts) -> Asked:
    """Read the filter; what asks for a time or for dead letters means nothing to what happens now."""
    asked = read_filter(request.query_params, parts.read_number)
    texts = {name: text if name in TAIL_FIELDS else "" for name, text in asked.texts.items()}
    wanted = replace(asked.wanted, since=None, until=None, dead=None, request_id="", error="")
    return replace(asked, dead=False, texts=texts, wanted=wanted, unreadable=asked.unreadable & set(TAIL_FIELDS))


async def _newest(parts: Parts, tenant_id: int, asked: Asked, limit: int) -> list[Row]:
    return list((await parts.ledger.find_messages(tenant_id, asked.wanted, None, limit, REACH)).rows)


async def stream(request: Request, parts: Parts) -> Response:
    """Tell what happens from a position on, until the browser goes."""
    place = await place_of(request, parts)
    told_last = request.headers.get("last-event-id") or request.query_params.get("after", "")
    position, asked = read_position(told_last), _asked(request, parts)
    if place.tenant is None or position is None or asked.unreadable:
        return Response(status_code=404)
    visitor = visitor_of(request)
    if parts.streams.full(visitor.user_id):
        return Response(status_code=429)
    whole = may(visitor.role, May.SEE_NUMBERS)
    following = Following(parts, place.tenant.id, asked, request.state.language, whole, place.named)
    told = counted(request, parts, following.follow(position))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(told, headers=headers, media_type="text/event-stream")


async def counted(request: Request, parts: Parts, told: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    """Pass a stream on while it counts as one of a user's, who is still signed in and has still the same role."""
    looked_at = parts.clock.monotonic()
    with parts.streams.held(visitor_of(request).user_id) as free:
        async with aclosing(told):
            async for each in told:
                if parts.clock.monotonic() - looked_at >= KNOWN_S:
                    looked_at = parts.clock.monotonic()
                    free = free and await parts.still_known(request)
                if not free:
                    return
                yield each


@dataclass(frozen=True, slots=True)
class Look:
    """What one look saw: rows, oldest first; how much happened; where the next look begins."""

    rows: list[Row]
    happened: int
    position: Position
    left_out: bool


@dataclass(frozen=True, slots=True)
class Following:
    """What a stream follows, and how it tells of it."""

    parts: Parts
    tenant_id: int
    asked: Asked
    language: Language
    whole: bool
    named: str

    async def follow(self, position: Position) -> AsyncGenerator[str, None]:
        """Give server-sent events: new and changed rows, with a comment every 15 seconds where nothing happens."""
        quiet = HEARTBEAT_LOOKS - 1
        yield "retry: 2000\n\n"
        while not self.parts.streams.ending():
            look = await self.look(position)
            position = look.position
            if look.rows or look.happened:
                told = json.dumps(self._told(look), ensure_ascii=False)
                yield f"id: {position}\ndata: {told}\n\n"
                quiet = 0
            quiet += 1
            if quiet >= HEARTBEAT_LOOKS:
                yield ": here\n\n"
                quiet = 0
            await self.parts.clock.sleep(LOOK_S)

    def _told(self, look: Look) -> Mapping[str, Any]:
        lines = [line(row, whole=self.whole) for row in look.rows]
        html = part("_rows.html", self.language, lines=lines, tenant_named=self.named)
        return {"html": html, "leftOut": look.left_out, "happened": look.happened}

    async def look(self, position: Position) -> Look:
        """Read what is new after a position."""
        ledger = self.parts.ledger
        events = await ledger.events(self.tenant_id, position.event, MOST)
        newest = await _newest(self.parts, self.tenant_id, self.asked, MOST)
        fresh = [row for row in newest if row["id"] > position.message]
        seen = {row["id"] for row in fresh}
        moved = dict.fromkeys(event["message_id"] for event in events if event["inbound"] is None)
        # No page shows more rows: what happened to older messages is not told.
        at_hand = {row["id"]: row for row in newest[:ROWS]}
        changed = [at_hand[each] for each in moved if each in at_hand and each not in seen]
        event = events[-1]["id"] if events else position.event
        if len(events) == MOST:
            event = await ledger.last_event(self.tenant_id)
        left_out = len(fresh) > ROWS or len(events) == MOST
        following = Position(max([position.message, *seen]), event)
        return Look([*changed, *reversed(fresh[:ROWS])], len(events) + len(fresh), following, left_out)
