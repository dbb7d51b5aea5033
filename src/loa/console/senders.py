"""Senders: what handsets show, by tenant; where each of them has routes."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console.catalogue import said
from loa.console.channel import WRONG
from loa.console.pages import link, render
from loa.console.parts import Parts
from loa.console.place import place_of
from loa.console.refusals import said_of

PATH: Final = "/console/senders"
KINDS: Final = ("brandname", "short_code", "long_number")


async def senders(request: Request, parts: Parts) -> Response:
    """Show a tenant's senders, and the form of a new one."""
    return await _show(request, parts)


async def add(request: Request, parts: Parts) -> Response:
    """Add a sender."""
    place, form, language = await place_of(request, parts), request.state.form, request.state.language
    name, kind = form.get("name", "").strip(), form.get("kind", "")
    if place.tenant is None or not name:
        return await _show(request, parts, wrong=said(language, "senders.nameless"))
    try:
        kind = kind if kind in KINDS else KINDS[0]
        await parts.acts.do(request, "senders.add", name=name, tenant=place.tenant.name, kind=kind)
    except WRONG as error:
        return await _show(request, parts, wrong=_said(error, kind, request))
    return RedirectResponse(link(PATH, tenant=place.named), 303)


def _said(error: Exception, kind: str, request: Request) -> str:
    assert isinstance(error, WRONG)
    language = request.state.language
    if error.code == "sender_form":
        return said(language, f"senders.form.{'brandname' if kind == 'brandname' else 'number'}")
    return said_of(error, language)


async def _show(request: Request, parts: Parts, wrong: str = "") -> Response:
    place = await place_of(request, parts)
    own = [each for each in await parts.ledger.senders() if place.tenant and each.tenant_id == place.tenant.id]
    routes = [each for each in await parts.ledger.routes() if place.tenant and each.tenant_id == place.tenant.id]
    counted = [
        (each, sum(route.sender == each.name for route in routes), sum(not route.sender for route in routes))
        for each in sorted(own, key=lambda each: each.name)
    ]
    return render(
        request,
        "senders.html",
        status=422 if wrong else 200,
        **place.values(),
        here=PATH,
        back=link(PATH, tenant=place.named),
        path=PATH,
        senders=counted,
        kinds=KINDS,
        form=request.state.form,
        wrong=wrong,
    )
