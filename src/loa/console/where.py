"""Where would this go, and why: the dry run of intake, for people."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from loa.console.catalogue import said
from loa.console.pages import link, render
from loa.console.parts import Parts
from loa.console.place import Place, place_of
from loa.console.routes import Line, lines_of
from loa.domain.routes import Route, choose
from loa.domain.rules import findings_of
from loa.domain.traffic import VENDOR_TYPES
from loa.errors import CallerError, Forbidden
from loa.ports.records import RouteRecord
from loa.stages.explain import DestinationFate, Explanation

PATH: Final = "/console/routes/where"
TYPES: Final = {each.label: number for number, each in VENDOR_TYPES.items()}
AUTO: Final = 1
"""`useUnicode` that follows the text."""
LONGEST: Final = 20
"""Destinations that are looked at together."""


async def where(request: Request, parts: Parts) -> Response:
    """Show the form; nothing is asked yet."""
    return await _show(request, parts)


async def ask(request: Request, parts: Parts) -> Response:
    """Show what would become of a message. Nothing is sent or kept."""
    place, language = await place_of(request, parts), request.state.language
    body = body_of(request.state.form)
    if place.tenant is None:
        return await _show(request, parts, problems=[said(language, "where.no_tenant")], status=422)
    if isinstance(body, str):
        return await _show(request, parts, problems=[said(language, body)], status=422)
    try:
        found = await parts.sending.explain(place.tenant, body)
    except (CallerError, Forbidden) as error:
        problems = [parts.sending.sentence(each, language) for each in findings_of(error)]
        return await _show(request, parts, problems=problems or [error.detail], status=422)
    return await _show(request, parts, found=found)


def body_of(form: dict[str, str]) -> dict[str, Any] | str:
    """Give the members of the send call for what was asked; the key of a text where it cannot be one."""
    written = form.get("destinations", "").replace(",", "\n").replace(";", "\n")
    destinations = [line.strip() for line in written.splitlines() if line.strip()]
    if not destinations:
        return "where.no_destination"
    if len(destinations) > LONGEST:
        return "where.too_many"
    return {
        "from": form.get("sender", ""),
        "destinations": destinations,
        "text": form.get("text", ""),
        "type": TYPES.get(form.get("class", ""), 0),
        "useUnicode": AUTO,
        "scheduled": form.get("at", "").strip(),
    }


async def _show(
    request: Request,
    parts: Parts,
    *,
    found: Explanation | None = None,
    problems: list[str] | None = None,
    status: int = 200,
) -> Response:
    place, language = await place_of(request, parts), request.state.language
    senders = [each.name for each in await parts.ledger.senders() if place.tenant and each.tenant_id == place.tenant.id]
    fates = await _fates(parts, place, found, await lines_of(parts, place, language)) if found else []
    return render(
        request,
        "where.html",
        status=status,
        **place.values(),
        here=PATH,
        back=link(PATH, tenant=place.named),
        path=PATH,
        form=request.state.form,
        senders=sorted(senders),
        classes=list(TYPES),
        problems=problems or [],
        found=found,
        fates=fates,
        sentence=lambda finding: parts.sending.sentence(finding, language),
    )


async def _fates(
    parts: Parts, place: Place, found: Explanation, lines: list[Line]
) -> list[tuple[DestinationFate, Line | None]]:
    """Give each destination with the rule that it falls under."""
    own = [each for each in await parts.ledger.routes() if place.tenant and each.tenant_id == place.tenant.id]
    by_id = {line.id: line for line in lines}
    rules = [_rule(each) for each in own]
    fates = []
    for fate in found.destinations:
        rule = choose(rules, found.sender, found.traffic_class, fate.carrier) if fate.msisdn else None
        fates.append((fate, by_id[rule.id] if rule else None))
    return fates


def _rule(record: RouteRecord) -> Route:
    return Route(record.id, record.position, record.steps, record.sender, record.traffic_class, record.carrier)
