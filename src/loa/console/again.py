"""Sending again: a new message with the content of an old one, never twice by accident."""

from typing import Any, Final

from starlette.requests import Request

from loa.console.parts import Parts
from loa.domain.destination import is_user, written
from loa.domain.ids import message_public_id
from loa.domain.lifecycle import State
from loa.domain.rules import findings_of
from loa.domain.ruling import Effect
from loa.domain.traffic import VENDOR_TYPES, OnUnknown
from loa.errors import CallerError
from loa.ports.records import MessageFilter, Row, Tenant

REFUSED: Final = "refused"
AS_WRITTEN: Final = 1
_TYPES: Final = {each.label: number for number, each in VENDOR_TYPES.items()}


def request_id_of(public: str) -> str:
    """Name the one request by which a message is sent again."""
    return f"again-{public}"


async def send_again(request: Request, parts: Parts, tenant: Tenant, message_id: int) -> tuple[str, str]:
    """Send a message again: an effect, and the new submission, or why it was refused.

    The request id follows from the message, so the intake recognises a repeat; what it has forgotten is looked up.
    Errors: Forbidden, StorageError.
    """
    row = await parts.ledger.message(tenant.id, message_id)
    if row is None:
        return Effect.MISSING, ""
    if row["state"] == State.UNKNOWN.label and row["after_wait"] != OnUnknown.NEVER:
        # It goes out once more by itself: two would follow it.
        return Effect.UNFIT, ""
    public = message_public_id(message_id)
    before = MessageFilter(destination=row["destination"], request_id=request_id_of(public))
    known = await parts.ledger.messages(tenant.id, before, None, 1)
    if known:
        return Effect.ALREADY, known[0]["referent_id"]
    found = await parts.ledger.submission(tenant.id, row["referent_id"])
    if found is None or not (row["text"] or found["ext"]):
        return Effect.UNFIT, ""
    try:
        taken = await parts.sending.submit(
            request, tenant, body_of(row, found, public), live=await _is_live(parts, found["key_id"])
        )
    except CallerError as refused:
        findings = findings_of(refused)
        why = parts.sending.sentence(findings[0], request.state.language) if findings else refused.detail
        return REFUSED, why
    return (Effect.ALREADY if taken.repeated else Effect.DONE), taken.referent_id


def body_of(row: Row, submission: Row, public: str) -> dict[str, Any]:
    """Write the request; it depends on the message alone, so that a repeat is recognised."""
    user = is_user(row["destination"])
    return {
        "destinations": [] if user else [written(row["destination"])],
        "from": row["sender"],
        "text": row["text"],
        "useUnicode": AS_WRITTEN,
        "type": _TYPES[row["class"]],
        "requestId": request_id_of(public),
        "ext": submission["ext"],
    }


async def _is_live(parts: Parts, key_id: int) -> bool:
    """Tell whether a message was meant for real channels: a test key's goes to the sandbox again."""
    return next((key.live for key in await parts.ledger.keys() if key.id == key_id), True)
