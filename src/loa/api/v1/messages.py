"""Messages: list and filter, one with its whole timeline, cancel one."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, Field

from loa.api.v1 import models, views
from loa.api.v1.cursors import CursorKind, read_cursor, write_cursor
from loa.api.v1.parts import Page, Parts, PartsHere, Reader, Submitter
from loa.domain.ids import message_id_from
from loa.domain.keys import Permission
from loa.domain.lifecycle import State
from loa.domain.rules import Finding, refusal
from loa.domain.traffic import TrafficClass
from loa.errors import CallerError, NotFound
from loa.ports.records import MessageFilter

router = APIRouter()

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STATE: Final = "|".join(state.label for state in State)
_STATES: Final = f"^({_STATE})(,({_STATE}))*$"

MessageId = Annotated[str, Path(alias="messageId", description="As callbacks and lists give it.", examples=["msg_1B4"])]


class MessageQuery(Page):
    """Narrow the list; conditions are joined by "and", and what is left out matches everything."""

    state: str | None = Field(
        default=None,
        pattern=_STATES,
        max_length=200,
        description="One or several, with commas.",
        examples=["sent,unknown"],
    )
    traffic_class: models.ClassName | None = Field(default=None, validation_alias="class")
    sender: str = Field(default="", max_length=50)
    channel: str = Field(default="", max_length=100)
    destination: str | None = Field(
        default=None,
        max_length=40,
        description="A whole number, in any form the send call takes.",
        examples=["0912345678"],
    )
    request_id: str = Field(default="", max_length=200)
    since: AwareDatetime | None = Field(default=None, description="Accepted at this time or later (RFC 3339).")
    until: AwareDatetime | None = Field(default=None, description="Accepted before this time (RFC 3339).")
    dead: bool | None = Field(default=None, description="Only dead letters, or only others.")


@router.get("/messages", operation_id="listMessages", tags=["Messages"])
async def list_messages(
    parts: PartsHere, caller: Reader, wanted: Annotated[MessageQuery, Query()], request: Request, response: Response
) -> models.Messages:
    """List messages, newest first. The `Link` header and `nextCursor` lead to the next page."""
    before = read_cursor(CursorKind.MESSAGES, wanted.cursor)
    rows = await parts.ledger.messages(caller.tenant_id, _filter(parts, wanted), before, wanted.limit + 1)
    next_cursor = None
    if len(rows) > wanted.limit:
        rows = rows[: wanted.limit]
        next_cursor = write_cursor(CursorKind.MESSAGES, rows[-1]["id"])
        response.headers["Link"] = _link(request.url.path, dict(request.query_params), next_cursor)
    now = parts.clock.now()
    return models.Messages(messages=[views.message(row, now) for row in rows], next_cursor=next_cursor)


@router.get("/messages/{messageId}", operation_id="readMessage", tags=["Messages"])
async def read_message(parts: PartsHere, caller: Reader, message_id: MessageId) -> models.Timeline:
    """Read a message with attempts, segments, receipts, events, and callbacks with every try."""
    number = message_id_from(message_id)
    row = None if number is None else await parts.ledger.timeline(caller.tenant_id, number)
    if row is None:
        raise NotFound
    return views.timeline(row, now=parts.clock.now(), with_content=caller.may(Permission.READ_CONTENT))


@router.delete("/messages/{messageId}", operation_id="cancelMessage", tags=["Messages"], status_code=204)
async def cancel_message(parts: PartsHere, caller: Submitter, message_id: MessageId) -> Response:
    """Cancel one message that is still queued: 204, or 409 when it is past that."""
    number = message_id_from(message_id)
    now = parts.clock.now()
    cancelled = None if number is None else await parts.ledger.cancel_message(caller.tenant_id, number, now)
    if cancelled is None:
        raise NotFound
    if not cancelled:
        raise CallerError("not_cancellable")
    return Response(status_code=204)


def _filter(parts: Parts, wanted: MessageQuery) -> MessageFilter:
    return MessageFilter(
        states=tuple(views.state_of(label) for label in wanted.state.split(",")) if wanted.state else (),
        traffic_class=TrafficClass[wanted.traffic_class.upper()] if wanted.traffic_class else None,
        destination=_number(parts, wanted.destination) if wanted.destination else None,
        sender=wanted.sender,
        channel=wanted.channel,
        request_id=wanted.request_id,
        since=milliseconds(wanted.since),
        until=milliseconds(wanted.until),
        dead=wanted.dead,
    )


def milliseconds(at: datetime | None) -> int | None:
    """Read a time with an offset as milliseconds since the epoch."""
    return None if at is None else (at - _EPOCH) // timedelta(milliseconds=1)


def _number(parts: Parts, written: str) -> int:
    known = parts.read_number(written)
    if known is None:
        raise refusal(Finding("?destination", "wrong_form"))
    return int(known)


def _link(path: str, query: Mapping[str, str], cursor: str) -> str:
    return f'<{path}?{urlencode({**query, "cursor": cursor})}>; rel="next"'
