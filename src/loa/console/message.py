"""One message: everything that happened to it in the order of time, and its content for those who may see it."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from loa.console.formats import destination
from loa.console.pages import link, render
from loa.console.parts import Parts, visitor_of
from loa.console.place import Place, place_of
from loa.domain.ids import message_id_from
from loa.domain.lifecycle import FINAL, State
from loa.domain.roles import May, may
from loa.ports.records import Row

OUTCOME_TONES: Final = {"accepted": "good", "refused": "bad", "deferred": "warn", "unknown": "warn"}
STATE_TONES: Final = {
    State.DELIVERED.label: "good",
    State.UNDELIVERED.label: "bad",
    State.REJECTED.label: "bad",
    State.EXPIRED.label: "bad",
    State.UNKNOWN.label: "warn",
}
_FINAL: Final = frozenset(state.label for state in FINAL)


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `after`: how long after the thing before it. `facts`: what else is known of it."""

    at: int
    kind: str
    tone: str = "plain"
    what: str = ""
    channel: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    after: int | None = None


async def message(request: Request, parts: Parts) -> Response:
    """Show a message without its content."""
    return await _show(request, parts, with_content=False)


async def content(request: Request, parts: Parts) -> Response:
    """Show a message with its content, once that is written into the audit log."""
    return await _show(request, parts, with_content=True)


async def _show(request: Request, parts: Parts, *, with_content: bool) -> Response:
    place = await place_of(request, parts)
    public = request.path_params["message_id"]
    row = await _row(parts, place, public)
    if row is None:
        return render(request, "missing.html", status=404, **place.values())
    if with_content:
        await parts.content_shown(request, public)
    whole = may(visitor_of(request).role, May.SEE_NUMBERS)
    return render(
        request,
        "message.html",
        **place.values(),
        # What changes language, theme or tenant leads back to the page without its content.
        here=f"/console/messages/{public}",
        back=link(f"/console/messages/{public}", tenant=place.named),
        row=row,
        public=public,
        destination=destination(row["destination"], whole=whole),
        moments=moments(row),
        tone=STATE_TONES.get(row["state"], "plain"),
        open=row["state"] not in _FINAL,
        content=with_content,
        now=parts.clock.now(),
    )


async def _row(parts: Parts, place: Place, public: str) -> Row | None:
    number = message_id_from(public)
    if number is None or place.tenant is None:
        return None
    return await parts.ledger.timeline(place.tenant.id, number)


def raw_text(raw: str) -> str:
    """Give the octets of a receipt as text, what is not printable ASCII escaped. Shapes: hexadecimal digits."""
    octets = bytes.fromhex(raw)
    return "".join(chr(each) if 32 <= each < 127 else f"\\x{each:02x}" for each in octets)


def moments(row: Row) -> list[Moment]:
    """Put everything that happened to a message into the order of time, with the spans between."""
    found = [Moment(row["accepted_at"], "accepted")]
    for attempt in row["attempts"]:
        found += _attempt(attempt)
    found += [
        Moment(
            each["received_at"],
            "receipt",
            STATE_TONES.get(each["state"] or "", "plain"),
            each["stat"],
            "",
            _receipt(each),
        )
        for each in row["receipts"]
    ]
    found += [
        Moment(each["at"], "state", STATE_TONES.get(each["state"], "plain"), each["state"], each["channel"], each)
        for each in row["events"]
    ]
    for owed in row["callbacks"]:
        found += _tries(owed)
    found.sort(key=lambda each: each.at)
    spans = [None, *(later.at - earlier.at for earlier, later in pairwise(found))]
    return [_spaced(each, after) for each, after in zip(found, spans, strict=True)]


def _spaced(moment: Moment, after: int | None) -> Moment:
    return Moment(moment.at, moment.kind, moment.tone, moment.what, moment.channel, moment.facts, after)


def _attempt(row: Row) -> list[Moment]:
    begun = Moment(row["claimed_at"], "claimed", "plain", "", row["channel"], {"number": row["number"]})
    if not row["done_at"]:
        return [begun]
    outcome = row["outcome"]
    tone = OUTCOME_TONES.get(outcome, "plain")
    return [begun, Moment(row["done_at"], "outcome", tone, outcome, row["channel"], dict(row))]


def _receipt(row: Row) -> dict[str, Any]:
    return {**row, "raw_text": raw_text(row["raw"])}


def _tries(owed: Row) -> list[Moment]:
    return [
        Moment(
            each["at"],
            "callback",
            "good" if 200 <= (each["status"] or 0) < 300 else "bad",
            str(each["status"] or ""),
            "",
            {
                "state": owed["state"],
                "number": each["number"],
                "error": each["error"],
                "elapsed_ms": each["elapsed_ms"],
            },
        )
        for each in owed["tries"]
    ]
