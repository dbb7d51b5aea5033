"""Everything that waits for a person: unknown messages, dead letters, orphan receipts, endpoints switched off."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from loa.console.formats import destination
from loa.console.messages import line
from loa.console.pages import render
from loa.console.parts import Parts, visitor_of
from loa.console.place import place_of
from loa.domain.ids import message_id_from, message_public_id
from loa.domain.lifecycle import State
from loa.domain.roles import May, may
from loa.ports.records import MessageFilter, Row, Tenant

PATH: Final = "/console/unknown"
PAGE: Final = 50
DEAD_SHOWN: Final = 20


async def unknown(request: Request, parts: Parts) -> Response:
    """Show what nobody but a person can end."""
    place = await place_of(request, parts)
    channel = request.query_params.get("channel", "")
    before = message_id_from(request.query_params.get("before", ""))
    shown = _NOTHING if place.tenant is None else await _waiting(request, parts, place.tenant, channel, before)
    return render(
        request,
        "unknown.html",
        **place.values(),
        channel=channel,
        paged=before is not None,
        now=parts.clock.now(),
        orphans=sorted(await parts.ledger.orphans(), key=lambda row: row["channel"]),
        **shown,
    )


_NOTHING: Final[dict[str, Any]] = {
    "groups": [],
    "lines": [],
    "older": "",
    "dead": [],
    "more_dead": False,
    "switched_off": [],
}


async def _waiting(request: Request, parts: Parts, tenant: Tenant, channel: str, before: int | None) -> dict[str, Any]:
    whole = may(visitor_of(request).role, May.SEE_NUMBERS)
    wanted = MessageFilter(states=(State.UNKNOWN,), channel=channel)
    rows = await parts.ledger.messages(tenant.id, wanted, before, PAGE + 1)
    dead = await parts.ledger.messages(tenant.id, MessageFilter(dead=True, dealt_with=False), None, DEAD_SHOWN + 1)
    lines = [_evidence(row, whole=whole) for row in rows[:PAGE]]
    return {
        "groups": [await _group(parts, tenant, each) for each in await parts.ledger.unknown_by_channel(tenant.id)],
        "lines": lines,
        "older": lines[-1]["id"] if len(rows) > PAGE else "",
        "dead": [line(row, whole=whole) for row in dead[:DEAD_SHOWN]],
        "more_dead": len(dead) > DEAD_SHOWN,
        "switched_off": [each for each in await parts.ledger.endpoints(tenant.id) if each.disabled_at is not None],
    }


async def _group(parts: Parts, tenant: Tenant, group: Row) -> dict[str, Any]:
    first = await parts.ledger.message(tenant.id, group["first_id"])
    return {**group, "since": None if first is None else first["accepted_at"]}


def _evidence(row: Row, *, whole: bool) -> dict[str, Any]:
    """Give what is known of an unknown message, and what follows when nothing more is heard."""
    return {
        "id": message_public_id(row["id"]),
        "since": row["updated_at"],
        "accepted_at": row["accepted_at"],
        "destination": destination(row["destination"], whole=whole),
        "class": row["class"],
        "channel": row["channel"],
        "attempts": row["attempts"],
        "error": row["error"],
        "waits_until": row["due_at"],
        "after_wait": row["after_wait"],
        "possible_duplicate": row["possible_duplicate"],
    }
