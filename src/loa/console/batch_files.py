"""What can be taken away of a batch: the rows that are not sent, each with why, and what became of the others."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from loa.console.batch_form import why
from loa.console.catalogue import said
from loa.console.formats import destination
from loa.console.language import Language
from loa.console.parts import Parts, visitor_of
from loa.domain.batch_plan import from_json
from loa.domain.destination import USER_PREFIX, user_destination
from loa.domain.ids import message_public_id
from loa.domain.lifecycle import State
from loa.domain.roles import May, may
from loa.domain.table_file import written_rows
from loa.ports.batches import Batch, BatchPart, BatchState, SentMessage

PARTS_AT_ONCE: Final = 20
CHUNKS_LOOKED_AT: Final = 100
NAMED_AT_ONCE: Final = 500
"""Submissions that are asked for in one query."""
BYTE_ORDER_MARK: Final = "\ufeff"
"""Spreadsheets take a file for UTF-8 only where it begins with this."""


def is_own(request: Request, batch: Batch) -> bool:
    """Tell whether somebody handed the batch in themselves: what is in it they know."""
    return batch.who == visitor_of(request).name


def sees_numbers(request: Request, batch: Batch) -> bool:
    """Tell whether somebody may see the numbers of a batch whole."""
    return is_own(request, batch) or may(visitor_of(request).role, May.SEE_NUMBERS)


def sees_rows_of_others(request: Request) -> bool:
    """Tell whether somebody may see rows that others handed in."""
    role = visitor_of(request).role
    return may(role, May.SEE_CONTENT) and may(role, May.SEE_NUMBERS)


async def may_see_rows(request: Request, parts: Parts, batch: Batch) -> bool:
    """Tell whether somebody may see rows; a look at those of somebody else is in the audit log before."""
    if is_own(request, batch):
        return True
    if not sees_rows_of_others(request):
        return False
    await parts.content_shown(request, f"batch {batch.id}")
    return True


def attached(name: str, pieces: AsyncIterator[str]) -> Response:
    """Answer with a file."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)


async def bad_rows(parts: Parts, batch: Batch, language: Language) -> AsyncIterator[str]:
    """Write the rows that are not sent, with why, as they came."""
    titles = (said(language, "batches.csv.row"), said(language, "batches.csv.why"), *batch.columns)
    yield BYTE_ORDER_MARK + written_rows([titles])
    row = 0
    while (chunk := await parts.ledger.batch_rows(batch, row)) is not None:
        found = sorted(chunk.bad.items())
        lines = [
            (str(number + 1), why(parts, finding, language), *chunk.rows[number - chunk.first])
            for number, finding in found
        ]
        if lines:
            yield written_rows(lines)
        row = chunk.first + len(chunk.rows)


async def outcomes(parts: Parts, batch: Batch, language: Language, *, whole: bool) -> AsyncIterator[str]:
    """Write what became of each row that is worked off."""
    names = ("row", "destination", "message", "state", "error")
    yield BYTE_ORDER_MARK + written_rows([tuple(said(language, f"batches.csv.{name}") for name in names)])
    after = -1
    while found := await parts.ledger.batch_parts(batch, after, PARTS_AT_ONCE):
        for part in found:
            yield written_rows(await _outcomes_of(parts, batch, part, language, whole=whole))
        after = found[-1].first


async def _outcomes_of(
    parts: Parts, batch: Batch, part: BatchPart, language: Language, *, whole: bool
) -> list[tuple[str, ...]]:
    rows = await parts.ledger.batch_rows(batch, part.first)
    column = from_json(batch.plan).destination
    known = {(each.referent_id, each.destination): each for each in await _messages(parts, batch, part)}
    lines: dict[int, tuple[str, ...]] = {}
    for referent_id, numbers in part.sent:
        for number in numbers:
            cell = rows.rows[number - rows.first][column] if rows is not None else ""
            at = _destination(parts, cell)
            message = known.get((referent_id, at)) if at is not None else None
            lines[number] = _line(number, at, message, language, whole=whole)
    for number, finding in part.left.items():
        lines[number] = (str(number + 1), "", "", said(language, "batches.not_sent"), why(parts, finding, language))
    return [lines[number] for number in sorted(lines)]


def _line(
    number: int, at: int | None, message: SentMessage | None, language: Language, *, whole: bool
) -> tuple[str, ...]:
    shown = "" if at is None else destination(at, whole=whole)
    if message is None:
        return (str(number + 1), shown, "", said(language, "batches.unknown_message"), "")
    state = said(language, f"state.{State(message.state).label}")
    return (str(number + 1), shown, message_public_id(message.id), state, message.error)


def _destination(parts: Parts, cell: str) -> int | None:
    if cell.startswith(USER_PREFIX):
        return user_destination(cell.removeprefix(USER_PREFIX))
    known = parts.read_number(cell)
    return None if known is None else int(known)


async def _messages(parts: Parts, batch: Batch, part: BatchPart) -> Sequence[SentMessage]:
    names = [referent_id for referent_id, _ in part.sent]
    found: list[SentMessage] = []
    for first in range(0, len(names), NAMED_AT_ONCE):
        found += await parts.ledger.sent_messages(batch.tenant_id, names[first : first + NAMED_AT_ONCE])
    return found


async def states_of(parts: Parts, batch: Batch) -> dict[str, int]:
    """Count the messages of a batch by state."""
    counts: Counter[int] = Counter()
    after = -1
    while found := await parts.ledger.batch_parts(batch, after, PARTS_AT_ONCE):
        for part in found:
            counts.update(each.state for each in await _messages(parts, batch, part))
        after = found[-1].first
    return {state.label: counts[state] for state in State if counts[state]}


async def reasons(parts: Parts, batch: Batch, language: Language) -> list[dict[str, Any]]:
    """Tell why rows cannot be sent, the commonest first, each with the first row of its kind that is soon found."""
    wanted = dict(batch.findings) if batch.state is BatchState.CHECKED else {}
    said_of: dict[str, tuple[int, str]] = {}
    row = 0
    for _ in range(CHUNKS_LOOKED_AT):
        if not wanted.keys() - said_of.keys():
            break
        chunk = await parts.ledger.batch_rows(batch, row)
        if chunk is None:
            break
        for number, finding in sorted(chunk.bad.items()):
            said_of.setdefault(finding.code, (number + 1, why(parts, finding, language)))
        row = chunk.first + len(chunk.rows)
    in_order = sorted(wanted.items(), key=lambda each: -each[1])
    known = ((code, count, said_of.get(code, (0, code))) for code, count in in_order)
    return [{"count": count, "row": first, "why": sentence} for _, count, (first, sentence) in known]
