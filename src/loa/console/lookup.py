"""The search field: leads from whatever somebody has in hand to the message, the submission, or the list."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console.messages import REACH
from loa.console.pages import link, render
from loa.console.parts import Parts
from loa.console.place import Place, place_of
from loa.domain.destination import USER_PREFIX
from loa.domain.ids import MESSAGE_PREFIX, REFERENT_PREFIX, message_id_from, message_public_id
from loa.ports.records import MessageFilter, Tenant

PATH: Final = "/console/search"
LONGEST: Final = 200
HITS: Final = 20


async def search(request: Request, parts: Parts) -> Response:
    """Lead to what a text names; where it names nothing, say what can be looked for."""
    place = await place_of(request, parts)
    asked = request.query_params.get("q", "").strip()[:LONGEST]
    found = await _place_of(parts, place, place.tenant, asked) if asked and place.tenant is not None else ""
    if found:
        return RedirectResponse(found, 303)
    return render(request, "search.html", **place.values(), asked=asked, status=404 if asked else 200)


async def _place_of(parts: Parts, place: Place, tenant: Tenant, asked: str) -> str:
    """Give the address that a text leads to, "" for none."""
    if asked.startswith(MESSAGE_PREFIX):
        number = message_id_from(asked)
        row = None if number is None else await parts.ledger.message(tenant.id, number)
        return "" if row is None else _message(place, row["id"])
    if asked.startswith(USER_PREFIX) or parts.read_number(asked) is not None:
        return _list(place, destination=asked)
    return await _submission(parts, place, tenant, asked) or await _by_name(parts, place, tenant, asked)


async def _submission(parts: Parts, place: Place, tenant: Tenant, asked: str) -> str:
    """Look for a submission by its id, or by its token where it is this tenant's."""
    if asked.startswith(REFERENT_PREFIX):
        found = await parts.ledger.submission(tenant.id, asked)
    else:
        found = await parts.ledger.submission_by_token(asked)
    if found is None or found["tenant_id"] != tenant.id:
        return ""
    if found["message_count"] == 1:
        return _message(place, found["first_message_id"])
    return link(f"/console/submissions/{found['referent_id']}", tenant=place.named)


async def _by_name(parts: Parts, place: Place, tenant: Tenant, asked: str) -> str:
    """Look for what a provider or the tenant calls a message."""
    ids = await parts.ledger.messages_by_ref(tenant.id, asked, HITS)
    if ids:
        return _message(place, ids[0])
    # No index leads to a request id: it is looked for among the newest.
    named = (await parts.ledger.find_messages(tenant.id, MessageFilter(request_id=asked), None, 2, REACH)).rows
    if len(named) == 1:
        return _message(place, named[0]["id"])
    return _list(place, request_id=asked) if named else ""


def _message(place: Place, message_id: int) -> str:
    return link(f"/console/messages/{message_public_id(message_id)}", tenant=place.named)


def _list(place: Place, **query: str) -> str:
    return link("/console/messages", tenant=place.named, **query)
