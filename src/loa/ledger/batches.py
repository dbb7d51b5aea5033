"""What is done with batches, once for both engines, as programs: see loa.ledger.users.

Rows lie in chunks, packed: a million short rows take some 30 MB so, and one chunk is all that is ever unpacked at once.
"""

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from loa.domain.rules import Finding
from loa.ledger.users import Program, clean
from loa.ports.batches import Batch, BatchNote, BatchPart, BatchRows, BatchState, NewBatch, SentMessage

_FAST: Final = 1
"""How hard zlib tries: rows come in while somebody waits."""


def pack(value: Any) -> bytes:
    """Write a value small."""
    return zlib.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), _FAST)


def unpack(packed: bytes) -> Any:
    """Read what `pack` wrote."""
    return json.loads(zlib.decompress(packed))


def read_batch(row: Any) -> Batch:
    """Read a row of batch."""
    own = list(row)
    own[4], own[5], own[6] = BatchState(own[4]), tuple(json.loads(own[5])), bool(own[6])
    for place in (8, 18, 19):
        own[place] = json.loads(own[place])
    own[20] = bool(own[20])
    return Batch(*own)


def read_rows(row: Any) -> BatchRows:
    """Read a chunk."""
    first, rows, bad = row
    return BatchRows(first, [tuple(each) for each in unpack(rows)], _read_findings(bad))


def read_part(row: Any) -> BatchPart:
    """Read a part."""
    first, count, at, outcome = row
    told = unpack(outcome)
    sent = [(referent_id, tuple(rows)) for referent_id, rows in told["sent"]]
    return BatchPart(first, count, at, sent, _findings(told["left"]), told["counts"])


def _read_findings(packed: bytes | None) -> dict[int, Finding]:
    return {} if packed is None else _findings(unpack(packed))


def _findings(told: Mapping[str, Any]) -> dict[int, Finding]:
    return {int(row): Finding(*said) for row, said in told.items()}


def _told(findings: Mapping[int, Finding]) -> dict[str, Any]:
    """Write findings down; of their values what a sentence is made with."""
    return {
        str(row): [
            each.where,
            each.code,
            {name: value for name, value in each.values.items() if isinstance(value, str | int | float)},
        ]
        for row, each in findings.items()
    }


def add(new: NewBatch) -> Program:
    """Add a batch that is loading; gives its row."""
    columns = clean(json.dumps(list(new.columns), ensure_ascii=False))
    values = (new.tenant_id, clean(new.name), clean(new.who), columns, new.live, new.created_at)
    rows = yield "add_batch", values
    return (yield "read_batch_to_change", (rows[0][0],))[0]


def add_rows(tenant_id: int, batch_id: int, first: int, rows: Sequence[tuple[str, ...]]) -> Program:
    """Add a chunk to a batch that is loading: what is added to one that is gone nothing would ever remove."""
    found = yield "read_batch_to_change", (batch_id,)
    if not found or found[0][4] != BatchState.LOADING:
        return False
    yield "add_batch_chunk", (tenant_id, batch_id, first, pack(rows))
    return True


def listed(tenant_id: int, before: int | None, limit: int) -> Program:
    """Read batches of a tenant."""
    return (yield "read_batches", (tenant_id, before if before is not None else 2**62, limit))


def set_plan(batch_id: int, plan: Mapping[str, Any]) -> Program:
    """Keep a plan and begin to check."""
    rows = yield "set_batch_plan", (batch_id, clean(json.dumps(dict(plan), ensure_ascii=False)))
    if rows:
        yield "forget_marks", (rows[0][0], batch_id)
    return bool(rows)


def move(batch_id: int, origin: Sequence[BatchState], state: BatchState, now: int) -> Program:
    """Move a batch."""
    found = yield "read_batch_to_change", (batch_id,)
    if not found or found[0][4] not in origin:
        return False
    over = state in (BatchState.STOPPED, BatchState.FINISHED)
    yield "move_batch", (batch_id, state.value, now if over else None)
    return True


def remove(batch_id: int) -> Program:
    """Delete a batch that nobody works on."""
    gone = yield "remove_batch", (batch_id,)
    if gone:
        yield "remove_chunks", (gone[0][0], batch_id)
        yield "remove_parts", (gone[0][0], batch_id)
    return bool(gone)


def claim(batch_id: int, owner: str, now: int, until: int) -> Program:
    """Take or keep the right to work on a batch; gives its row or None."""
    rows = yield "claim_batch", (batch_id, owner, now, until)
    return (yield "read_batch_to_change", (batch_id,))[0] if rows else None


def restart_check(batch_id: int, owner: str) -> Program:
    """Begin the check anew."""
    rows = yield "restart_check", (batch_id, owner)
    if rows:
        yield "forget_marks", (rows[0][0], batch_id)


def note_checked(batch_id: int, owner: str, note: BatchNote) -> Program:
    """Keep what came of checking a chunk."""
    found = yield "read_checking", (batch_id, owner, note.first)
    if not found:
        return False
    row_count, counts, findings, tenant_id = found[0]
    checked = note.first + note.count
    state = BatchState.CHECKED if checked >= row_count else BatchState.CHECKING
    yield (
        "note_checked",
        (batch_id, checked, state.value, _added(counts, note.counts), _added(findings, note.findings)),
    )
    if note.bad:
        yield "mark_chunk", (tenant_id, batch_id, note.first, pack(_told(note.bad)))
    return True


def begin_slice(batch_id: int, owner: str, end: int, now: int, until: int) -> Program:
    """Begin a slice or find it begun; gives the batch's row or None."""
    rows = yield "begin_slice", (batch_id, owner, end, now, until)
    return (yield "read_batch_to_change", (batch_id,))[0] if rows else None


def record_slice(batch_id: int, part: BatchPart) -> Program:
    """Keep what came of a slice, once."""
    found = yield "read_slice", (batch_id, part.first)
    if not found:
        return False
    row_count, counts, state, tenant_id = found[0]
    end = part.first + part.count
    if end >= row_count and state in (BatchState.RUNNING, BatchState.PAUSED):
        state, done_at = BatchState.FINISHED.value, part.at
    else:
        done_at = None
    yield "record_slice", (batch_id, end, _added(counts, part.counts), state, done_at)
    told = {"sent": part.sent, "left": _told(part.left), "counts": dict(part.counts)}
    yield "add_part", (tenant_id, batch_id, part.first, part.count, part.at, pack(told))
    return True


def _added(known: str, more: Mapping[str, int]) -> str:
    return json.dumps(dict(Counter(json.loads(known)) + Counter(more)))


def read_sent(rows: Sequence[Any]) -> list[SentMessage]:
    """Read rows of messages."""
    return [SentMessage(*row) for row in rows]


def to_forget(limit: int, now: int, keep_ms: Mapping[str, int]) -> Program:
    """Forget the rows of batches past their time, and in the end that there were any; gives how many batches."""
    batches_at_once = max(1, limit // 1_000)
    # Rows hold texts and numbers, so they go with the first of the two.
    rows_before = now - min(keep_ms["content"], keep_ms["numbers"])
    old = yield "batches_to_forget", (rows_before, batches_at_once)
    for tenant_id, batch_id in old:
        yield "remove_chunks", (tenant_id, batch_id)
        yield "remove_parts", (tenant_id, batch_id)
        yield "forget_batch", (batch_id,)
    over = yield "batches_to_purge", (now - keep_ms["history"], batches_at_once)
    for tenant_id, batch_id in over:
        yield "remove_chunks", (tenant_id, batch_id)
        yield "remove_parts", (tenant_id, batch_id)
        yield "purge_batch", (batch_id,)
    return len(old) + len(over)
