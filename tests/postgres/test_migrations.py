"""Migrations in pairs: before, old and new programs run side by side; after, the old ones are refused, and told why."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from loa import __version__
from loa.domain.outcome import Accepted
from loa.errors import SchemaMismatch, StorageError, StorageUnavailable
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.postgres.migrate import Migration, SchemaState, check, migrate, migrations, newest, read_state
from loa.ports.records import Stored
from tests.contract.ledger.values import NUMBER, claim, receipt, settlement, state_of, submission
from tests.support.postgres import Postgres
from tests.support.shared_ledger import APP, OWNER, SharedLedger, as_user, prepare_empty, until

NEXT = newest() + 1
WIDER = Migration(
    NEXT,
    "wider",
    before="ALTER TABLE channel ADD COLUMN note text NOT NULL DEFAULT ''; CREATE TABLE extra (id bigint PRIMARY KEY);",
    after="ALTER TABLE message DROP COLUMN step;",
)
"""Adds what a newer program wants, and at last takes away what only the older ones need."""
HELD = 4711


@pytest.fixture
async def empty(postgres: Postgres, tmp_path: Path) -> AsyncIterator[SharedLedger]:
    """A database with its roles and nothing in it."""
    async with postgres.database() as url:
        await prepare_empty(url)
        ledger = SharedLedger(url, tmp_path)
        yield ledger
        await ledger.close()


def owner(shared: SharedLedger) -> str:
    return as_user(shared.url, OWNER)


async def state(shared: SharedLedger) -> SchemaState:
    async with shared.sql() as connection:
        return await read_state(connection)


async def work(node: PostgresLedger, number: int) -> None:
    """Carry one message through its life."""
    assert await node.accept(submission(numbers=[NUMBER + number])) == Stored()
    (attempt,) = await claim(node)
    assert await node.record([settlement(attempt, Accepted((f"R{number}",)))]) == 1
    assert (await node.store([receipt(f"R{number}", destination=NUMBER + number)])).applied == 1
    assert await state_of(node, attempt.message_id) == "delivered"


async def test_an_older_program_goes_on_until_the_migration_is_finished_and_is_then_refused(
    shared: SharedLedger,
) -> None:
    old = await shared.open("old")
    await old.add_channel("main", "smpp", {})
    await work(old, 1)
    changes = [*migrations(), WIDER]
    assert await migrate(owner(shared), role=APP, changes=changes) == [f"{NEXT:04d} wider: begun"]
    await work(old, 2)
    another = await shared.open("old-2")
    await work(another, 3)
    assert await shared.value("SELECT note FROM channel") == ""
    assert await shared.value("SELECT count(*) FROM message") == 3
    assert await state(shared) == SchemaState(NEXT, newest(), newest(), __version__)
    assert await migrate(owner(shared), role=APP, changes=changes) == []
    assert await migrate(owner(shared), role=APP, finish=True, changes=changes) == [f"{NEXT:04d} wider: finished"]
    with pytest.raises(SchemaMismatch, match=f"left schema {newest()} behind.* oldest Loa it serves is {__version__}:"):
        await shared.open("too-old")
    assert await migrate(owner(shared), role=APP, finish=True, changes=changes) == []


async def test_a_program_that_is_newer_than_the_database_says_what_to_run(shared: SharedLedger) -> None:
    with pytest.raises(SchemaMismatch, match="this Loa needs 2: run loa ledger migrate"):
        check(await state(shared), 2)


async def test_the_role_of_the_gateway_may_use_what_a_migration_adds(shared: SharedLedger) -> None:
    await migrate(owner(shared), role=APP, changes=[*migrations(), WIDER])
    async with shared.sql(APP) as connection:
        await connection.execute("INSERT INTO extra VALUES (1)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DROP TABLE extra")


async def test_the_role_of_the_gateway_cannot_migrate_and_is_told_who_can(shared: SharedLedger) -> None:
    with pytest.raises(StorageUnavailable, match=r"run loa ledger migrate with `postgres\.owner` set"):
        await migrate(shared.app_url, changes=[*migrations(), WIDER])
    assert (await state(shared)).schema == newest()


async def test_several_that_migrate_at_once_do_each_change_once(empty: SharedLedger) -> None:
    changes = [*migrations(), WIDER]
    done = await asyncio.gather(*(migrate(owner(empty), role=APP, changes=changes) for _ in range(4)))
    said = sorted(line for lines in done for line in lines)
    assert said == sorted(
        [*(f"{change.number:04d} {change.name}" for change in migrations()), f"{NEXT:04d} wider: begun"]
    )
    finished = await asyncio.gather(*(migrate(owner(empty), role=APP, changes=changes, finish=True) for _ in range(4)))
    assert sorted(finished) == [[], [], [], [f"{NEXT:04d} wider: finished"]]


async def test_nodes_that_start_at_once_on_an_empty_database_all_start(empty: SharedLedger) -> None:
    nodes = await asyncio.gather(*(empty.open(name) for name in "abcd"))
    await work(nodes[0], 1)
    await work(nodes[3], 2)
    assert await empty.value("SELECT count(*) FROM schema_change") == len(migrations())


def stuck(change: Migration) -> Migration:
    """A change that waits for the test once it has done all it does."""
    return Migration(
        change.number, change.name, f"{change.before}\nSELECT pg_advisory_xact_lock({HELD});", change.after
    )


@pytest.mark.parametrize("which", ["the first", "a later one"])
@pytest.mark.parametrize("end", ["server", "program"])
async def test_a_migration_that_is_cut_off_in_the_middle_leaves_the_schema_as_it_was(
    empty: SharedLedger, which: str, end: str
) -> None:
    changes = [*migrations(), WIDER] if which == "a later one" else list(migrations())
    if which == "a later one":
        await migrate(owner(empty), role=APP)
    before = await state(empty)
    async with empty.sql() as holder:
        await holder.execute(f"SELECT pg_advisory_lock({HELD})")
        running = asyncio.ensure_future(migrate(owner(empty), role=APP, changes=[*changes[:-1], stuck(changes[-1])]))
        waiting = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted"
        await until(lambda: empty.value(waiting, HELD))
        if end == "server":
            await empty.value("SELECT pg_terminate_backend($1)", await empty.value(waiting, HELD))
            with pytest.raises(StorageError):
                await running
        else:
            running.cancel()
            await asyncio.wait([running])
    gone = "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'loa migrate' AND datname = current_database()"
    await until(lambda: empty.value(gone))
    assert await state(empty) == before
    assert await empty.value("SELECT to_regclass('loa.extra') IS NULL")
    await migrate(owner(empty), role=APP, changes=changes)
    assert (await state(empty)).schema == changes[-1].number
    await work(await empty.open(), 1)


async def test_a_migration_that_fails_leaves_the_schema_as_it_was(shared: SharedLedger) -> None:
    broken = Migration(NEXT, "broken", "CREATE TABLE extra (id bigint); SELECT 1 / 0;")
    with pytest.raises(StorageError):
        await migrate(owner(shared), role=APP, changes=[*migrations(), broken])
    assert (await state(shared)).schema == newest()
    assert await shared.value("SELECT to_regclass('loa.extra') IS NULL")


async def test_migrations_are_numbered_without_a_gap_and_only_the_first_has_nothing_before_it() -> None:
    assert [change.number for change in migrations()] == list(range(1, newest() + 1))
    assert all(change.before for change in migrations())
