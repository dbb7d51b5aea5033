"""F44: a database that was restored elsewhere, or in its own place, is known as such; one that failed over is not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from loa.app import admin_files
from loa.app.ledger_copy import Ends, copy_ledger
from loa.certify.cluster import Cluster
from loa.ledger.postgres.inspect import look, remarks
from loa.ledger.sqlite.ledger import SqliteLedger
from tests.contract.ledger.values import NUMBER, claim, submission
from tests.support.fakes import QuietProbe
from tests.support.postgres import MakeCluster, Postgres
from tests.support.shared_ledger import APP, CLOCK, OWNER, SharedLedger, as_user, prepare, prepare_empty

pytestmark = [pytest.mark.timeout(120)]


def name_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


async def worked_in(shared: SharedLedger) -> int:
    """Have a Loa accept something and leave; give when its heart last beat."""
    node = await shared.open()
    await node.accept(submission(numbers=[NUMBER + i for i in range(5)]))
    await shared.leave(node)
    beat = await shared.value("SELECT (extract(epoch FROM max(beat_at)) * 1000)::bigint FROM node")
    return int(beat)


@asynccontextmanager
async def at(url: str, folder: Path) -> AsyncIterator[SharedLedger]:
    there = SharedLedger(url, folder)
    try:
        yield there
    finally:
        await there.close()


async def dump(cluster: Cluster, database: str) -> Path:
    file = cluster.folder / f"{database}.dump"
    await cluster._program("pg_dump", "--format", "custom", "--file", file, "--dbname", cluster.url(database))
    return file


async def restore(cluster: Cluster, file: Path, database: str) -> None:
    await cluster._program("pg_restore", "--exit-on-error", "--dbname", cluster.url(database), file)


async def said_of(shared: SharedLedger) -> list[str]:
    return [remark.text for remark in remarks(await look(shared.app_url, CLOCK, 10.0))]


async def test_a_copy_of_the_database_on_the_same_server_is_known_until_it_is_released(
    shared: SharedLedger, postgres: Postgres, tmp_path: Path
) -> None:
    beat = await worked_in(shared)
    url = await postgres.cluster.create_database("copied", name_of(shared.url))
    async with at(url, tmp_path / "there") as there:
        assert any("restored from a backup" in text for text in await said_of(there))
        for _ in range(2):
            node = await there.open()
            assert await node.backup_at() == beat, "what looked at it since does not make it younger"
            await there.leave(node)
        node = await there.open()
        assert sum((await node.hold(100, CLOCK.now())).values()) == 5
        assert await node.hold(100, CLOCK.now()) == {}
        await node.release()
        await there.leave(node)
        node = await there.open()
        assert (await node.backup_at(), await claim(node, CLOCK.now())) == (None, [])
        assert not any("restored from a backup" in text for text in await said_of(there))
    await postgres.drop(url)
    original = await shared.open()
    assert await original.backup_at() is None
    assert len(await claim(original)) == 5


async def test_a_dump_that_was_restored_on_another_server_is_known(
    shared: SharedLedger, postgres: Postgres, make_cluster: MakeCluster, tmp_path: Path
) -> None:
    beat = await worked_in(shared)
    file = await dump(postgres.cluster, name_of(shared.url))
    other = await make_cluster()
    await prepare(await other.create_database("roles"))
    url = await other.create_database("restored")
    moved = other.folder / "moved.dump"
    moved.write_bytes(file.read_bytes())
    moved.chmod(0o644)
    await restore(other, moved, "restored")
    async with at(url, tmp_path / "there") as there:
        node = await there.open()
        assert await node.backup_at() == beat
        await node.release()
        assert await node.backup_at() is None
        assert len(await claim(node)) == 5


async def test_a_dump_that_was_restored_in_its_own_place_is_known(shared: SharedLedger, postgres: Postgres) -> None:
    beat = await worked_in(shared)
    file = await dump(postgres.cluster, name_of(shared.url))
    await shared.rows("DROP SCHEMA loa CASCADE")
    await restore(postgres.cluster, file, name_of(shared.url))
    node = await shared.open()
    assert await node.backup_at() == beat


async def test_a_dump_of_a_restored_database_is_as_old_as_that(
    shared: SharedLedger, postgres: Postgres, tmp_path: Path
) -> None:
    beat = await worked_in(shared)
    first = await postgres.cluster.create_database("first_copy", name_of(shared.url))
    async with at(first, tmp_path / "first") as there:
        await there.open()
    second = await postgres.cluster.create_database("second_copy", "first_copy")
    async with at(second, tmp_path / "second") as there:
        node = await there.open()
        assert await node.backup_at() == beat
    await postgres.drop(first)
    await postgres.drop(second)


async def test_a_backup_of_a_file_that_is_copied_into_a_database_stays_one(postgres: Postgres, tmp_path: Path) -> None:
    file = await SqliteLedger.open(tmp_path / "loa.db", probe=QuietProbe())
    await file.accept(submission())
    await file.close()
    admin_files.back_up(tmp_path / "loa.db", tmp_path / "copy.db", lambda _done, _pages: None)
    async with postgres.database() as url:
        await prepare_empty(url)
        await copy_ledger(Ends(tmp_path / "copy.db", as_user(url, APP), as_user(url, OWNER)), CLOCK, lambda *_: None)
        async with at(url, tmp_path / "there") as there:
            node = await there.open()
            assert await node.backup_at() == admin_files.file_state(tmp_path / "copy.db").backup_at
            assert sum((await node.hold(100, CLOCK.now())).values()) == 1
            await node.release()
            assert await node.backup_at() is None


async def test_a_standby_that_takes_over_is_no_restore(make_cluster: MakeCluster, tmp_path: Path) -> None:
    primary = await make_cluster()
    url = await primary.create_database("loa")
    await prepare(url)
    standby = await primary.standby(synchronous=True)
    async with at(url, tmp_path / "a") as before:
        await worked_in(before)
    await primary.kill()
    await standby.promote()
    async with at(standby.url("loa"), tmp_path / "b") as after:
        node = await after.open()
        assert await node.backup_at() is None
        assert len(await claim(node)) == 5


async def test_a_role_that_may_not_ask_for_the_cluster_knows_a_restore_by_the_database(
    shared: SharedLedger, postgres: Postgres, tmp_path: Path
) -> None:
    await shared.rows("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    await worked_in(shared)
    kept = {row[0] for row in await shared.rows("SELECT name FROM meta WHERE name LIKE 'home_%'")}
    assert kept == {"home_database", "home_table"}
    assert any("may not ask which cluster" in text for text in await said_of(shared))
    url = await postgres.cluster.create_database("unasked", name_of(shared.url))
    async with at(url, tmp_path / "there") as there:
        node = await there.open()
        assert await node.backup_at() is not None
    await postgres.drop(url)
    await shared.rows("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
    node = await shared.open()
    assert await node.backup_at() is None
    assert await shared.value("SELECT value FROM meta WHERE name = 'home_system'") == await shared.value(
        "SELECT system_identifier FROM pg_control_system()"
    )


async def test_an_ordinary_role_may_ask_for_the_cluster(shared: SharedLedger) -> None:
    for role in (APP, OWNER):
        async with shared.sql(role) as connection:
            assert await connection.fetchval("SELECT system_identifier FROM pg_control_system()")
    assert as_user(shared.url, APP) == shared.app_url
