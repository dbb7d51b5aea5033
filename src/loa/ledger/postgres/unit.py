"""What the statements of one transaction share: the connection, what the process knows, and what follows the commit.

Values cross as one array a column, taken apart by `unnest` there: one statement a kind of row and commit.
"""

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from loa.domain.traffic import TrafficClass
from loa.ledger.contents import Content, Contents
from loa.ledger.postgres.days import Days
from loa.ledger.postgres.marks import Marks
from loa.ledger.postgres.nodes import Node
from loa.ledger.postgres.statements import IMPORTED, by_day, columns, statement, suffix
from loa.ports.channel import Attempt
from loa.ports.probe import Probe
from loa.seal.sealer import Sealer

CLASSES = {c.value: c for c in TrafficClass}


@dataclass(slots=True)
class Batch:
    """One claim of this process, on disk until each of its attempts has its outcome there. Units: milliseconds."""

    id: int
    claimed_at: int
    left: int


@dataclass(slots=True)
class Shared:
    """What every connection of one process shares. `open`: the attempts this process has claimed and not recorded."""

    probe: Probe
    node: Node
    days: Days
    marks: Marks
    request_keep_ms: int
    sealer: Sealer
    contents: Contents = field(default_factory=Contents)
    open: dict[tuple[int, int], Batch] = field(default_factory=dict)
    numbers: deque[int] = field(default_factory=deque)
    """Numbers for submissions, in stock since `numbers_at`."""
    numbers_at: float = 0.0
    every_step: dict[int, tuple[float, bool]] = field(default_factory=dict)
    rematch_after: int = 0
    next_claim: int = 1
    in_doubt: dict[int, int] = field(default_factory=dict)
    """Claims whose commit may or may not have happened, with the numbers of their transactions (0: it has happened).

    Nothing of them was handed over, so they are given back as soon as it is known."""
    told: Callable[[], None] = lambda: None
    """Called after a commit that may have left something to do for other processes."""

    def abandon(self, attempts: list[Attempt]) -> None:
        """Have attempts given back that were claimed for a caller who is gone."""
        for attempt in attempts:
            batch = self.open.pop((attempt.message_id, attempt.number), None)
            if batch is not None:
                self.in_doubt[batch.id] = 0


@dataclass(slots=True)
class Unit:
    """One transaction. `after`: what is to be done once it is committed, before anybody is told."""

    connection: Any
    shared: Shared
    moves: Counter[tuple[int, int]] = field(default_factory=Counter)
    after: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    wakes: bool = False
    xid: int = 0
    """The transaction, where what became of it must be found out if the answer to its commit is lost."""

    async def run(self, name: str, *values: Any, day: int | None = None) -> None:
        """Run a statement."""
        await self.connection.fetch(statement(name, day), *values)

    async def rows(self, name: str, *values: Any, day: int | None = None) -> list[Any]:
        """Give the rows of a query."""
        return await self.connection.fetch(statement(name, day), *values)  # type: ignore[no-any-return]

    async def value(self, name: str, *values: Any, day: int | None = None) -> Any:
        """Give the one value of a query."""
        return await self.connection.fetchval(statement(name, day), *values)

    async def write(self, name: str, rows: Sequence[Sequence[Any]], *values: Any, day: int | None = None) -> list[Any]:
        """Run a statement over rows, which go in as one array a column; `values` follow them."""
        return await self.rows(name, *columns(rows), *values, day=day)

    async def write_by_day(self, name: str, rows: Iterable[Sequence[Any]], key: int, *values: Any) -> list[Any]:
        """Run a statement over rows, once for each day of the id in column `key`; days that are gone are left out."""
        found: list[Any] = []
        for day, group in by_day(rows, lambda row: row[key]):
            if await self.keeps(day):
                found += await self.write(name, group, *values, day=day)
        return found

    async def keeps(self, day: int) -> bool:
        """Tell whether the messages of a day are still here."""
        days = self.shared.days
        if day == IMPORTED or days.knows(day):
            return True
        found = await self.connection.fetchval("SELECT to_regclass($1)", f"message_{suffix(day)}")
        if found is not None:
            days.note(day)
        return found is not None

    def moved(self, channel_id: int, traffic_class: int, count: int) -> None:
        """Note that a lane grew or shrank."""
        self.moves[channel_id, traffic_class] += count

    async def finish(self) -> None:
        """Write down how the lanes moved; the last thing before the commit."""
        rows = [[channel_id, lane, count] for (channel_id, lane), count in self.moves.items() if count]
        if rows:
            await self.write("note_moves", rows)

    async def content(self, ids: set[tuple[int, int]]) -> dict[int, Content]:
        """Give the contents of submissions, named by tenant and id, from the cache where it has them."""
        missing = set(self.shared.contents.missing(submission for _, submission in ids))
        if missing:
            wanted = [pair for pair in ids if pair[1] in missing]
            self.shared.contents.keep(await self.write_by_day("read_contents", wanted, 1))
        return self.shared.contents.take(submission for _, submission in ids)


Handler = Callable[[Unit, list[Any]], Awaitable[list[Any]]]
"""Does the work of several calls of one kind in the open transaction; gives one result a call."""

Claimed = list[Attempt]
