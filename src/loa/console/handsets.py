"""The first minutes: the handsets of a demo beside the live tail, a form to send, the knobs, and the crash."""

import json
import zlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from loa.console.crashing import Aftermath, aftermath
from loa.console.language import Language
from loa.console.messages import line
from loa.console.pages import part, render
from loa.console.parts import Parts, visitor_of
from loa.console.place import Place, place_of
from loa.console.tail import HEARTBEAT_LOOKS, LOOK_S, Position, counted
from loa.console.world import Bubble, Handset, Sight, World
from loa.domain.ids import message_id_from
from loa.domain.roles import May, Role, may
from loa.domain.traffic import TrafficClass
from loa.observe.redact import mask_msisdn
from loa.ports.records import MessageFilter

PATH: Final = "/console/phone"
ROWS: Final = 8
"""How much of the tail stands beside the handset."""
PLAIN: Final[Mapping[str, str]] = {"via": "sms", "number": "0912345678", "class": "transactional"}
TEXTS: Final[Mapping[str, str]] = {
    "sms": "Xin chào từ Loa",
    "zalo": "Mã xác thực của bạn là 482913.",
}
"""What is sent where nothing was written: for Zalo it is a registered template of the demo's Official Account."""


def world_of(parts: Parts) -> World:
    """Give the world; these screens are served only where there is one."""
    assert parts.world is not None
    return parts.world


@dataclass(frozen=True, slots=True)
class Written:
    """A form as it was filled in. `wrong`: what stands against its fields, as sentences."""

    fields: Mapping[str, str]
    wrong: Mapping[str, str]


EMPTY: Final = Written({}, {})


VIA: Final = tuple(TEXTS)
CLASSES: Final = tuple(each.label for each in TrafficClass)


async def handsets(request: Request, parts: Parts) -> Response:
    """Show the page as it is asked for."""
    return await page(request, parts, sent=Written(chosen(request.query_params), {}))


def chosen(given: Mapping[str, str]) -> dict[str, str]:
    """Read the way and the class of a message from a form or an address; what cannot be read is as it is without."""
    wanted = {"via": VIA, "class": CLASSES}
    return {name: given[name] if given.get(name) in among else PLAIN[name] for name, among in wanted.items()}


async def page(
    request: Request, parts: Parts, *, status: int = 200, sent: Written = EMPTY, reply: Written = EMPTY, sure: str = ""
) -> Response:
    """Show the page, with the forms as they were filled in. `sure`: what stands against the order to crash."""
    place, role = await place_of(request, parts), visitor_of(request).role
    if may(role, May.SEE_CONTENT):
        await parts.content_shown(request, "phone")
    sight = seen_by(await world_of(parts).look(chosen_in(request)), role)
    after = await aftermath(parts, place.tenant, sight)
    return render(
        request,
        "phone.html",
        status=status,
        **place.values(),
        **await _tail(request, parts, place),
        here=PATH,
        back=PATH,
        sight=sight,
        aftermath=after,
        mark=mark(sight, after),
        content_shown=may(role, May.SEE_CONTENT),
        knobs=world_of(parts).knobs,
        fields={**PLAIN, "text": TEXTS[sent.fields.get("via", "sms")], **sent.fields},
        texts=TEXTS,
        classes=CLASSES,
        handset=chosen_in(request),
        wrong=sent.wrong,
        reply=reply,
        sure=sure,
        accepted=_accepted(request),
    )


async def _tail(request: Request, parts: Parts, place: Place) -> dict[str, Any]:
    whole = may(visitor_of(request).role, May.SEE_NUMBERS)
    if place.tenant is None:
        return {"lines": [], "position": str(Position(0, 0)), "rows": ROWS}
    event = await parts.ledger.last_event(place.tenant.id)
    rows = await parts.ledger.messages(place.tenant.id, MessageFilter(), None, ROWS)
    position = Position(rows[0]["id"] if rows else 0, event)
    return {"lines": [line(row, whole=whole) for row in rows], "position": str(position), "rows": ROWS}


def chosen_in(request: Request) -> int:
    """Read which handset is looked at, 0 for the newest."""
    asked = request.query_params.get("handset", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0


def _accepted(request: Request) -> str:
    """Read which message was just sent."""
    asked = request.query_params.get("sent", "")
    return asked if message_id_from(asked) is not None else ""


def seen_by(sight: Sight, role: Role) -> Sight:
    """Leave out what a role may not see: numbers, texts, calls with a key in them."""
    whole, content = may(role, May.SEE_NUMBERS), may(role, May.SEE_CONTENT)

    def shown(handset: Handset) -> Handset:
        return handset if whole else replace(handset, number=mask_msisdn(handset.number))

    def told(bubble: Bubble) -> Bubble:
        return bubble if content else replace(bubble, text="")

    return replace(
        sight,
        handsets=tuple(map(shown, sight.handsets)),
        chosen=shown(sight.chosen) if sight.chosen is not None else None,
        bubbles=tuple(map(told, sight.bubbles)),
        calls=sight.calls if may(role, May.SEND) else {},
    )


def mark(sight: Sight, after: Aftermath | None) -> str:
    """Name what a page shows, so that it is told again only when it has changed."""
    return f"{sight.version}-{zlib.crc32(repr((sight.handsets, sight.chosen, after)).encode())}"


def renewed(
    sight: Sight, after: Aftermath | None, language: Language, role: Role, tenant_named: str, handset: int
) -> dict[str, str]:
    """Give the parts of the page that renew themselves, by the id of what they fill."""
    values = {
        "sight": sight,
        "aftermath": after,
        "tenant_named": tenant_named,
        "content_shown": may(role, May.SEE_CONTENT),
        "handset": handset,
    }
    return {
        "phone-screen": part("_phone_screen.html", language, **values),
        "aftermath": part("_aftermath.html", language, **values),
    }


async def stream(request: Request, parts: Parts) -> Response:
    """Tell what changes on the handsets and after a crash, until the browser goes."""
    place, visitor = await place_of(request, parts), visitor_of(request)
    role = visitor.role
    if parts.streams.full(visitor.user_id):
        return Response(status_code=429)
    if may(role, May.SEE_CONTENT):
        await parts.content_shown(request, "phone")
    asked = request.headers.get("last-event-id") or request.query_params.get("after", "")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    told = follow(parts, place, request.state.language, role, chosen_in(request), asked)
    return StreamingResponse(counted(request, parts, told), headers=headers, media_type="text/event-stream")


async def follow(
    parts: Parts, place: Place, language: Language, role: Role, handset: int, known: str
) -> AsyncGenerator[str, None]:
    """Give server-sent events: the parts of the page that changed, with a comment every 15 seconds where none did."""
    quiet = HEARTBEAT_LOOKS - 1
    yield "retry: 1000\n\n"
    while not parts.streams.ending():
        sight = seen_by(await world_of(parts).look(handset), role)
        after = await aftermath(parts, place.tenant, sight)
        version = mark(sight, after)
        if version != known:
            known, quiet = version, 0
            html = renewed(sight, after, language, role, place.named, handset)
            yield f"id: {version}\ndata: {json.dumps(html, ensure_ascii=False)}\n\n"
        quiet += 1
        if quiet >= HEARTBEAT_LOOKS:
            yield ": here\n\n"
            quiet = 0
        await parts.clock.sleep(LOOK_S)
