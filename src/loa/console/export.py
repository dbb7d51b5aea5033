"""The messages of a filter as a file: CSV or JSON Lines, written page by page while it is sent."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from loa.console.formats import ZONE, destination
from loa.console.http import address_of
from loa.console.messages import Asked, every, read_filter
from loa.console.pages import render
from loa.console.parts import Parts, visitor_of
from loa.console.place import place_of
from loa.domain.ids import message_public_id
from loa.domain.roles import May, may
from loa.domain.table_file import harmless
from loa.ports.records import Row, Tenant

PATH: Final = "/console/messages/export"
PAGE: Final = 500
MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""The byte order mark, by which Excel knows UTF-8."""
COLUMNS: Final = (
    *("message_id", "submission_id", "request_id", "accepted_at", "destination", "sender", "class", "state", "channel"),
    *("error", "segments", "attempts", "possible_duplicate", "dead", "updated_at"),
)

Write = Callable[[Iterable[Mapping[str, Any]]], str]


async def export(request: Request, parts: Parts) -> Response:
    """Send the file, once it stands in the audit log who took it."""
    place, form = await place_of(request, parts), request.state.form
    asked = read_filter(request.query_params, parts.read_number)
    kind = form.get("format", "")
    if place.tenant is None or asked.unreadable or kind not in WRITERS:
        return render(request, "missing.html", status=404, **place.values())
    whole = may(visitor_of(request).role, May.SEE_NUMBERS)
    told = {
        "format": kind,
        "whole_numbers": whole,
        "filter": _told(asked),
    }
    address = address_of(request.scope)
    await parts.signing.note(request.state.user, "messages.export", place.tenant.name, after=told, address=address)
    media_type, write, head = WRITERS[kind]
    name = f"messages-{datetime.fromtimestamp(parts.clock.now() / 1000, ZONE):%Y%m%d-%H%M%S}.{kind}"
    first = (MARK if form.get("mark") else "") + head if kind == "csv" else head
    return StreamingResponse(
        _pages(parts, place.tenant, asked, write, first, whole=whole),
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )


def _told(asked: Asked) -> dict[str, Any]:
    """Give the filter as the audit log keeps it, which holds no whole number."""
    number = asked.wanted.destination
    masked = {} if number is None else {"destination": destination(number, whole=False)}
    return {name: each for name, each in {**asked.query(), **masked}.items() if each}


async def _pages(
    parts: Parts, tenant: Tenant, asked: Asked, write: Write, first: str, *, whole: bool
) -> AsyncIterator[bytes]:
    yield first.encode()
    async for rows in every(parts, tenant.id, asked.wanted, at_once=PAGE):
        if parts.streams.ending():
            return
        yield write(_record(row, whole=whole) for row in rows).encode("utf-8", "replace")


def _record(row: Row, *, whole: bool) -> dict[str, Any]:
    return {
        "message_id": message_public_id(row["id"]),
        "submission_id": row["referent_id"],
        "request_id": row["request_id"],
        "accepted_at": _instant(row["accepted_at"]),
        "destination": destination(row["destination"], whole=whole),
        "sender": row["sender"],
        "class": row["class"],
        "state": row["state"],
        "channel": row["channel"],
        "error": row["error"],
        "segments": row["segment_count"],
        "attempts": row["attempts"],
        "possible_duplicate": row["possible_duplicate"],
        "dead": row["dead"],
        "updated_at": _instant(row["updated_at"]),
    }


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, ZONE).isoformat(timespec="milliseconds")


def cell(value: object) -> str:
    """Write a value for a spreadsheet: what it would take for a formula begins with an apostrophe."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return harmless(str(value))


def csv_lines(records: Iterable[Mapping[str, Any]]) -> str:
    """Write records as lines of CSV. Source: RFC 4180."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerows([cell(record[name]) for name in COLUMNS] for record in records)
    return made.getvalue()


def json_lines(records: Iterable[Mapping[str, Any]]) -> str:
    """Write records as JSON, one a line."""
    return "".join(f"{json.dumps(record, ensure_ascii=False, separators=(',', ':'))}\n" for record in records)


WRITERS: Final[Mapping[str, tuple[str, Write, str]]] = {
    "csv": ("text/csv; charset=utf-8", csv_lines, ",".join(COLUMNS) + "\r\n"),
    "jsonl": ("application/jsonl; charset=utf-8", json_lines, ""),
}
"""By the ending of the file: its kind, what writes records, and what stands before them."""
