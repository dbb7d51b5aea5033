"""Making API keys: new ones, those of another gateway, and one in the place of another; and revoking them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console import keys
from loa.console.catalogue import said
from loa.console.formats import read_field_time
from loa.console.pages import link, render
from loa.console.parts import Parts, visitor_of
from loa.console.place import Place, place_of
from loa.console.refusals import said_of
from loa.domain.keys import DEFAULT_PERMISSIONS, Permission
from loa.domain.roles import May, may
from loa.errors import LoaError
from loa.ports.records import ApiKey, Endpoint, Sender, Tenant

MODES: Final = ("fingerprint", "strict", "off")
FIELDS_OF: Final = {
    "network": "networks",
    "expires_in_the_past": "expires",
    "key_form": "imported",
    "key_exists": "imported",
}
"""Which field an error of administration is about."""
_FILE: Final = "LOA_CLIENT__URL={url}\nLOA_CLIENT__API_KEY={secret}\n"


async def ask_new(request: Request, parts: Parts) -> Response:
    """Show the form of a new key."""
    return await _form(request, parts, _first())


async def ask_import(request: Request, parts: Parts) -> Response:
    """Show the form that takes over a key of another gateway."""
    return await _form(request, parts, _first(), importing=True)


async def new(request: Request, parts: Parts) -> Response:
    """Make a key and show it this once."""
    return await _make(request, parts, importing=False)


async def take_over(request: Request, parts: Parts) -> Response:
    """Take over a key of another gateway."""
    return await _make(request, parts, importing=True)


async def _make(request: Request, parts: Parts, *, importing: bool) -> Response:
    place, form = await place_of(request, parts), request.state.form
    wanted, wrong = await _wanted(request, parts, place, importing=importing)
    if wrong:
        return await _form(request, parts, form, wrong, importing=importing)
    try:
        made = await parts.acts.do(request, "keys.create", **wanted)
    except LoaError as error:
        why = said_of(error, request.state.language)
        return await _form(request, parts, form, {FIELDS_OF.get(error.code, ""): why}, importing=importing)
    if importing:
        return RedirectResponse(link(f"{keys.PATH}/{made['id']}", tenant=place.named), 303)
    return _shown_once(request, place, made)


async def _wanted(
    request: Request, parts: Parts, place: Place, *, importing: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    """Read the form into the arguments of `keys.create`, and what is wrong by field."""
    form, language = request.state.form, request.state.language
    expires, wrong = _expiry(request)
    code = form.get("success_code", "").strip()
    if code and not (code.isascii() and code.isdecimal()):
        wrong["success_code"] = said(language, "keys.wrong.number")
    if not form.get("name", "").strip():
        wrong["name"] = said(language, "keys.wrong.name")
    if not _may_grant(request, [each for each in Permission if form.get(f"permission.{each.value}")]):
        wrong[""] = said(language, "keys.wrong.content")
    senders = await _senders(parts, place.tenant)
    args: dict[str, Any] = {
        "name": form.get("name", ""),
        "live": form.get("live", "live") != "test",
        "permissions": [each.value for each in Permission if form.get(f"permission.{each.value}")],
        "senders": [each.name for each in senders if form.get(f"sender.{each.id}")],
        "networks": form.get("networks", "").split(),
        "expires_at": expires,
        "request_id_mode": form.get("request_id_mode", MODES[0]),
        "success_code": int(code) if code and "success_code" not in wrong else None,
        "endpoint": form.get("endpoint", ""),
    }
    if importing:
        args["imported"] = form.get("imported", "").strip()
        if not args["imported"]:
            wrong["imported"] = said(language, "error.key_form")
    if place.tenant is not None:
        args["tenant"] = place.tenant.name
    return args, wrong


def _may_grant(request: Request, permissions: Iterable[str]) -> bool:
    """Tell whether somebody may hand out a key with these permissions: none that sees more than they do."""
    return Permission.READ_CONTENT not in permissions or may(visitor_of(request).role, May.SEE_CONTENT)


def _expiry(request: Request) -> tuple[int | None, dict[str, str]]:
    text = request.state.form.get("expires", "").strip()
    at = read_field_time(text) if text else None
    if text and at is None:
        return None, {"expires": said(request.state.language, "wrong.since")}
    return at, {}


def _first() -> dict[str, str]:
    """Give what a new form holds."""
    return {"live": "live", **{f"permission.{each}": "1" for each in DEFAULT_PERMISSIONS}}


async def _senders(parts: Parts, tenant: Tenant | None) -> list[Sender]:
    return [each for each in await parts.ledger.senders() if tenant is not None and each.tenant_id == tenant.id]


async def _form(
    request: Request,
    parts: Parts,
    values: Mapping[str, str],
    wrong: Mapping[str, str] | None = None,
    *,
    importing: bool = False,
) -> Response:
    place = await place_of(request, parts)
    tenant = place.tenant
    endpoints: Sequence[Endpoint] = await parts.ledger.endpoints(tenant.id) if tenant is not None else ()
    return render(
        request,
        "key_form.html",
        status=422 if wrong else 200,
        **place.values(),
        values=defaultdict(str, values),
        wrong=defaultdict(str, wrong or {}),
        importing=importing,
        permissions=[each.value for each in Permission if _may_grant(request, [each])],
        modes=MODES,
        senders=await _senders(parts, tenant),
        endpoints=endpoints,
    )


def _shown_once(request: Request, place: Place, made: Mapping[str, Any], old: ApiKey | None = None) -> Response:
    url = f"{request.url.scheme}://{request.url.netloc}"
    return render(
        request,
        "key_made.html",
        **place.values(),
        back=link(f"{keys.PATH}/{made['id']}", tenant=place.named),
        made=made,
        url=url,
        file=_FILE.format(url=url, secret=made["apiKey"]),
        old=old,
    )


# one in the place of another


async def ask_rotate(request: Request, parts: Parts) -> Response:
    """Show how far a key's rotation is: before it, or both keys with when they were used."""
    return await _rotate_page(request, parts)


async def rotate(request: Request, parts: Parts) -> Response:
    """Make a key with the same rights and show it this once; the old one stays valid."""
    old = await keys.key_of(parts, request.path_params["key_id"])
    if old is None:
        return render(request, "missing.html", status=404)
    expires, wrong = _expiry(request)
    if not _may_grant(request, old.permissions):
        wrong[""] = said(request.state.language, "keys.wrong.content")
    if wrong:
        return await _rotate_page(request, parts, wrong)
    try:
        made = await parts.acts.do(request, "keys.rotate", key=str(old.id), expires_at=expires)
    except LoaError as error:
        why = said_of(error, request.state.language)
        return await _rotate_page(request, parts, {FIELDS_OF.get(error.code, ""): why})
    return _shown_once(request, await place_of(request, parts), made, old)


async def _rotate_page(request: Request, parts: Parts, wrong: Mapping[str, str] | None = None) -> Response:
    place, now = await place_of(request, parts), parts.clock.now()
    old = await keys.key_of(parts, request.path_params["key_id"])
    if old is None:
        return render(request, "missing.html", status=404)
    endpoints = await parts.ledger.endpoints(old.tenant_id)
    fresh = await keys.key_of(parts, request.query_params.get("new", ""))
    is_pair = fresh is not None and fresh.tenant_id == old.tenant_id and fresh.id != old.id
    return render(
        request,
        "key_rotate.html",
        status=422 if wrong else 200,
        **place.values(),
        old=keys.line(old, endpoints, now),
        fresh=keys.line(fresh, endpoints, now) if fresh is not None and is_pair else None,
        values=defaultdict(str, request.state.form),
        wrong=defaultdict(str, wrong or {}),
        now=now,
    )


# the end


async def revoke(request: Request, parts: Parts) -> Response:
    """Revoke a key once its last characters were typed."""
    found = await keys.key_of(parts, request.path_params["key_id"])
    if found is None:
        return render(request, "missing.html", status=404)
    language = request.state.language
    if request.state.form.get("word", "").strip() != keys.line(found, (), 0).word:
        return await keys.show(request, parts, said(language, "form.not_the_word"))
    try:
        await parts.acts.do(request, "keys.revoke", key=str(found.id))
    except LoaError as error:
        return await keys.show(request, parts, said_of(error, language))
    tenant = request.query_params.get("tenant", "")
    return RedirectResponse(link(f"{keys.PATH}/{found.id}", tenant=tenant), 303)
