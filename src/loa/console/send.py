"""Send: one form, what would become of it beside it, and the same call as code. Intake decides, not this screen."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console.messages import line
from loa.console.pages import link, render
from loa.console.parts import Parts, visitor_of
from loa.console.place import Place, place_of
from loa.console.refusals import said_of
from loa.console.send_form import (
    LIVE,
    TYPES,
    UNICODE,
    Filled,
    field_of,
    new_nonce,
    read_filled,
)
from loa.console.send_look import LIVE_DESTINATIONS, Look, lay_out
from loa.console.snippets import KEY, LANGUAGES, Call
from loa.domain.lifecycle import State, is_final
from loa.domain.roles import May, may
from loa.domain.rules import Finding, findings_of
from loa.domain.template import ENABLED, Template
from loa.errors import CallerError, Forbidden, StorageError

PATH: Final = "/console/send"
SEND_CALL: Final = "/api/vendor/v1/sms/send-message"
PREFILLED: Final = ("sender", "type", "template", "mode", "content")
"""What an address may fill in. Texts and numbers may not: addresses end up in logs and histories."""
SHOWN: Final = 20
"""Messages of a submission that its page lists."""
WRITTEN: Final = 20
"""Destinations that stand in code: ten thousand would be sent with every look."""
TROUBLE_MAX: Final = 600
"""Characters of what stands against one field: ten thousand numbers may all be bad."""
_OPEN: Final = frozenset(state.label for state in State if not is_final(state))


@dataclass(frozen=True, slots=True)
class Desk:
    """What one look at the form works with. `templates`: enabled ones of the channels that the tenant's routes use."""

    request: Request
    parts: Parts
    place: Place
    filled: Filled
    senders: tuple[str, ...]
    templates: tuple[Template, ...]

    @property
    def template(self) -> Template | None:
        """The template that was chosen."""
        return next((each for each in self.templates if each.template_id == self.filled.template), None)

    @property
    def body(self) -> dict[str, Any]:
        """The body of the send call, as a program would write it."""
        return self.filled.body(self.template)

    def sentence(self, finding: Finding) -> str:
        """Say a finding."""
        return self.parts.sending.sentence(finding, self.request.state.language)


@dataclass(slots=True)
class Troubles:
    """What stands against sending: by field, and against the whole."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)

    def values(self) -> dict[str, Any]:
        """Give what the page shows."""
        wrong = {name: " ".join(dict.fromkeys(said))[:TROUBLE_MAX] for name, said in self.fields.items()}
        return {"wrong": defaultdict(str, wrong), "problems": list(dict.fromkeys(self.whole))}


async def send(request: Request, parts: Parts) -> Response:
    """Show the form."""
    if not may(visitor_of(request).role, May.SEND):
        return _refused(request, await place_of(request, parts))
    given = {name: request.query_params.get(name, "") for name in PREFILLED}
    return await _page(await _desk(request, parts, read_filled(given, parts.read_number, new_nonce())))


async def act(request: Request, parts: Parts) -> Response:
    """Look at a filled form once more, have it confirmed, or send it."""
    if not may(visitor_of(request).role, May.SEND):
        return _refused(request, await place_of(request, parts))
    form = request.state.form
    desk = await _desk(request, parts, read_filled(form, parts.read_number))
    if form.get("do") == "send" and desk.place.tenant is not None:
        return await _send(desk, form.get("confirmed", ""))
    return await _page(desk)


async def sent(request: Request, parts: Parts) -> Response:
    """Show what became of a submission: the messages it is made of."""
    place = await place_of(request, parts)
    referent_id = request.path_params["referent_id"]
    found = None
    if place.tenant is not None:
        found = await parts.ledger.submission(place.tenant.id, referent_id)
    if found is None or place.tenant is None:
        return render(request, "send_missing.html", status=404, **place.values())
    rows = await parts.ledger.submission_messages(place.tenant.id, referent_id, 0, SHOWN + 1)
    whole = may(visitor_of(request).role, May.SEE_NUMBERS)
    return render(
        request,
        "send_done.html",
        **place.values(),
        submission=found,
        lines=[line(row, whole=whole) for row in rows[:SHOWN]],
        more=len(rows) > SHOWN,
        open=any(row["state"] in _OPEN for row in rows),
        repeated=request.query_params.get("repeated") == "1",
        reused=request.query_params.get("reused") == "1",
    )


async def _desk(request: Request, parts: Parts, filled: Filled) -> Desk:
    place = await place_of(request, parts)
    if place.tenant is None:
        return Desk(request, parts, place, filled, (), ())
    tenant_id = place.tenant.id
    senders = tuple(sorted(each.name for each in await parts.ledger.senders() if each.tenant_id == tenant_id))
    routes = [each for each in await parts.ledger.routes() if each.tenant_id == tenant_id]
    channels = {step.channel_id for route in routes for step in route.steps}
    known = {
        each.template_id: each
        for each in await parts.ledger.templates()
        if each.channel_id in channels and each.status == ENABLED
    }
    templates = tuple(sorted(known.values(), key=lambda each: (each.name, each.template_id)))
    if not filled.sender and senders:
        filled = replace(filled, sender=senders[0])
    return Desk(request, parts, place, filled, senders, templates)


async def _page(desk: Desk, troubles: Troubles | None = None, *, status: int = 200) -> Response:
    look, shown, against = await _look(desk)
    return render(
        desk.request,
        "send.html",
        status=status,
        **desk.place.values(),
        **(troubles or Troubles()).values(),
        filled=desk.filled,
        senders=desk.senders,
        templates=desk.templates,
        chosen=desk.template,
        types=TYPES,
        unicode=UNICODE,
        look=look,
        cut_short=shown < len(desk.filled.pieces),
        shown=shown,
        look_against=against,
        snippets=_snippets(desk),
        key=KEY,
        written=WRITTEN,
        now=desk.parts.clock.now(),
        back=link(PATH, tenant=desk.place.named),
        action=link(PATH, tenant=desk.place.named),
    )


async def _look(desk: Desk) -> tuple[Look | None, int, list[str]]:
    """Ask for the dry run, with how many destinations were looked at, and what stands against the form as a whole."""
    pieces = desk.filled.pieces
    if "hx-request" in desk.request.headers:
        pieces = pieces[:LIVE_DESTINATIONS]
    tenant = desk.place.tenant
    if tenant is None or not desk.filled.says_something or not desk.filled.sender:
        return None, len(pieces), []
    body = {**desk.body, "destinations": list(pieces) or [""]}
    try:
        said = await desk.parts.sending.explain(tenant, body, live=desk.filled.live)
    except CallerError as error:
        return None, len(pieces), [desk.sentence(each) for each in findings_of(error)]
    look = lay_out(said, desk.filled, desk.templates, desk.sentence)
    return (look if pieces else replace(look, bad=(), bad_count=0)), len(pieces), []


async def _send(desk: Desk, confirmed: str) -> Response:
    tenant, filled, body = desk.place.tenant, desk.filled, desk.body
    assert tenant is not None
    body = {**body, "requestId": filled.sent_as(body)}
    try:
        said = await desk.parts.sending.explain(tenant, body, live=filled.live)
        if found := (*said.denied, *said.findings):
            return await _page(desk, _troubles(desk, found), status=422)
        look = lay_out(said, filled, desk.templates, desk.sentence)
        if look.count > 1 and confirmed != look.stamp:
            return _confirm(desk, look)
        taken = await desk.parts.sending.submit(desk.request, tenant, body, live=filled.live)
    except (CallerError, Forbidden) as error:
        found = findings_of(error)
        troubles = _troubles(desk, found) if found else Troubles(whole=[said_of(error, desk.request.state.language)])
        return await _page(desk, troubles, status=422)
    except StorageError as error:
        return await _page(desk, Troubles(whole=[said_of(error, desk.request.state.language)]), status=503)
    told = {"repeated": "1" if taken.repeated else "", "reused": "1" if taken.warnings else ""}
    return RedirectResponse(link(f"{PATH}/{taken.referent_id}", tenant=desk.place.named, **told), 303)


def _troubles(desk: Desk, found: tuple[Finding, ...]) -> Troubles:
    troubles = Troubles()
    for each in found:
        name = field_of(each.where)
        if desk.filled.by_template and name == "text":
            name = "fallback"
        if name:
            troubles.fields.setdefault(name, []).append(_named(each, desk))
        else:
            troubles.whole.append(desk.sentence(each))
    return troubles


def _named(found: Finding, desk: Desk) -> str:
    """Say a finding, with the destination it speaks of."""
    number = found.where.removeprefix("destinations[").removesuffix("]")
    said = desk.sentence(found)
    return f"{desk.filled.pieces[int(number)]}: {said}" if number.isdecimal() else said


def _confirm(desk: Desk, look: Look) -> Response:
    return render(
        desk.request,
        "send_confirm.html",
        **desk.place.values(),
        look=look,
        filled=desk.filled,
        hidden=desk.filled.hidden(),
        type_label=TYPES[desk.filled.type],
        live=LIVE,
        now=desk.parts.clock.now(),
        back=link(PATH, tenant=desk.place.named),
        action=link(PATH, tenant=desk.place.named),
    )


def _snippets(desk: Desk) -> Mapping[str, str]:
    origin = f"{desk.request.url.scheme}://{desk.request.url.netloc}"
    body = {**desk.body, "destinations": list(desk.filled.pieces[:WRITTEN])}
    call = Call("POST", origin + SEND_CALL, body)
    return {name: write(call) for name, write in LANGUAGES.items()}


def _refused(request: Request, place: Place) -> Response:
    return render(request, "refused.html", status=403, **place.values())
