"""Rules: what holds for a tenant's messages, where each rule comes from, and what the tenant changes of it."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console.catalogue import has, said
from loa.console.channel import WRONG
from loa.console.formats import number
from loa.console.language import Language
from loa.console.pages import link, render
from loa.console.parts import Parts
from loa.console.place import place_of
from loa.console.refusals import said_of
from loa.domain.traffic import OnUnknown

PATH: Final = "/console/rules"
ON_UNKNOWN: Final = tuple(each.value for each in OnUnknown)
MEMBERS: Final = ("lifetime_s", "on_unknown", "evidence_wait_s")
GROUPS: Final = (
    (
        "hours",
        ("advertising.hours_enforced", "advertising.hours_open", "advertising.hours_last", "advertising.hours_close"),
    ),
    ("labels", ("advertising.label", "advertising.labels")),
    ("numbers", ("numbers.countries", "numbers.convert_2018_prefixes", "numbers.table")),
    (
        "limits",
        (
            "limits.text_chars_max",
            "limits.segments_max",
            "limits.destinations_max",
            "limits.schedule_days_max",
            "limits.ext_bytes_max",
            "limits.body_bytes_max",
            "limits.json_depth_max",
            "limits.accepts_in_flight_max",
            "limits.disk_free_min_bytes",
            "limits.request_id_keep_hours",
        ),
    ),
)
"""Settings that are shown, by what they are about."""
SOURCES: Final[Mapping[str, str]] = {
    "sending_hours": "hours",
    "advertising_label": "labels",
    "segments": "limits",
    "sender_form": "senders",
}
"""Rules of the ruleset, and the group of settings that each works with."""


async def rules(request: Request, parts: Parts) -> Response:
    """Show the rules."""
    return await _show(request, parts)


async def change(request: Request, parts: Parts) -> Response:
    """Change what a tenant has of its own in a class policy; an empty field goes back to the installation's."""
    place, form = await place_of(request, parts), request.state.form
    given = {name: form.get(name, "").strip() or None for name in MEMBERS}
    if place.tenant is None:
        return await _show(request, parts)
    policies = {form.get("class", ""): given}
    try:
        await parts.acts.do(request, "tenants.policies", name=place.tenant.name, policies=policies)
    except WRONG as error:
        code = f"rules.wrong.{error.code}"
        language = request.state.language
        return await _show(request, parts, problem=said(language, code) if has(code) else said_of(error, language))
    return RedirectResponse(link(PATH, tenant=place.named), 303)


async def _show(request: Request, parts: Parts, problem: str = "") -> Response:
    place, language = await place_of(request, parts), request.state.language
    shown = await parts.acts.read("rules.show", tenant=place.tenant.name) if place.tenant else None
    settings = {each["name"]: each for each in shown["settings"]} if shown else {}
    return render(
        request,
        "rules.html",
        status=422 if problem else 200,
        **place.values(),
        here=PATH,
        back=link(PATH, tenant=place.named),
        path=PATH,
        shown=shown,
        groups=[(name, [_setting(settings[each], language) for each in names]) for name, names in GROUPS]
        if shown
        else [],
        sources={SOURCES[each["name"]]: each["name"] for each in shown["rules"]} if shown else {},
        on_unknown=ON_UNKNOWN,
        problem=problem,
        form=request.state.form,
    )


def _setting(row: Mapping[str, Any], language: Language) -> dict[str, Any]:
    return {**row, "label": f"rule.{row['name']}", "word": _word(row["value"], language), "origin": row["origin"]}


def _word(value: Any, language: Language) -> str:
    if isinstance(value, bool):
        return said(language, "yes" if value else "no")
    if isinstance(value, int | float):
        return number(value, language)
    if isinstance(value, list):
        return ", ".join(map(str, value)) or said(language, "none")
    key = f"rule.value.{value}"
    return said(language, key) if value and has(key) else str(value) or said(language, "none")
