"""The event feed, with which a receiver that was away catches up by itself, and warnings."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from loa.api.v1 import models, views
from loa.api.v1.cursors import CursorKind, read_cursor, write_cursor
from loa.api.v1.parts import PAGE_LIMIT, PAGE_USUAL, PartsHere, Reader
from loa.domain.callback_body import utc_text
from loa.domain.keys import Permission

router = APIRouter()


class FeedQuery(models.Asked):
    """From where to read, and how much."""

    after: str | None = Field(
        default=None, max_length=64, description="`nextCursor` of the page before; the start without."
    )
    limit: int = Field(default=PAGE_USUAL, ge=1, le=PAGE_LIMIT)


class WarningsQuery(models.Asked):
    """How many to read."""

    limit: int = Field(default=PAGE_USUAL, ge=1, le=PAGE_LIMIT)


@router.get("/events", operation_id="readEvents", tags=["Events"])
async def read_events(parts: PartsHere, caller: Reader, wanted: Annotated[FeedQuery, Query()]) -> models.Feed:
    """Read what happened after a cursor, oldest first; each event has the body of its callback.

    An event that repeats is recognised by `messageId` and `sequence`, an inbound one by `id`.
    """
    after = read_cursor(CursorKind.EVENTS, wanted.after, "after") or 0
    rows = await parts.ledger.events(caller.tenant_id, after, wanted.limit)
    reached = rows[-1]["id"] if rows else after
    with_content = caller.may(Permission.READ_CONTENT)
    events = [views.event(row, with_content=with_content) for row in rows]
    return models.Feed(events=events, next_cursor=write_cursor(CursorKind.EVENTS, reached))


@router.get("/warnings", operation_id="readWarnings", tags=["Events"])
async def read_warnings(parts: PartsHere, caller: Reader, wanted: Annotated[WarningsQuery, Query()]) -> models.Warnings:
    """Read the latest warnings, such as a `requestId` that came again with another body."""
    rows = await parts.ledger.warnings(caller.tenant_id, wanted.limit)
    return models.Warnings(
        warnings=[models.Warned(at=utc_text(row["at"]), kind=row["kind"], detail=row["detail"]) for row in rows]
    )
