"""One channel: how it stands, what waits for it, what went wrong; testing, pausing and changing it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console.catalogue import has, said
from loa.console.channel_forms import boxes, meaning, read_fields, texts_of, wrong_of
from loa.console.channels import Card, address_of, cards
from loa.console.formats import field_time
from loa.console.language import Language
from loa.console.pages import link, render
from loa.console.parts import Parts
from loa.console.place import Place, place_of
from loa.domain.figures import DAY_MS, QUARTER_MS, Kind, floor_ms
from loa.domain.latency import learned
from loa.domain.lifecycle import State
from loa.errors import CallerError, ConfigError, LoaError, NotFound
from loa.ports.records import ChannelRecord

WRONG: Final = (CallerError, ConfigError, NotFound)
"""What verbs have against a wish. Forbidden and storage errors are answered elsewhere."""
ERRORS_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting in the list of a channel's settings."""

    name: str
    value: str
    meaning: str
    chosen: bool


async def provider_of(parts: Parts, name: str) -> dict[str, Any]:
    """Give what a provider declares; nothing of one that is not installed."""
    for each in await parts.acts.read("channels.providers"):
        if each["name"] == name:
            return dict(each)
    return {"name": name, "settings": [], "simulated": False, "needsGrant": False, "describes": False}


async def record_of(request: Request, parts: Parts) -> ChannelRecord | None:
    """Find the channel that the address names."""
    wanted = request.path_params["name"]
    return next((each for each in await parts.ledger.channels() if each.name == wanted), None)


def missing(request: Request, place: Place) -> Response:
    """Answer that there is no such channel."""
    return render(request, "channel_missing.html", status=404, **place.values())


async def channel(request: Request, parts: Parts) -> Response:
    """Show a channel."""
    return await _show(request, parts)


async def test(request: Request, parts: Parts) -> Response:
    """Try a channel step by step and show how far it got."""
    try:
        tried = await parts.acts.do(request, "channels.test", name=request.path_params["name"])
    except WRONG as error:
        return await _show(request, parts, trial=failed(error, request.state.language))
    return await _show(request, parts, trial=trial_of(tried, request.state.language))


async def pause(request: Request, parts: Parts) -> Response:
    """Pause a channel."""
    return await _do(request, parts, "channels.pause")


async def resume(request: Request, parts: Parts) -> Response:
    """Let a channel go on."""
    return await _do(request, parts, "channels.resume")


async def connect(request: Request, parts: Parts) -> Response:
    """Make a link by which a person consents, and show it this once."""
    try:
        made = await parts.acts.do(request, "grants.connect", name=request.path_params["name"])
    except WRONG as error:
        return await _show(request, parts, problem=sentence_of(error, request.state.language))
    return await _show(request, parts, consent={**made, "expires_at": instant_of(made["expiresAt"])})


async def _do(request: Request, parts: Parts, verb: str) -> Response:
    name = request.path_params["name"]
    try:
        await parts.acts.do(request, verb, name=name)
    except WRONG as error:
        return await _show(request, parts, problem=sentence_of(error, request.state.language))
    place = await place_of(request, parts)
    return RedirectResponse(link(address_of(name), tenant=place.named), 303)


def trial_of(tried: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Lay out the steps of a test."""
    steps = [{**step, "label": _step_label(step["name"], language)} for step in tried["steps"]]
    return {"ok": tried["ok"], "steps": steps, "wrong": {}}


def failed(error: Exception, language: Language, declared: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Lay out a test that could not begin."""
    assert isinstance(error, WRONG)
    return {"ok": False, "steps": [], "wrong": wrong_of(error, declared, language)}


def sentence_of(error: LoaError, language: Language) -> str:
    """Say an error where no form stands."""
    return " ".join(wrong_of(error, (), language).values())


def _step_label(name: str, language: Language) -> str:
    side, _, rest = name.rpartition(" ")
    key = f"trial.{rest}"
    label = said(language, key) if has(key) else rest
    return f"{label} ({said(language, 'trial.side.receiver')})" if side else label


def instant_of(text: str | None) -> int | None:
    """Read a time as the verbs write it. Units: milliseconds since the epoch."""
    return None if text is None else int(datetime.fromisoformat(text).timestamp() * 1000)


async def _show(request: Request, parts: Parts, **said_too: Any) -> Response:
    place, record = await place_of(request, parts), await record_of(request, parts)
    if record is None:
        return missing(request, place)
    language = request.state.language
    (card,) = cards([record], parts.channel_states())
    provider = await provider_of(parts, record.provider)
    settings, problem = await _settings(parts, record, provider, language)
    values = {
        "problem": problem,
        "trial": None,
        "consent": None,
        "lanes": await _lanes(parts, record.id),
        "errors": await _errors(parts, place, record.name),
        "grant": await _grant(parts, record.name) if provider["needsGrant"] else None,
        "usual": await _usual(parts, record.id),
        **said_too,
    }
    refused = values["problem"] and values["problem"] != problem
    return render(
        request,
        "channel.html",
        status=422 if refused or (values["trial"] or {}).get("wrong") else 200,
        **place.values(),
        **values,
        here=address_of(record.name),
        back=link(address_of(record.name), tenant=place.named),
        address=address_of(record.name),
        card=card,
        waiting=sum(row["count"] for row in values["lanes"]),
        provider=provider,
        settings=settings,
        added=request.query_params.get("added") == "1",
        rate=_rate(card),
        since=field_time(parts.clock.now() - DAY_MS),
    )


def _rate(card: Card) -> tuple[float, float, int] | None:
    rate = card.status.rate if card.status else None
    return None if rate is None else (rate.limit, rate.now, rate.used)


async def _settings(
    parts: Parts, record: ChannelRecord, provider: Mapping[str, Any], language: Language
) -> tuple[list[Shown], str]:
    """Give a channel's settings as they may be seen, and what is wrong with them or keeps it from running."""
    listed = await parts.acts.read("channels.list")
    own = next(each for each in listed if each["name"] == record.name)
    problem = own.get("problem") or ""
    try:
        whole = (await parts.acts.read("channels.show", name=record.name)).get("allSettings", own["settings"])
    except ConfigError as error:
        whole, problem = own["settings"], sentence_of(error, language)
    declared = {each["name"]: each for each in provider["settings"]}
    texts = texts_of(whole, [{"name": name, "default": None} for name in whole])
    shown = [
        Shown(
            name,
            _word(value, texts[name], language),
            meaning(provider["name"], declared[name], language) if name in declared else "",
            name in own["settings"],
        )
        for name, value in whole.items()
    ]
    return sorted(shown, key=lambda each: not each.chosen), problem


def _word(value: Any, text: str, language: Language) -> str:
    return said(language, "yes" if value else "no") if isinstance(value, bool) else text


async def _lanes(parts: Parts, channel_id: int) -> list[dict[str, Any]]:
    now = parts.clock.now()
    return [
        {**row, "age": max(0, now - row["oldest_due_at"]) if row["oldest_due_at"] else 0}
        for row in await parts.ledger.depths()
        if row["channel_id"] == channel_id
    ]


async def _errors(parts: Parts, place: Place, name: str) -> list[tuple[str, str, int]]:
    """Give a channel's commonest errors of a tenant's last day: code, state, count."""
    if place.tenant is None:
        return []
    until = floor_ms(parts.clock.now(), QUARTER_MS) + QUARTER_MS
    rows = await parts.ledger.figure_sums(place.tenant.id, QUARTER_MS, until - DAY_MS, until)
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row["kind"] == Kind.ENDED and row["error"] and row["channel"] == name:
            counts[row["error"], State(row["code"]).label] += row["count"]
    return [(*which, count) for which, count in counts.most_common(ERRORS_SHOWN) if count > 0]


async def _grant(parts: Parts, name: str) -> dict[str, Any] | None:
    for each in await parts.acts.read("grants.list"):
        if each["channel"] == name:
            times = {
                word: instant_of(each.get(member))
                for word, member in (
                    ("issued", "issuedAt"),
                    ("access", "accessExpiresAt"),
                    ("refresh", "refreshExpiresAt"),
                    ("renews", "renewsAt"),
                )
            }
            return {**each, "times": {word: at for word, at in times.items() if at is not None}}
    return None


async def _usual(parts: Parts, channel_id: int) -> list[tuple[str, int]]:
    known = learned(await parts.ledger.usual_waits())
    return [(each.label, seconds) for (channel, each), seconds in sorted(known.items()) if channel == channel_id]


async def settings(request: Request, parts: Parts) -> Response:
    """Show a channel's settings as a form."""
    return await _form(request, parts)


async def change(request: Request, parts: Parts) -> Response:
    """Change a channel's settings, or try them first."""
    record = await record_of(request, parts)
    if record is None:
        return missing(request, await place_of(request, parts))
    form, language = request.state.form, request.state.language
    declared = (await provider_of(parts, record.provider))["settings"]
    given, unset = read_fields(form, declared)
    trying = form.get("do") == "try"
    args: dict[str, Any] = {"name": record.name, "settings": given, "unset": unset}
    if trying:
        args["provider"] = record.provider
    try:
        answer = await parts.acts.do(request, "channels.try" if trying else "channels.set", **args)
    except WRONG as error:
        return await _form(request, parts, trial=failed(error, language, declared))
    if trying:
        return await _form(request, parts, trial=trial_of(answer, language))
    place = await place_of(request, parts)
    return RedirectResponse(link(address_of(record.name), tenant=place.named), 303)


async def _form(request: Request, parts: Parts, trial: Mapping[str, Any] | None = None) -> Response:
    place, record = await place_of(request, parts), await record_of(request, parts)
    if record is None:
        return missing(request, place)
    provider = await provider_of(parts, record.provider)
    declared = provider["settings"]
    sent = {name.removeprefix("set."): text for name, text in request.state.form.items()}
    secret = {each["name"] for each in declared if each["secret"]}
    known = {each["name"] for each in declared}
    wrong = trial["wrong"] if trial else {}
    return render(
        request,
        "channel_settings.html",
        status=422 if wrong else 200,
        **place.values(),
        here=address_of(record.name),
        back=link(f"{address_of(record.name)}/settings", tenant=place.named),
        address=address_of(record.name),
        name=record.name,
        provider=provider,
        boxes=boxes(
            provider,
            request.state.language,
            sent if request.method == "POST" else texts_of(record.settings, declared),
            kept=frozenset(each for each in secret if record.settings.get(each)),
            wrong=wrong,
        ),
        unknown=sorted(record.settings.keys() - known),
        trial=trial,
    )
