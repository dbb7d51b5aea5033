"""Routes: a tenant's rules in the order in which they are tried, in words; adding, moving and removing them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console.catalogue import said
from loa.console.channel import WRONG
from loa.console.formats import number
from loa.console.language import Language
from loa.console.pages import link, render
from loa.console.parts import Parts
from loa.console.place import Place, place_of
from loa.console.refusals import said_of
from loa.domain.numbering.table import Carrier
from loa.domain.routes import LEARNED, RouteStep
from loa.domain.traffic import TrafficClass
from loa.ports.records import RouteRecord

PATH: Final = "/console/routes"
STEPS: Final = 4
"""Steps that the form of a new rule has room for; the command line takes more."""
CLASSES: Final = tuple(each.label for each in TrafficClass)
CARRIERS: Final = tuple(Carrier)
STEP_FIELDS: Final = ("channel", "after", "from", "until")


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step in words. `closed`: its channel is paused or gone, so messages wait for it or pass it by."""

    channel: str
    conditions: tuple[str, ...]
    after: str
    closed: str


@dataclass(frozen=True, slots=True)
class Line:
    """One rule in words. `place`: counted from 1."""

    id: int
    place: int
    conditions: tuple[tuple[str, str], ...]
    steps: tuple[StepLine, ...]


async def lines_of(parts: Parts, place: Place, language: Language) -> list[Line]:
    """Write the rules of the tenant looked at, in the order in which they are tried."""
    channels = {each.id: each for each in await parts.ledger.channels()}
    names = {number: (each.name, "paused" if each.paused else "") for number, each in channels.items()}
    own = [each for each in await parts.ledger.routes() if place.tenant and each.tenant_id == place.tenant.id]
    return [_line(each, order, names, language) for order, each in enumerate(own, 1)]


def _line(record: RouteRecord, order: int, names: Mapping[int, tuple[str, str]], language: Language) -> Line:
    conditions = []
    if record.sender:
        conditions.append(("column.sender", record.sender))
    if record.traffic_class is not None:
        conditions.append(("column.class", said(language, f"class.{record.traffic_class.label}")))
    if record.carrier:
        conditions.append(("route.carrier", said(language, f"carrier.{record.carrier}")))
    last = len(record.steps) - 1
    steps = tuple(_step(each, names, language, last=at == last) for at, each in enumerate(record.steps))
    return Line(record.id, order, tuple(conditions), steps)


def _step(step: RouteStep, names: Mapping[int, tuple[str, str]], language: Language, *, last: bool) -> StepLine:
    name, closed = names.get(step.channel_id, (str(step.channel_id), "gone"))
    conditions = []
    if step.classes:
        words = ", ".join(said(language, f"class.{each.label}") for each in step.classes)
        conditions.append(said(language, "step.classes", classes=words))
    if step.carriers:
        words = ", ".join(said(language, f"carrier.{each}") for each in step.carriers)
        conditions.append(said(language, "step.carriers", carriers=words))
    if step.hours is not None:
        begin, end = (f"{each // 60:02}:{each % 60:02}" for each in (step.hours.begin, step.hours.end))
        conditions.append(said(language, "step.hours", begin=begin, end=end))
    return StepLine(name, tuple(conditions), _after(step, language, last=last), closed)


def _after(step: RouteStep, language: Language, *, last: bool) -> str:
    if last:
        return ""
    if step.wait_s is None:
        return said(language, "step.refused")
    if step.wait_s == LEARNED:
        return said(language, "step.usual")
    return said(language, "step.silent", seconds=number(step.wait_s, language))


async def routes(request: Request, parts: Parts) -> Response:
    """Show the rules, and the form of a new one."""
    return await _show(request, parts)


async def add(request: Request, parts: Parts) -> Response:
    """Add a rule."""
    place, form = await place_of(request, parts), request.state.form
    if place.tenant is None:
        return await _show(request, parts, status=422)
    try:
        await parts.acts.do(
            request,
            "routes.add",
            tenant=place.tenant.name,
            channels=[step for at in range(1, STEPS + 1) if (step := written_step(form, at))],
            sender=form.get("sender", ""),
            traffic_class=form.get("class") or None,
            carrier=form.get("carrier", ""),
        )
    except WRONG as error:
        return await _show(request, parts, problem=said_of(error, request.state.language), status=422)
    return _back(place)


def written_step(form: Mapping[str, str], at: int) -> str:
    """Write a step of the form as the command line takes it; "" where it names no channel."""
    channel, after, begin, end = (form.get(f"{name}{at}", "").strip() for name in STEP_FIELDS)
    if not channel:
        return ""
    classes = [each for each in CLASSES if f"class{at}.{each}" in form]
    carriers = [each for each in CARRIERS if f"carrier{at}.{each}" in form]
    conditions = (
        ("after", after),
        ("class", "+".join(classes)),
        ("carrier", "+".join(carriers)),
        ("hours", f"{begin}-{end}" if begin or end else ""),
    )
    return ",".join([channel, *(f"{name}={value}" for name, value in conditions if value)])


async def move(request: Request, parts: Parts) -> Response:
    """Put a rule at another place."""
    place, form = await place_of(request, parts), request.state.form
    try:
        await parts.acts.do(
            request, "routes.move", route_id=request.path_params["route_id"], place=int(form.get("place", "0"))
        )
    except ValueError:
        return await _show(request, parts, problem=said(request.state.language, "routes.no_place"), status=422)
    except WRONG as error:
        return await _show(request, parts, problem=said_of(error, request.state.language), status=422)
    return _back(place)


async def removal(request: Request, parts: Parts) -> Response:
    """Show what the removal of a rule means."""
    place = await place_of(request, parts)
    lines = await lines_of(parts, place, request.state.language)
    line = next((each for each in lines if each.id == request.path_params["route_id"]), None)
    if line is None:
        return await _show(request, parts, problem=said(request.state.language, "routes.gone"), status=404)
    return render(request, "route_removal.html", **place.values(), line=line, alone=len(lines) == 1)


async def remove(request: Request, parts: Parts) -> Response:
    """Remove a rule."""
    try:
        await parts.acts.do(request, "routes.remove", route_id=request.path_params["route_id"])
    except WRONG as error:
        return await _show(request, parts, problem=said_of(error, request.state.language), status=404)
    return _back(await place_of(request, parts))


def _back(place: Place) -> Response:
    return RedirectResponse(link(PATH, tenant=place.named), 303)


async def _show(request: Request, parts: Parts, *, problem: str = "", status: int = 200) -> Response:
    place = await place_of(request, parts)
    senders = [each.name for each in await parts.ledger.senders() if place.tenant and each.tenant_id == place.tenant.id]
    form: dict[str, Any] = dict(request.state.form)
    return render(
        request,
        "routes.html",
        status=status,
        **place.values(),
        here=PATH,
        back=link(PATH, tenant=place.named),
        lines=await lines_of(parts, place, request.state.language),
        problem=problem,
        form=form,
        channels=sorted(each.name for each in await parts.ledger.channels()),
        senders=sorted(senders),
        classes=CLASSES,
        carriers=CARRIERS,
        steps=range(1, STEPS + 1),
    )
