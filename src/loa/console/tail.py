"""The live tail: a page of the newest messages, and one stream of server-sent events that keeps it new."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from loa.console.language import Language
from loa.console.messages import line
from loa.console.pages import part, render
from loa.console.parts import Parts, visitor_of
from loa.console.place import place_of
from loa.domain.roles import May, may
from loa.ports.records import MessageFilter

ROWS: Final = 50
MOST: Final = 200
"""How many new messages one look takes; of more, the newest, and the page says that some are left out."""
LOOK_S: Final = 0.5
HEARTBEAT_LOOKS: Final = 30
_HIGHEST: Final = 2**62


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
    whole = may(visitor_of(request).role, May.SEE_NUMBERS)
    rows, position = [], Position(0, 0)
    if place.tenant is not None:
        event = await newest_event(parts, place.tenant.id)
        rows = await parts.ledger.messages(place.tenant.id, MessageFilter(), None, ROWS)
        position = Position(rows[0]["id"] if rows else 0, event)
    lines = [line(row, whole=whole) for row in rows]
    return render(request, "tail.html", **place.values(), lines=lines, position=str(position), rows=ROWS)


async def newest_event(parts: Parts, tenant_id: int) -> int:
    """Find the id of a tenant's newest event in steps that double, then halve; 0 where there is none."""
    low, high = 0, 1
    while await parts.ledger.events(tenant_id, high, 1):
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        if await parts.ledger.events(tenant_id, middle, 1):
            low = middle + 1
        else:
            high = middle
    return low


async def stream(request: Request, parts: Parts) -> Response:
    """Tell what happens from a position on, until the browser goes."""
    place = await place_of(request, parts)
    asked = request.headers.get("last-event-id") or request.query_params.get("after", "")
    position = read_position(asked)
    if place.tenant is None or position is None:
        return Response(status_code=404)
    whole = may(visitor_of(request).role, May.SEE_NUMBERS)
    language = request.state.language
    told = follow(parts, place.tenant.id, position, language=language, whole=whole, named=place.named)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(told, headers=headers, media_type="text/event-stream")


async def follow(
    parts: Parts, tenant_id: int, position: Position, *, language: Language, whole: bool, named: str
) -> AsyncIterator[str]:
    """Give server-sent events: new and changed rows, with a comment every 15 seconds where nothing happens."""
    quiet = HEARTBEAT_LOOKS - 1
    yield "retry: 2000\n\n"
    while True:
        rows, position, left_out = await look(parts, tenant_id, position)
        if rows:
            lines = [line(row, whole=whole) for row in rows]
            html = part("_rows.html", language, lines=lines, tenant_named=named)
            yield f"id: {position}\ndata: {json.dumps({'html': html, 'leftOut': left_out}, ensure_ascii=False)}\n\n"
            quiet = 0
        quiet += 1
        if quiet >= HEARTBEAT_LOOKS:
            yield ": here\n\n"
            quiet = 0
        await parts.clock.sleep(LOOK_S)


async def look(parts: Parts, tenant_id: int, position: Position) -> tuple[list[Any], Position, bool]:
    """Read what is new after a position: rows oldest first, the next position, and whether messages were left out."""
    events = await parts.ledger.events(tenant_id, position.event, MOST)
    newest = await parts.ledger.messages(tenant_id, MessageFilter(), None, MOST)
    fresh = [row for row in newest if row["id"] > position.message]
    seen = {row["id"] for row in fresh}
    moved = dict.fromkeys(event["message_id"] for event in events if event["inbound"] is None)
    at_hand = {row["id"]: row for row in newest}
    changed = [at_hand[each] for each in moved if each in at_hand and each not in seen]
    next_position = Position(max([position.message, *seen]), max([position.event, *(event["id"] for event in events)]))
    left_out = len(fresh) == MOST or len(events) == MOST
    return [*changed, *reversed(fresh)], next_position, left_out
