"""What the page of the first minutes does: send, turn a knob, answer from a handset, crash."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console.catalogue import said
from loa.console.crashing import counted, figures, request_id
from loa.console.handsets import PATH, TEXTS, Written, chosen, page, world_of
from loa.console.language import Language
from loa.console.pages import link, render
from loa.console.parts import Parts, visitor_of
from loa.console.place import place_of
from loa.console.refusals import said_of
from loa.console.world import ANSWERED, RUN
from loa.domain.ids import message_public_id
from loa.domain.lifecycle import State
from loa.domain.roles import May, may
from loa.domain.rules import findings_of
from loa.errors import CallerError, Forbidden, LoaError
from loa.ports.records import MessageFilter, Tenant

SENDER: Final = "LOA-DEMO"
CHANNELS: Final = {"sms": "demo-smsc", "zalo": "demo-zalo"}
TYPES: Final = {"otp": 2, "transactional": 0, "advertising": 1}
RUN_NUMBERS: Final = tuple(f"09120000{number:02}" for number in range(RUN))
"""None of them ends in a way that the demo's SMSC knows a special ending for."""
LONGEST: Final = 2_000
LOOK_S: Final = 0.02
LOOKS: Final = 100
UNDER_WAY: Final = frozenset({State.QUEUED.label, State.SENDING.label})


async def send(request: Request, parts: Parts) -> Response:
    """Send a text as the form says."""
    form = request.state.form
    fields = {
        **chosen(form),
        "number": form.get("number", "").strip()[:40],
        "text": form.get("text", "").strip()[:LONGEST],
    }
    via = fields["via"]
    tenant = (await place_of(request, parts)).tenant
    if tenant is None or not may(visitor_of(request).role, May.SEND):
        return _refused(request)
    body = call(fields)
    try:
        if via == "zalo" and not await _goes_over_zalo(parts, tenant, body):
            wrong = {"text": said(request.state.language, "phone.not_a_template", text=TEXTS["zalo"])}
            return await page(request, parts, status=422, sent=Written(fields, wrong))
        taken = await parts.sending.submit(request, tenant, body)
    except (CallerError, Forbidden) as error:
        return await page(request, parts, status=422, sent=Written(fields, _against(parts, error, request)))
    messages = await parts.ledger.submission_messages(tenant.id, taken.referent_id, 0, 1)
    return RedirectResponse(
        link(PATH, sent=message_public_id(messages[0]["id"]), via=via, **{"class": fields["class"]}), 303
    )


def call(fields: Mapping[str, str]) -> dict[str, Any]:
    """Write the vendor's call for a filled-in form."""
    via = fields["via"]
    return {
        "destinations": [fields["number"]],
        "from": SENDER,
        "text": fields["text"] or TEXTS[via],
        "scheduled": "",
        "requestId": "",
        "useUnicode": 1,
        "type": TYPES[fields["class"]],
        "ext": {"channels": [CHANNELS["sms"]]} if via == "sms" else {},
    }


async def _goes_over_zalo(parts: Parts, tenant: Tenant, body: Mapping[str, Any]) -> bool:
    """Tell whether a text is a registered template; where the number is wrong, intake says so itself."""
    explained = await parts.sending.explain(tenant, body)
    return all(fate.route[:1] in ((), (CHANNELS["zalo"],)) for fate in explained.destinations)


def _against(parts: Parts, error: CallerError | Forbidden, request: Request) -> dict[str, str]:
    """Put what stands against a request beside the field that it is about."""
    language: Language = request.state.language
    wrong: dict[str, str] = {}
    for finding in findings_of(error):
        name = "number" if finding.where.startswith("destinations") else "text"
        wrong[name] = parts.sending.sentence(finding, language)
    return wrong or {"text": said_of(error, language)}


async def turn(request: Request, parts: Parts) -> Response:
    """Turn one knob, or all of them off."""
    form = request.state.form
    knob = form.get("knob", "")
    try:
        if knob in world_of(parts).knobs:
            await parts.acts.do(request, "world.turn", knob=knob, on=form.get("on") == "1")
        else:
            await parts.acts.do(request, "world.normal")
    except Forbidden:
        return _refused(request)
    return RedirectResponse(f"{PATH}#knobs", 303)


async def reply(request: Request, parts: Parts) -> Response:
    """Let the person with a handset write to the Official Account, or follow it."""
    form = request.state.form
    asked = form.get("handset", "")
    handset = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
    text = form.get("text", "")
    try:
        if form.get("do") == "follow":
            await parts.acts.do(request, "world.follow", handset=handset)
        else:
            await parts.acts.do(request, "world.say", handset=handset, text=text)
    except Forbidden:
        return _refused(request)
    except CallerError as error:
        wrong = {"reply": said_of(error, request.state.language)}
        return await page(request, parts, status=422, reply=Written({"text": text}, wrong))
    return RedirectResponse(link(PATH, handset=handset), 303)


async def crash(request: Request, parts: Parts) -> Response:
    """Have the gateway killed, once this answer is on its way; with a run of messages under way if wished."""
    form = request.state.form
    role = visitor_of(request).role
    tenant = (await place_of(request, parts)).tenant
    if tenant is None or not may(role, May.SETTLE) or (form.get("run") == "1" and not may(role, May.SEND)):
        return _refused(request)
    if form.get("sure") != "1":
        wrong = said(request.state.language, "phone.crash.not_sure")
        return await page(request, parts, status=422, sure=wrong)
    run = ""
    if form.get("run") == "1":
        run = secrets.token_hex(3).upper()
        try:
            await _send_run(request, parts, tenant, run, form.get("class", ""))
        except LoaError as error:
            return await page(request, parts, status=422, sure=said_of(error, request.state.language))
    response = RedirectResponse(f"{PATH}#crash", 303)
    response.background = BackgroundTask(_fall, request, parts, tenant, run)
    return response


async def _send_run(request: Request, parts: Parts, tenant: Tenant, run: str, traffic_class: str) -> None:
    await world_of(parts).hold(run)
    fields = {**chosen({"class": traffic_class}), "text": said(request.state.language, "phone.crash.text", run=run)}
    body = {**call({**fields, "number": ""}), "destinations": list(RUN_NUMBERS), "requestId": request_id(run)}
    await parts.sending.submit(request, tenant, body)


async def _fall(request: Request, parts: Parts, tenant: Tenant, run: str) -> None:
    """Kill the gateway; where messages were sent for it, once most of them are handed over."""
    newest = await parts.ledger.messages(tenant.id, MessageFilter(), None, 1)
    at = int(newest[0]["id"]) if newest else 0
    rows = await counted(parts, tenant, run, at)
    for _ in range(LOOKS if run else 0):
        if sum(1 for row in rows if row["state"] not in UNDER_WAY) >= ANSWERED:
            break
        await parts.clock.sleep(LOOK_S)
        rows = await counted(parts, tenant, run, at)
    await parts.acts.do(request, "world.crash", run=run, newest=at, before=figures(rows))


def _refused(request: Request) -> Response:
    return render(request, "refused.html", status=403)
