"""Endpoints: how they do, what they are told, their secrets, a test, and what failed posted once more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from loa.console.formats import field_time, read_field_time
from loa.console.pages import link, redirect, render
from loa.console.parts import Parts, visitor_of
from loa.console.place import Place, place_of
from loa.console.refusals import said_of
from loa.domain.roles import May, may
from loa.errors import LoaError
from loa.ports.records import CallbackFilter, Endpoint, Row
from loa.stages.callbacks import FAILED_FOR_DAYS, GONE

HOME: Final = "/console/callbacks"
SAMPLE: Final = 500
"""How many of a tenant's newest callbacks say how its endpoints do."""
COUNTED: Final = 10_000
"""How far failed callbacks are counted before they are posted again."""
ASKED_ABOVE: Final = 100
"""Above so many callbacks a word has to be typed."""
REASONS: Final = {GONE: "gone", FAILED_FOR_DAYS: "failed_for_days"}
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint does by its newest callbacks. `rate`: what share of those that were tried is taken, in per cent.

    Units: p95_ms, how long all but the slowest twentieth of the latest tries took.
    """

    tried: int
    rate: float | None
    p95_ms: int | None
    last_error: Row | None


def health(rows: Iterable[Row]) -> Health:
    """Sum up callbacks of one endpoint, newest first."""
    tried = [row for row in rows if row["last"] is not None]
    if not tried:
        return Health(0, None, None, None)
    taken = sum(row["result"] == "delivered" for row in tried)
    spans = sorted(row["last"]["elapsed_ms"] for row in tried)
    wrong = [row for row in tried if row["last"]["error"]]
    last = max(wrong, key=lambda row: row["last"]["at"]) if wrong else None
    return Health(len(tried), 100 * taken / len(tried), spans[(len(spans) * 95 - 1) // 100], last)


def condition(endpoint: Endpoint) -> tuple[str, str]:
    """Name how an endpoint stands, and its tone."""
    if endpoint.disabled_at is not None:
        return "off", "bad"
    return ("failing", "warn") if endpoint.failing_since is not None else ("on", "good")


async def callbacks(request: Request, parts: Parts) -> Response:
    """Show a tenant's endpoints."""
    place = await place_of(request, parts)
    cards = []
    if place.tenant is not None:
        sample = await _sample(parts, place.tenant.id, None)
        found = await parts.ledger.endpoints(place.tenant.id)
        cards = [_card(each, [row for row in sample if row["endpoint_id"] == each.id]) for each in found]
    return render(request, "callbacks.html", **place.values(), cards=cards, sample=SAMPLE)


async def _sample(parts: Parts, tenant_id: int, endpoint_id: int | None) -> Sequence[Row]:
    wanted = CallbackFilter(endpoint_id=endpoint_id)
    return (await parts.ledger.callbacks(tenant_id, wanted, None, SAMPLE)).rows


def _card(endpoint: Endpoint, rows: Sequence[Row]) -> dict[str, Any]:
    """Give what a page shows of an endpoint: never its secrets, only how many there are."""
    name, tone = condition(endpoint)
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "every_step": endpoint.every_step,
        "inbound": endpoint.inbound,
        "failing_since": endpoint.failing_since,
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_reason,
        "reason": REASONS.get(endpoint.disabled_reason, ""),
        "secrets": len(endpoint.secrets),
        "condition": name,
        "tone": tone,
        "health": health(rows),
    }


async def add_form(request: Request, parts: Parts) -> Response:
    """Show the form for a new endpoint."""
    place = await place_of(request, parts)
    if not may(visitor_of(request).role, May.CHANGE_ENDPOINTS):
        return render(request, "refused.html", status=403, **place.values())
    return render(request, "endpoint_add.html", **place.values(), given={}, wrong="")


async def add(request: Request, parts: Parts) -> Response:
    """Add an endpoint, and show its secret this once."""
    place, given = await place_of(request, parts), request.state.form
    if not may(visitor_of(request).role, May.CHANGE_ENDPOINTS) or place.tenant is None:
        return render(request, "refused.html", status=403, **place.values())
    wanted = {"url": given.get("url", "").strip(), "tenant": place.tenant.name, **_flags(given)}
    try:
        added = await parts.acts.do(request, "endpoints.add", **wanted)
    except LoaError as error:
        why = said_of(error, request.state.language)
        return render(request, "endpoint_add.html", status=422, **place.values(), given=given, wrong=why)
    if added["secret"] is None:
        return redirect(f"{HOME}/{added['id']}", done="endpoint_kept", tenant=place.named)
    return _secret_page(request, place, added)


def _flags(given: dict[str, str]) -> dict[str, bool]:
    return {name: given.get(name) == "1" for name in ("every_step", "inbound")}


def _secret_page(request: Request, place: Place, shown: dict[str, Any]) -> Response:
    page = f"{HOME}/{shown['id']}"
    # What changes language or theme leads back to the page without the secret.
    back = link(page, tenant=place.named)
    return render(request, "endpoint_secret.html", **place.values(), here=page, back=back, shown=shown)


async def endpoint(request: Request, parts: Parts) -> Response:
    """Show one endpoint."""
    place = await place_of(request, parts)
    found = await _found(request, parts, place)
    if found is None:
        return render(request, "missing.html", status=404, **place.values())
    return await _page(request, parts, place, found)


async def _found(request: Request, parts: Parts, place: Place) -> Endpoint | None:
    if place.tenant is None:
        return None
    number = request.path_params["endpoint_id"]
    own = await parts.ledger.endpoints(place.tenant.id)
    return next((each for each in own if each.id == number), None)


async def _page(
    request: Request, parts: Parts, place: Place, found: Endpoint, *, status: int = 200, **more: Any
) -> Response:
    rows = await _sample(parts, found.tenant_id, found.id)
    page = f"{HOME}/{found.id}"
    values = {"here": page, "back": link(page, tenant=place.named)} if request.method == "POST" else {}
    return render(
        request,
        "endpoint.html",
        status=status,
        **place.values(),
        **values,
        card=_card(found, rows),
        told=more.get("told"),
        wrong=more.get("wrong", ""),
    )


async def _done(request: Request, parts: Parts, verb: str, done: str, **args: Any) -> Response:
    """Have something done to an endpoint and lead back to it."""
    place = await place_of(request, parts)
    found = await _found(request, parts, place)
    if found is None:
        return render(request, "missing.html", status=404, **place.values())
    try:
        await parts.acts.do(request, verb, endpoint_id=found.id, **args)
    except LoaError as error:
        return await _refused(request, parts, place, found, error)
    return redirect(f"{HOME}/{found.id}", done=done, tenant=place.named)


async def _refused(request: Request, parts: Parts, place: Place, found: Endpoint, error: LoaError) -> Response:
    if error.code == "forbidden":
        return render(request, "refused.html", status=403, **place.values())
    why = said_of(error, request.state.language)
    return await _page(request, parts, place, found, status=422, wrong=why)


async def change(request: Request, parts: Parts) -> Response:
    """Change what an endpoint is told."""
    return await _done(request, parts, "endpoints.change", "endpoint_changed", **_flags(request.state.form))


async def enable(request: Request, parts: Parts) -> Response:
    """Switch an endpoint on again."""
    return await _done(request, parts, "endpoints.enable", "endpoint_on")


async def retire(request: Request, parts: Parts) -> Response:
    """Sign with the current secret alone."""
    return await _done(request, parts, "endpoints.retire_secret", "secret_retired")


async def rotate(request: Request, parts: Parts) -> Response:
    """Give an endpoint a new secret, and show it this once."""
    place = await place_of(request, parts)
    found = await _found(request, parts, place)
    if found is None:
        return render(request, "missing.html", status=404, **place.values())
    try:
        shown = await parts.acts.do(request, "endpoints.rotate_secret", endpoint_id=found.id)
    except LoaError as error:
        return await _refused(request, parts, place, found, error)
    return _secret_page(request, place, shown)


async def test(request: Request, parts: Parts) -> Response:
    """Post a test event, and show the exchange."""
    place = await place_of(request, parts)
    found = await _found(request, parts, place)
    if found is None:
        return render(request, "missing.html", status=404, **place.values())
    try:
        told = await parts.acts.do(request, "endpoints.test", endpoint_id=found.id)
    except LoaError as error:
        return await _refused(request, parts, place, found, error)
    return await _page(request, parts, place, found, told=told)


def word_of(endpoint: Endpoint) -> str:
    """Give the word that somebody types who posts very many callbacks again: the host they go to."""
    return urlsplit(endpoint.url).hostname or endpoint.url


async def replay_form(request: Request, parts: Parts) -> Response:
    """Show how many callbacks failed since a time, before they are posted again."""
    place = await place_of(request, parts)
    found = await _found(request, parts, place)
    if found is None:
        return render(request, "missing.html", status=404, **place.values())
    if not may(visitor_of(request).role, May.SETTLE):
        return render(request, "refused.html", status=403, **place.values())
    return await _preview(request, parts, place, found, request.query_params.get("since", ""))


async def _preview(
    request: Request, parts: Parts, place: Place, found: Endpoint, asked: str, *, word_wrong: bool = False
) -> Response:
    usual = found.failing_since or parts.clock.now() - _DAY_MS
    since = read_field_time(asked) if asked else usual // 60_000 * 60_000
    count = 0
    if since is not None:
        count = await parts.ledger.count_failed(found.tenant_id, found.id, since, COUNTED + 1)
    return render(
        request,
        "endpoint_replay.html",
        status=422 if since is None or word_wrong else 200,
        **place.values(),
        card=_card(found, []),
        since="" if since is None else field_time(since),
        unreadable=since is None,
        count=min(count, COUNTED),
        more=count > COUNTED,
        word=word_of(found) if count > ASKED_ABOVE else "",
        word_wrong=word_wrong,
        back=link(f"{HOME}/{found.id}/replay", since=asked, tenant=place.named),
    )


async def replay(request: Request, parts: Parts) -> Response:
    """Post again what failed since a time; of many only where the word was typed."""
    place = await place_of(request, parts)
    found = await _found(request, parts, place)
    if found is None or place.tenant is None:
        return render(request, "missing.html", status=404, **place.values())
    asked, word = request.state.form.get("since", ""), request.state.form.get("word", "").strip()
    since = read_field_time(asked)
    if since is None:
        return await _preview(request, parts, place, found, asked or "?")
    count = await parts.ledger.count_failed(found.tenant_id, found.id, since, ASKED_ABOVE + 1)
    if count > ASKED_ABOVE and word != word_of(found):
        return await _preview(request, parts, place, found, asked, word_wrong=True)
    args = {"tenant": place.tenant.name, "endpoint_id": found.id, "since": since}
    try:
        done = await parts.acts.do(request, "callbacks.replay", **args)
    except LoaError as error:
        return await _refused(request, parts, place, found, error)
    again = {"endpoint": found.id, "result": "due", "tenant": place.named}
    return redirect(f"{HOME}/deliveries", done="replayed", count=done["replayed"], **again)
