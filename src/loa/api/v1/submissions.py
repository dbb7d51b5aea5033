"""Submissions: read one with its messages, cancel what is left of it, and its status for whoever holds its token."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from loa.api.v1 import models, views
from loa.api.v1.cursors import CursorKind, read_cursor, write_cursor
from loa.api.v1.parts import Page, Parts, PartsHere, Reader, Submitter
from loa.domain.keys import Permission
from loa.errors import CallerError, NotFound
from loa.ports.records import Row

router = APIRouter()

ReferentId = Annotated[
    str,
    Path(alias="referentId", description="As the send call gave it.", examples=["sub_01KAV2Z8Q4W6X9Y0T1R2E3A5B7"]),
]
Token = Annotated[
    str,
    Path(
        description="`data.token` of the send call's answer.", examples=["Zx3v0k2nD8m5qLr7Yt1WcB9hJ4sGfA6eUoPiKdTzXNM"]
    ),
]


@router.get("/submissions/{referentId}", operation_id="readSubmission", tags=["Submissions"])
async def read_submission(
    parts: PartsHere, caller: Reader, referent_id: ReferentId, page: Annotated[Page, Query()]
) -> models.Submission:
    """Read a submission and a page of its messages, in the order of its destinations."""
    row = await parts.ledger.submission(caller.tenant_id, referent_id)
    if row is None:
        raise NotFound
    rows, next_cursor = await _messages(parts, row, page)
    with_content = caller.may(Permission.READ_CONTENT)
    return views.submission(row, rows, next_cursor, now=parts.clock.now(), with_content=with_content)


@router.delete("/submissions/{referentId}", operation_id="cancelSubmission", tags=["Submissions"], status_code=204)
async def cancel_submission(parts: PartsHere, caller: Submitter, referent_id: ReferentId) -> Response:
    """Cancel every message of a submission that is still queued.

    204 when at least one was cancelled, 409 when none can be any more. Each cancelled message is reported like any
    other final state.
    """
    cancelled = await parts.ledger.cancel(caller.tenant_id, referent_id, parts.clock.now())
    if cancelled is None:
        raise NotFound
    if cancelled == 0:
        raise CallerError("not_cancellable")
    return Response(status_code=204)


@router.get("/status/{token}", operation_id="readStatus", tags=["Submissions"])
async def read_status(parts: PartsHere, token: Token, page: Annotated[Page, Query()]) -> models.TokenStatus:
    """Read the states of a submission by its token, without a key. Numbers are masked, text and names are not shown."""
    row = await parts.ledger.submission_by_token(token)
    if row is None:
        raise NotFound
    rows, next_cursor = await _messages(parts, row, page)
    return views.token_status(row, rows, next_cursor)


async def _messages(parts: Parts, row: Row, page: Page) -> tuple[list[Row], str | None]:
    after = read_cursor(CursorKind.SUBMISSION_MESSAGES, page.cursor) or 0
    rows = await parts.ledger.submission_messages(row["tenant_id"], row["referent_id"], after, page.limit + 1)
    if len(rows) <= page.limit:
        return rows, None
    rows = rows[: page.limit]
    return rows, write_cursor(CursorKind.SUBMISSION_MESSAGES, rows[-1]["id"])
