"""Registered templates: what providers have approved, how each reads as plain text, and which of them a text is."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console.channel import WRONG, instant_of
from loa.console.pages import link, render
from loa.console.parts import Parts
from loa.console.place import Place, place_of
from loa.console.refusals import said_of
from loa.domain.template_pattern import cut

PATH: Final = "/console/templates"
ONE: Final = "/console/templates/one"
MATCH: Final = "/console/templates/match"
SYNC: Final = "/console/templates/sync"
TONES: Final[Mapping[str, str]] = {
    "enabled": "good",
    "pending": "warn",
    "rejected": "bad",
    "disabled": "bad",
    "deleted": "plain",
}
QUALITIES: Final[Mapping[str, str]] = {"high": "good", "medium": "warn", "low": "bad"}
LONGEST: Final = 4_000


async def registered(request: Request, parts: Parts) -> Response:
    """Show the templates of all channels."""
    return await _show(request, parts)


async def match(request: Request, parts: Parts) -> Response:
    """Say which template of a channel a text is."""
    form = request.state.form
    try:
        found = await parts.acts.read(
            "templates.match", channel=form.get("channel", ""), text=form.get("text", "")[:LONGEST]
        )
    except WRONG as error:
        return await _show(request, parts, problem=said_of(error, request.state.language))
    return await _show(request, parts, found=found)


async def sync(request: Request, parts: Parts) -> Response:
    """Have a channel's templates read anew."""
    place, channel = await place_of(request, parts), request.state.form.get("channel", "")
    try:
        await parts.acts.do(request, "templates.sync", channel=channel)
    except WRONG as error:
        return await _show(request, parts, problem=said_of(error, request.state.language))
    return RedirectResponse(link(PATH, asked=channel, tenant=place.named), 303)


async def _show(request: Request, parts: Parts, *, found: Any = None, problem: str = "") -> Response:
    place = await place_of(request, parts)
    listed = await parts.acts.read("templates.list")
    describing = await _describing(parts)
    looks = {
        each["channel"]: {**each, "done": instant_of(each["doneAt"]), "asked": instant_of(each["askedAt"])}
        for each in listed["looks"]
    }
    quotas = {(each.channel_id, each.template_id): each for each in await parts.ledger.templates()}
    ids = {each.name: each.id for each in await parts.ledger.channels()}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in sorted({*describing, *looks})}
    for each in listed["templates"]:
        template = quotas[ids[each["channel"]], each["templateId"]]
        rows.setdefault(each["channel"], []).append({**each, "template": template, "address": _address(each, place)})
    return render(
        request,
        "templates.html",
        status=422 if problem else 200,
        **place.values(),
        here=PATH,
        back=link(PATH, tenant=place.named),
        path=PATH,
        channels=rows,
        looks=looks,
        tones=TONES,
        qualities=QUALITIES,
        form=request.state.form,
        found=found,
        problem=problem,
        asked=request.query_params.get("asked", ""),
    )


async def _describing(parts: Parts) -> list[str]:
    """Name the channels whose providers can be asked for templates."""
    asked = {each["name"] for each in await parts.acts.read("channels.providers") if each["describes"]}
    return [each.name for each in await parts.ledger.channels() if each.provider in asked]


def _address(row: Mapping[str, Any], place: Place) -> str:
    return link(ONE, channel=row["channel"], id=row["templateId"], tenant=place.named)


async def one(request: Request, parts: Parts) -> Response:
    """Show a template with its parameters."""
    return await _one(request, parts)


async def set_text(request: Request, parts: Parts) -> Response:
    """Say how a template reads as plain text."""
    query, place = request.query_params, await place_of(request, parts)
    channel, template, text = query.get("channel", ""), query.get("id", ""), request.state.form.get("text", "")
    try:
        await parts.acts.do(request, "templates.text", channel=channel, template_id=template, text=text)
    except WRONG as error:
        return await _one(request, parts, wrong=said_of(error, request.state.language))
    return RedirectResponse(link(ONE, channel=channel, id=template, tenant=place.named), 303)


async def _one(request: Request, parts: Parts, wrong: str = "") -> Response:
    place, query = await place_of(request, parts), request.query_params
    channel, template = query.get("channel", ""), query.get("id", "")
    try:
        shown = await parts.acts.read("templates.show", channel=channel, template_id=template)
    except WRONG as error:
        return await _gone(request, parts, said_of(error, request.state.language))
    text = request.state.form.get("text", shown["text"] or "")
    literals, names = cut(shown["text"] or "")
    return render(
        request,
        "template.html",
        status=422 if wrong else 200,
        **place.values(),
        here=PATH,
        back=link(ONE, channel=channel, id=template, tenant=place.named),
        path=PATH,
        one=ONE,
        shown={**shown, "synced": instant_of(shown["syncedAt"])},
        text=text,
        pieces=list(zip(literals, [*names, ""], strict=True)),
        wrong=wrong,
        preview=shown["previewUrl"] if str(shown["previewUrl"]).startswith("https://") else "",
        tones=TONES,
        qualities=QUALITIES,
    )


async def _gone(request: Request, parts: Parts, problem: str) -> Response:
    place = await place_of(request, parts)
    return render(request, "template_missing.html", status=404, **place.values(), problem=problem, path=PATH)
