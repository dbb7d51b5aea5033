"""Runs what is done with batches on the server, reads their messages, and forgets their rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from loa.ledger.batches import read_sent, to_forget
from loa.ledger.postgres.accept import days_around
from loa.ledger.postgres.statements import QUERIES, by_day, columns, statement
from loa.ledger.postgres.unit import Unit
from loa.ledger.postgres.users import run
from loa.ledger.users import Maker
from loa.ports.batches import SentMessage


async def change(unit: Unit, calls: list[Maker]) -> list[Any]:
    """Do what calls ask. Each holds the row of its batch, so that one change of a batch comes after the other."""
    return [await run(unit.connection, call) for call in calls]


async def sent_messages(connection: Any, tenant_id: int, referent_ids: Sequence[str]) -> list[SentMessage]:
    """Read the messages of submissions."""
    spans: list[Any] = []
    wanted: dict[tuple[int, int], list[str]] = defaultdict(list)
    for each in referent_ids:
        wanted[days_around(each)].append(each)
    for (first, end), names in wanted.items():
        spans += await connection.fetch(QUERIES["spans_of_submissions"], tenant_id, names, first, end)
    found: list[Any] = []
    for day, group in by_day(spans, lambda span: int(span["id"])):
        names, _, firsts, counts = columns([tuple(span) for span in group])
        try:
            found += await connection.fetch(statement("sent_messages", day), tenant_id, names, firsts, counts)
        except asyncpg.UndefinedTableError:
            continue  # the day is not kept any more
    return read_sent(found)


async def purge(unit: Unit, limit: int, now: int, keep_ms: Mapping[str, int]) -> int:
    """Forget the rows of batches past their time, and in the end that there were any."""
    return int(await run(unit.connection, lambda: to_forget(limit, now, keep_ms)))
