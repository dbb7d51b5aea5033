"""F12 and F43 on PostgreSQL: upkeep whose session is ended in the middle leaves nothing half; a full queue outlives a migration.

Each stands in the middle because of a lock that the test holds.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from loa.domain.outcome import Accepted
from loa.errors import StorageError
from loa.ledger.postgres.days import day_of
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.postgres.migrate import Migration, migrate, newest
from tests.contract.ledger.values import DAY, EPOCH, NUMBER, claim, keep, receipt, sent, settlement, submission
from tests.support.shared_ledger import OWNER, SharedLedger, as_user, until

pytestmark = [pytest.mark.timeout(120)]

LATER = EPOCH + 10 * DAY
OLD = keep(history=DAY, receipts=DAY, content=DAY, content_otp=DAY, request_ids=DAY)
FRESH_DAY = day_of(EPOCH) + 40
PARENTS = ("submission", "message", "attempt", "event", "callback_try", "receipt", "segment")


@asynccontextmanager
async def locked(shared: SharedLedger, statement: str) -> AsyncIterator[None]:
    """Hold what a statement locks."""
    async with shared.sql() as connection, connection.transaction():
        await connection.execute(statement)
        yield


async def end_in_the_middle(shared: SharedLedger, what: str, work: Callable[[], Awaitable[object]]) -> None:
    """Begin some work, and end its session at the server while it waits for our lock.

    A wait for a lock may end by itself; then the work begins anew.
    """
    over = asyncio.Event()

    async def again() -> None:
        while not over.is_set():
            with suppress(StorageError):
                await work()

    doing = asyncio.create_task(again())
    query = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND query LIKE $1 AND pid <> pg_backend_pid()"
    )

    async def ended() -> bool:
        return bool(await shared.value(query, f"%{what}%"))

    await until(ended)
    over.set()
    await doing


async def days_of(shared: SharedLedger, day: int) -> list[bool]:
    return [await shared.value("SELECT to_regclass($1) IS NOT NULL", f"loa.{each}_d{day}") for each in PARENTS]


async def history(node: PostgresLedger) -> None:
    """Some messages at their end, with all that hangs on them."""
    for number in range(4):
        given = {"numbers": [NUMBER + number], "request_id": f"r{number}"}
        await sent(node, f"A{number}", **given)
        await node.store([receipt(f"A{number}", destination=NUMBER + number)])


async def counts(shared: SharedLedger) -> list[int]:
    return [await shared.value(f"SELECT count(*) FROM {table}") for table in (*PARENTS, "request_key")]


async def test_f12_a_drop_of_days_that_is_cut_off_drops_none_and_the_next_one_all(shared: SharedLedger) -> None:
    node = await shared.open()
    await history(node)
    before, day = await counts(shared), day_of(EPOCH)
    # The last of the tables: the days of the others are dropped by then.
    async with locked(shared, f"LOCK TABLE submission_d{day} IN ACCESS SHARE MODE"):
        await end_in_the_middle(shared, "drop_days", lambda: node.purge(1_000, LATER, OLD))
        assert await days_of(shared, day) == [True] * len(PARENTS)
    assert (await counts(shared))[: len(PARENTS)] == before[: len(PARENTS)]
    while await node.purge(1_000, LATER, OLD):
        pass
    assert await days_of(shared, day) == [False] * len(PARENTS)
    await node.accept(submission(at=LATER))
    assert len(await claim(node, LATER)) == 1


async def test_f12_a_purge_of_rows_that_is_cut_off_takes_none_and_the_next_one_all(shared: SharedLedger) -> None:
    node = await shared.open()
    await history(node)
    before = await counts(shared)
    texts = keep(content=DAY, content_otp=DAY, request_ids=DAY)
    day = day_of(EPOCH)
    async with locked(shared, f"SELECT FROM submission_d{day} FOR UPDATE"):
        await end_in_the_middle(shared, "purged", lambda: node.purge(1_000, LATER, texts))
        assert await counts(shared) == before
        assert await shared.value("SELECT count(*) FROM submission WHERE text <> ''") == 4
    while await node.purge(1_000, LATER, texts):
        pass
    assert await shared.value("SELECT count(*) FROM submission WHERE text <> ''") == 0
    assert await shared.value("SELECT count(*) FROM request_key") == 0


async def test_f12_a_day_whose_making_is_cut_off_is_not_there_at_all_and_is_made_by_the_next(
    shared: SharedLedger,
) -> None:
    node = await shared.open()
    at = FRESH_DAY * DAY
    async with locked(shared, "LOCK TABLE segment IN SHARE UPDATE EXCLUSIVE MODE"):
        await end_in_the_middle(shared, "ensure_day", lambda: node.accept(submission(at=at)))
        assert await days_of(shared, FRESH_DAY) == [False] * len(PARENTS)
    await node.accept(submission(at=at))
    assert await days_of(shared, FRESH_DAY) == [True] * len(PARENTS)
    assert len(await claim(node, at)) >= 1


async def test_f43_a_full_queue_outlives_the_first_half_of_a_migration_beside_a_process_that_works(
    shared: SharedLedger,
) -> None:
    node = await shared.open()
    for first in range(0, 4_000, 500):
        await node.accept(submission(numbers=[NUMBER + first + i for i in range(500)]))
    wider = Migration(
        newest() + 1, "wider", before="ALTER TABLE message ADD COLUMN note text NOT NULL DEFAULT '';", after=""
    )
    taken: list[int] = []
    begun = asyncio.Event()

    async def works() -> None:
        while attempts := await claim(node, limit=100):
            taken.extend(attempt.destination for attempt in attempts)
            outcomes = [settlement(each, Accepted((f"B{each.message_id}",))) for each in attempts]
            while True:
                try:
                    assert await node.record(outcomes) == len(outcomes)
                    break
                except StorageError:
                    continue
            begun.set()

    working = asyncio.create_task(works())
    await begun.wait()
    done = await migrate(as_user(shared.url, OWNER), changes=[wider])
    assert [each.partition(" ")[0] for each in done] == [f"{wider.number:04d}"]
    assert len(taken) < 4_000, "the queue was still full"
    await working
    assert sorted(taken) == [NUMBER + i for i in range(4_000)]
    assert await shared.value("SELECT count(*) FROM message WHERE state = 2 AND note = ''") == 4_000
