"""Callbacks one by one: a list with filters, and a page for one with the request as it was posted and every try."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from loa.console.exchanges import Exchange
from loa.console.formats import read_field_time
from loa.console.pages import redirect, render
from loa.console.parts import Parts, visitor_of
from loa.console.place import Place, place_of
from loa.console.refusals import said_of
from loa.console.verifying import SNIPPETS, forwarding, snippet
from loa.domain.callback_body import callback_id_from, callback_public_id
from loa.domain.destination import written
from loa.domain.ids import message_id_from, message_public_id
from loa.domain.roles import May, may
from loa.errors import LoaError
from loa.observe.redact import mask_msisdn
from loa.ports.records import CallbackFilter, DueCallback, Row

HOME: Final = "/console/callbacks/deliveries"
PAGE: Final = 50
RESULTS: Final = ("due", "delivered", "failed")
TEXT_FIELDS: Final = ("message", "since", "until")
LONGEST: Final = 200
_MOST_ID: Final = 2**63


@dataclass(slots=True)
class Asked:
    """A filter as it was asked for, as the ledger wants it, and which of its fields cannot be read."""

    endpoint: int | None = None
    result: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    wanted: CallbackFilter = field(default_factory=CallbackFilter)
    unreadable: frozenset[str] = frozenset()

    @property
    def narrowed(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.endpoint is not None or self.result or any(self.texts.values()))

    def query(self) -> dict[str, Any]:
        """Give what the address of this filter holds."""
        texts = {name: value for name, value in self.texts.items() if value}
        return {"endpoint": "" if self.endpoint is None else str(self.endpoint), "result": self.result, **texts}


def read_filter(query: QueryParams) -> Asked:
    """Read a filter from an address; a field that cannot be read is named and narrows nothing."""
    texts = {name: query.get(name, "").strip()[:LONGEST] for name in TEXT_FIELDS}
    readers: dict[str, Callable[[str], int | None]] = {
        "message": message_id_from,
        "since": read_field_time,
        "until": read_field_time,
    }
    read = {name: readers[name](texts[name]) if texts[name] else None for name in TEXT_FIELDS}
    endpoint, result = _number(query.get("endpoint", "")), query.get("result", "")
    result = result if result in RESULTS else ""
    return Asked(
        endpoint,
        result,
        texts,
        CallbackFilter(endpoint, result, read["message"], read["since"], read["until"]),
        frozenset(name for name, value in read.items() if texts[name] and value is None),
    )


def _number(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
    return number if number is not None and number < _MOST_ID else None


def read_place(text: str) -> tuple[int, int] | None:
    """Read where a page begins, `time-id`; None where it is no such place."""
    time, _, number = text.partition("-")
    read = _number(time), _number(number)
    return None if read[0] is None or read[1] is None else (read[0], read[1])


async def deliveries(request: Request, parts: Parts) -> Response:
    """Show a page of callbacks."""
    place = await place_of(request, parts)
    asked = read_filter(request.query_params)
    after = read_place(request.query_params.get("after", ""))
    rows, further, endpoints = [], "", {}
    if place.tenant is not None:
        endpoints = {each.id: each.url for each in await parts.ledger.endpoints(place.tenant.id)}
        if not asked.unreadable:
            page = await parts.ledger.callbacks(place.tenant.id, asked.wanted, after, PAGE)
            rows = [_line(row, endpoints) for row in page.rows]
            further = "" if page.further is None else f"{page.further[0]}-{page.further[1]}"
    return render(
        request,
        "deliveries.html",
        **place.values(),
        asked=asked,
        lines=rows,
        further=further,
        paged=after is not None,
        results=RESULTS,
        endpoints=endpoints,
        status=422 if asked.unreadable else 200,
    )


TONES: Final = {"delivered": "good", "failed": "bad"}


def _line(row: Row, endpoints: dict[int, str]) -> dict[str, Any]:
    return {
        **row,
        "public": callback_public_id(row["id"]),
        "message": message_public_id(row["message_id"]) if row["message_id"] > 0 else "",
        "url": endpoints.get(row["endpoint_id"], ""),
        "standing": _standing(row),
        "tone": TONES.get(row["result"], "warn" if row["last"] else "plain"),
    }


def _standing(row: Row) -> str:
    """Name how a callback stands; one that is due and was tried waits for its next try."""
    return "again" if row["result"] == "due" and row["last"] else str(row["result"])


async def delivery(request: Request, parts: Parts) -> Response:
    """Show one callback."""
    place = await place_of(request, parts)
    return await _show(request, parts, place)


async def _row(request: Request, parts: Parts, place: Place) -> Row | None:
    number = callback_id_from(request.path_params["callback_id"])
    if number is None or place.tenant is None:
        return None
    return await parts.ledger.callback(place.tenant.id, number)


async def _show(request: Request, parts: Parts, place: Place, *, status: int = 200, wrong: str = "") -> Response:
    row = await _row(request, parts, place)
    if row is None:
        return render(request, "missing.html", status=404, **place.values())
    chosen = _chosen(row["tries"], request.query_params.get("try", ""))
    line = _line({**row, "last": row["tries"][-1] if row["tries"] else None}, {})
    told = row["told"]
    veil = _veil(told, whole=may(visitor_of(request).role, May.SEE_NUMBERS))
    exchange = None
    if told is not None:
        at, made = (chosen["at"], chosen["number"] - 1) if chosen else (parts.clock.now(), row["tries_made"])
        posted = replace(told, tries=made)
        # Signed as it was posted; of an inbound event shown without what a user wrote.
        shown = parts.exchanges.composed(_shown(posted), at)
        exchange = replace(parts.exchanges.composed(posted, at), body=shown.body)
    return render(
        request,
        "delivery.html",
        status=status,
        **place.values(),
        row=line,
        told=told,
        chosen=chosen,
        tries=[{**each, "excerpt": veil(each["excerpt"])} for each in row["tries"]],
        exchange=exchange,
        body="" if exchange is None else veil(_laid_out(exchange.body)),
        signed="" if exchange is None else veil(_signed(exchange)),
        partial=told is not None and (told.inbound is not None or veil(_number_of(told)) != _number_of(told)),
        snippets={name: snippet(name, exchange, veil) for name in SNIPPETS} if exchange else {},
        forwarding=forwarding(exchange, veil) if exchange else "",
        wrong=wrong,
    )


def _shown(told: DueCallback) -> DueCallback:
    """Leave out what a user wrote: it is content, which is looked at elsewhere."""
    return told if told.inbound is None else replace(told, inbound=replace(told.inbound, body={}))


def _number_of(told: DueCallback) -> str:
    number = told.destination if told.inbound is None else told.inbound.subject
    return written(number) if number else ""


def _veil(told: DueCallback | None, *, whole: bool) -> Callable[[str], str]:
    """Give what masks the number of a callback wherever it stands, also where a receiver repeats it."""
    number = "" if told is None or whole else _number_of(told)
    digits = number.rpartition(":")[2]
    return (lambda text: text.replace(digits, mask_msisdn(int(digits)))) if digits else (lambda text: text)


def _chosen(tries: list[Row], asked: str) -> Row | None:
    place = _number(asked)
    if place is not None and 0 < place <= len(tries):
        return tries[place - 1]
    return tries[-1] if tries else None


def _laid_out(body: bytes) -> str:
    return json.dumps(json.loads(body), ensure_ascii=False, indent=2)


def _signed(exchange: Exchange) -> str:
    return f"{exchange.number}.{exchange.timestamp}.{exchange.body.decode('utf-8')}"


async def replay(request: Request, parts: Parts) -> Response:
    """Have one callback posted again."""
    place = await place_of(request, parts)
    if await _row(request, parts, place) is None or place.tenant is None:
        return render(request, "missing.html", status=404, **place.values())
    public = request.path_params["callback_id"]
    try:
        await parts.acts.do(request, "callbacks.replay", tenant=place.tenant.name, callbacks=(public,))
    except LoaError as error:
        if error.code == "forbidden":
            return render(request, "refused.html", status=403, **place.values())
        return await _show(request, parts, place, status=422, wrong=said_of(error, request.state.language))
    return redirect(f"{HOME}/{public}", done="replayed_one", tenant=place.named)
