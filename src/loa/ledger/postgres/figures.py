"""Figures: events are counted on a reading connection, and written together with how far all is counted.

Events are counted in the order of the feed, and only those before which nothing can come any more; where several
processes count the same ones, the first to write wins. What is accepted every commit notes in a row of its own.
"""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from loa.domain.figures import GRAINS_MS, KEPT_MS, Bill, Count, spend
from loa.ledger import reading
from loa.ledger.postgres.days import IMPORTED_END, day_of_id, first_id
from loa.ledger.postgres.statements import IMPORTED, QUERIES, statement
from loa.ledger.postgres.unit import Unit
from loa.ledger.reckoning import Reckoning
from loa.ports.records import Row

MOVES_AT_ONCE: Final = 10_000
IN_ORDER: Final = ("enable_sort", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "enable_material")
"""What the planner may not use while events are counted: it would rather sort all that are not counted yet, millions
after a long standstill, than read the first of them in the order of their index."""


async def reckon(connection: Any, limit: int) -> Reckoning:
    """Count what follows where counting stands, about so many events of each tenant."""
    async with connection.transaction(readonly=True):
        await connection.execute("".join(f"SET LOCAL {name} = off;" for name in IN_ORDER))
        return await _reckon(connection, limit)


async def _reckon(connection: Any, limit: int) -> Reckoning:
    row = await connection.fetchrow(QUERIES["figured"])
    begin = (row["xid"], row["event"])
    lowest = 0 if begin[1] < IMPORTED_END else first_id(day_of_id(begin[1]) - 1)
    reached = await connection.fetchrow(QUERIES["figured_up_to"], *begin, lowest, limit)
    last = reached or await connection.fetchrow(QUERIES["last_to_figure"], *begin, lowest)
    if last is None:
        noted = bool(await connection.fetchval(QUERIES["any_accepted"]))
        return Reckoning(begin, begin, (), due=noted, more=False)
    end = (last[0], last[1])
    counts: list[Count] = []
    for (day,) in await connection.fetch(QUERIES["days_to_figure"], *begin, *end, lowest):
        span = (1, IMPORTED_END) if day == IMPORTED else (first_id(day), first_id(day + 1))
        counts += await _reckon_day(connection, day, (*begin, *end, lowest, *span))
    return Reckoning(begin, end, tuple(counts), due=True, more=reached is not None)


async def _reckon_day(connection: Any, day: int, values: tuple[int, ...]) -> list[Count]:
    try:
        ended = await connection.fetch(statement("reckon_ended", day), *values)
        bills = await connection.fetch(statement("reckon_bills", day), *values)
    except asyncpg.UndefinedTableError:
        # Nothing is left of a day that is gone.
        return []
    return [*(Count(*row) for row in ended), *spend(Bill(*row) for row in bills)]


async def keep(unit: Unit, calls: list[Reckoning]) -> list[bool]:
    """Write counts, unless counting has moved on from where they begin; and what was accepted meanwhile."""
    return [await _keep(unit, call) for call in calls]


async def _keep(unit: Unit, reckoning: Reckoning) -> bool:
    if not await unit.rows("lock_figured", *reckoning.begin):
        return False
    accepted = [Count(*row) for row in await unit.rows("take_accepted", MOVES_AT_ONCE)]
    if reckoning.end != reckoning.begin:
        await unit.run("note_figured", *reckoning.end)
    await _add(unit, [*accepted, *reckoning.counts])
    return True


async def note_ages(unit: Unit, calls: list[Sequence[Count]]) -> list[None]:
    """Keep the highest age of each lane."""
    await _add(unit, [each for counts in calls for each in counts])
    return [None] * len(calls)


async def _add(unit: Unit, counts: Sequence[Count]) -> None:
    if counts:
        await unit.write("add_figures", counts, list(GRAINS_MS))


async def purge(unit: Unit, limit: int, now: int, history_ms: int) -> int:
    """Forget spans past their time."""
    kept = {grain: KEPT_MS.get(grain, history_ms) for grain in GRAINS_MS}
    return sum([len(await unit.rows("purge_figures", grain, now - ms, limit)) for grain, ms in kept.items()])


async def series(connection: Any, tenant_id: int, grain_ms: int, since: int, until: int) -> list[Row]:
    """Read figures span by span."""
    rows = await connection.fetch(QUERIES["figure_series"], tenant_id, grain_ms, since, until)
    return [reading.figure(dict(row)) for row in rows]


async def sums(connection: Any, tenant_id: int, grain_ms: int, since: int, until: int) -> list[Row]:
    """Read figures over the whole time."""
    rows = await connection.fetch(QUERIES["figure_sums"], tenant_id, grain_ms, since, until)
    return [reading.figure(dict(row)) for row in rows]
