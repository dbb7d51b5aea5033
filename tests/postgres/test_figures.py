"""Figures count each event once, whatever the order of commits and however many processes count."""

import asyncio
import random

import asyncpg

from loa.domain.figures import HOUR_MS, MINUTE_MS, Kind
from loa.ledger.postgres.connection import WRITING
from loa.ledger.postgres.ledger import PostgresLedger
from tests.contract.ledger.values import EPOCH, NUMBER, submission
from tests.postgres.test_feed import Held
from tests.support.shared_ledger import SharedLedger


async def counted(node: PostgresLedger, kind: Kind) -> int:
    rows = await node.figure_sums(1, MINUTE_MS, EPOCH - HOUR_MS, EPOCH + HOUR_MS)
    return sum(row["count"] for row in rows if row["kind"] == kind)


async def test_no_event_is_missed_or_counted_twice_while_transactions_commit_in_any_order(shared: SharedLedger) -> None:
    nodes = [await shared.open(), await shared.open()]
    await nodes[0].add_tenant("one", EPOCH)
    chance = random.Random(20_261_126)
    one = submission(numbers=[NUMBER + i for i in range(100)])
    await nodes[0].accept(one)
    waiting = [row["id"] for row in await nodes[0].submission_messages(1, one.referent_id, 0, 200)]
    connections = [await asyncpg.connect(shared.app_url, server_settings=WRITING) for _ in range(6)]
    idle, open_ones = list(connections), []
    cancelled = 0
    while waiting or open_ones:
        act = chance.choice(["begin", "begin", "commit", "roll back", "count", "count at once"])
        if act == "begin" and waiting and idle:
            held = Held(idle.pop(), nodes[0])
            await held.cancel(waiting.pop())
            open_ones.append(held)
        elif act in {"commit", "roll back"} and open_ones:
            held = open_ones.pop(chance.randrange(len(open_ones)))
            await held.end(commit=act == "commit")
            cancelled += act == "commit"
            idle.append(held.connection)
        elif act == "count":
            await chance.choice(nodes).count_figures(chance.choice([1, 3, 50]))
        else:
            await asyncio.gather(*(node.count_figures(2) for node in nodes))
    for connection in connections:
        await connection.close()
    while await nodes[1].count_figures(7):
        pass
    assert await counted(nodes[0], Kind.ACCEPTED) == 100
    assert await counted(nodes[0], Kind.ENDED) == cancelled > 20
