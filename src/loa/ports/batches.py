"""Batches: tables of rows that somebody handed in, to be checked and sent. Times: milliseconds since the epoch.

A row has a number from 0 and never changes. What is worked off is worked off in slices of consecutive rows: a slice
that was begun keeps its bounds until it is recorded, so that whoever does it again does exactly the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from loa.domain.rules import Finding


class BatchState(StrEnum):
    """Where a batch stands."""

    LOADING = "loading"
    """Its rows are still coming in."""
    DRAFT = "draft"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    """For good: the rows that were left are not sent."""
    FINISHED = "finished"


WORKED_ON: tuple[BatchState, ...] = (BatchState.CHECKING, BatchState.RUNNING)
OVER: tuple[BatchState, ...] = (BatchState.STOPPED, BatchState.FINISHED)


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A table whose rows are about to come. `live`: whether it goes over real channels."""

    tenant_id: int
    name: str
    who: str
    columns: tuple[str, ...]
    live: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch, without its rows.

    `plan`: what becomes of the columns, {} while nobody has said. `rate`: messages a second, 0 for no limit.
    `checked`, `position`: how many rows, from the first, are checked and worked off. `slice_end`: the bound of a slice
    that was begun at `slice_begun_at`, not after `position` where none is. `counts`, `findings`: see BatchNote.
    `forgotten`: its rows are past their time.
    """

    id: int
    tenant_id: int
    name: str
    who: str
    state: BatchState
    columns: tuple[str, ...]
    live: bool
    created_at: int
    plan: Mapping[str, Any] = field(default_factory=dict)
    rate: int = 0
    start_at: int = 0
    begun_at: int | None = None
    done_at: int | None = None
    row_count: int = 0
    checked: int = 0
    position: int = 0
    slice_end: int = 0
    slice_begun_at: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    findings: Mapping[str, int] = field(default_factory=dict)
    forgotten: bool = False

    @property
    def unfinished(self) -> bool:
        """Whether a slice was begun and not recorded."""
        return self.slice_end > self.position


@dataclass(frozen=True, slots=True)
class BatchRows:
    """A chunk of rows. `bad`: what stands against rows, by their number; known once they are checked."""

    first: int
    rows: Sequence[tuple[str, ...]]
    bad: Mapping[int, Finding] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchNote:
    """What came of checking consecutive rows. `counts` and `findings`, rows by code, are added to the batch's."""

    first: int
    count: int
    bad: Mapping[int, Finding]
    counts: Mapping[str, int]
    findings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BatchPart:
    """What came of one slice. `sent`: rows by the submission they went into; `left`: why rows were not sent."""

    first: int
    count: int
    at: int
    sent: Sequence[tuple[str, Sequence[int]]] = ()
    left: Mapping[int, Finding] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message as a report needs it."""

    referent_id: str
    id: int
    destination: int
    state: int
    error: str


class BatchReading(Protocol):
    """What is read of batches; a tenant sees its own alone."""

    async def batches(self, tenant_id: int, before: int | None, limit: int) -> list[Batch]:
        """Give batches of a tenant, newest first, below an id."""
        ...

    async def batch(self, tenant_id: int, batch_id: int) -> Batch | None:
        """Give a batch of a tenant."""
        ...

    async def batch_rows(self, batch: Batch, row: int) -> BatchRows | None:
        """Give the chunk that holds a row, as it was added; None where it is not kept."""
        ...

    async def batch_parts(self, batch: Batch, after: int, limit: int) -> list[BatchPart]:
        """Give parts whose first row comes after a number, in order; from the start with -1."""
        ...

    async def sent_messages(self, tenant_id: int, referent_ids: Sequence[str]) -> list[SentMessage]:
        """Give the messages of submissions, those of one in the order of their ids."""
        ...


class Batches(BatchReading, Protocol):
    """The whole of it. A call that names states does nothing and gives False where the batch is in none of them."""

    async def add_batch(self, new: NewBatch) -> Batch:
        """Add a batch that is loading."""
        ...

    async def add_batch_rows(self, batch: Batch, first: int, rows: Sequence[tuple[str, ...]]) -> bool:
        """Add a chunk to a batch that is loading, whose first row has that number."""
        ...

    async def end_loading(self, batch_id: int, row_count: int) -> None:
        """Note that all rows are in: the batch is a draft."""
        ...

    async def set_batch_plan(self, batch_id: int, plan: Mapping[str, Any]) -> bool:
        """Say what becomes of the columns of a draft; checking begins, from the first row."""
        ...

    async def move_batch(self, batch_id: int, origin: Sequence[BatchState], state: BatchState, now: int) -> bool:
        """Move a batch from one of some states to another."""
        ...

    async def start_batch(self, batch_id: int, rate: int, start_at: int, now: int) -> bool:
        """Let a checked batch run, not before a time."""
        ...

    async def remove_batch(self, batch_id: int) -> bool:
        """Delete a batch with its rows, unless it is loading or being worked on. What was sent stays."""
        ...

    async def open_batches(self, now: int) -> list[Batch]:
        """Give what is to be worked on now; of what is stopped, what has a slice that was begun and not recorded."""
        ...

    async def claim_batch(self, batch_id: int, owner: str, now: int, until: int) -> Batch | None:
        """Take the right to work on a batch, or keep it; None where another has it, or nothing is to be done."""
        ...

    async def restart_check(self, batch_id: int, owner: str) -> None:
        """Check from the first row again: what a checker knew of the rows before is lost."""
        ...

    async def note_checked(self, batch_id: int, owner: str, note: BatchNote) -> bool:
        """Keep what came of checking the next chunk; after the last one the batch is checked. False: it is not ours."""
        ...

    async def begin_slice(self, batch_id: int, owner: str, end: int, now: int, until: int) -> Batch | None:
        """Begin a slice up to a row, or find the one that was begun; None where it runs no more, or elsewhere."""
        ...

    async def record_slice(self, batch_id: int, part: BatchPart) -> bool:
        """Keep what came of the slice at the batch's position, once; after the last row the batch is finished."""
        ...
