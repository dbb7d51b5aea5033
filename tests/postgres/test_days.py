"""Days are made ahead by whichever process comes first, also where several come at once."""

import asyncio

from loa.ledger.postgres.days import day_of
from loa.ports.records import Stored
from tests.contract.ledger.values import DAY, EPOCH, claim, submission
from tests.support.shared_ledger import APP, SharedLedger


async def test_processes_that_make_the_same_days_at_once_do_not_stand_in_each_other_s_way(shared: SharedLedger) -> None:
    for turn in range(6):
        first = day_of(EPOCH) + 100 + 3 * turn

        async def make(days: list[int]) -> None:
            async with shared.sql(APP) as connection:
                await connection.execute("SELECT ensure_day(day) FROM unnest($1::integer[]) AS day", days)

        await asyncio.gather(*(make([first, first + 1, first + 2]) for _ in range(4)))
    made = "SELECT count(*) FROM pg_class WHERE relname ~ '^message_d' AND relkind = 'r'"
    assert await shared.value(made) >= 18


async def test_nodes_that_accept_for_a_new_day_at_once_all_succeed(shared: SharedLedger) -> None:
    nodes = [await shared.open(name) for name in "abc"]
    for turn in range(4):
        at = EPOCH + (50 + turn) * DAY
        results = await asyncio.gather(*(node.accept(submission(at=at)) for node in nodes for _ in range(3)))
        assert results == [Stored()] * 9
        assert len(await claim(nodes[0], at)) == 9


async def test_nodes_that_start_at_once_all_start(shared: SharedLedger) -> None:
    await shared.rows("SELECT drop_days('message', 1000000), drop_days('submission', 1000000)")
    nodes = await asyncio.gather(*(shared.open(name) for name in "abcd"))
    assert await nodes[0].accept(submission()) == Stored()
    assert len(await claim(nodes[-1])) == 1
