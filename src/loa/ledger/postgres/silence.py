"""Steps that stay silent: which messages they hold, going on without them, and how long receipts usually take."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from loa.domain.latency import KEPT_MAX, Wait
from loa.domain.standing import go_on
from loa.ledger.postgres import standings
from loa.ledger.postgres.statements import QUERIES, part_of_id, statement
from loa.ledger.postgres.unit import Unit
from loa.ledger.questions import question
from loa.ports.channel import Question


async def silent(connection: Any, channel_id: int, limit: int, now: int) -> list[Question]:
    """Read what a channel's provider may be asked about."""
    by_day: dict[int, list[tuple[int, int]]] = {}
    for tenant_id, message_id in await connection.fetch(QUERIES["silent_on"], channel_id, now, limit):
        by_day.setdefault(part_of_id(message_id), []).append((tenant_id, message_id))
    found: list[Question] = []
    for day, ids in by_day.items():
        found += await _details(connection, day, ids)
    return found


async def _details(connection: Any, day: int, ids: list[tuple[int, int]]) -> list[Question]:
    tenants, messages = zip(*ids, strict=True)
    try:
        rows = await connection.fetch(statement("silent_details", day), tenants, messages)
    except asyncpg.UndefinedTableError:
        # The day is gone, and with it whatever could follow; asking for it nevertheless has it forgotten.
        rows = [(message_id, 0, 0, "", tenant_id) for tenant_id, message_id in ids]
    return [question(row) for row in rows]


async def silent_channels(connection: Any, now: int) -> list[int]:
    """Read which channels have such messages."""
    return [row[0] for row in await connection.fetch(QUERIES["silent_channels"], now)]


async def usual_waits(connection: Any) -> dict[Wait, int]:
    """Read how long receipts took."""
    rows = await connection.fetch(QUERIES["read_waits"])
    return {Wait(row[0], row[1], row[2]): row[3] for row in rows}


async def go_on_with(unit: Unit, calls: list[tuple[Sequence[Question], int]]) -> list[int]:
    """Begin the next step of messages that are still silent."""
    return [await _go_on(unit, *call) for call in calls]


async def _go_on(unit: Unit, questions: Sequence[Question], now: int) -> int:
    kept = [each for each in questions if await unit.keeps(part_of_id(each.message_id))]
    held = await standings.read(unit, {(each.tenant_id, each.message_id) for each in kept})
    moved = sum(go_on(message, now) for message in held.messages.values())
    await standings.write(unit, held, now)
    gone = [each.message_id for each in questions if each.message_id not in held.messages]
    if gone:
        await unit.run("forget_silent", gone)
    return moved


async def learn(unit: Unit, calls: list[Mapping[Wait, int]]) -> list[None]:
    """Count how long receipts took."""
    together: Counter[Wait] = Counter()
    for waits in calls:
        together.update(waits)
    # In one order everywhere, so that two processes never wait for each other crosswise.
    await unit.write("add_waits", [[*wait, count] for wait, count in sorted(together.items())])
    await unit.run("halve_waits", KEPT_MAX)
    return [None] * len(calls)
