import asyncio
import os
import socket
from pathlib import Path

import asyncpg
import psutil
import pytest

from loa.certify import cluster as clusters
from loa.certify.cluster import Cluster
from loa.certify.processes import Entry, descendants, is_stopped, read_ps, runs, table
from loa.certify.server import shared_memory_id
from loa.errors import ConfigError, StorageUnavailable

SEGMENTS = Path("/proc/sysvipc/shm")


async def ask(url, query, *args):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query, *args)
    finally:
        connection.terminate()


async def with_rows(cluster, rows=3):
    """Commit some rows, each by itself, and leave the connection open."""
    connection = await asyncpg.connect(cluster.url())
    await connection.execute("CREATE TABLE kept (number int)")
    for number in range(rows):
        await connection.execute("INSERT INTO kept VALUES ($1)", number)
    return connection


async def test_the_server_runs_as_somebody_who_is_not_root_and_listens_on_this_machine_only(postgres):
    cluster = postgres.cluster
    server = psutil.Process(cluster.pid)
    assert server.uids().real == cluster.folder.stat().st_uid != 0
    listening = [each.laddr for each in server.net_connections("inet") if each.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", cluster.port)]
    assert (cluster.folder / f".s.PGSQL.{cluster.port}").is_socket()
    assert cluster.folder.stat().st_mode & 0o077 == 0


async def test_a_cluster_is_utf8_in_locale_c_and_without_fsync_only_where_asked(postgres, make_cluster):
    settings = {name: await ask(postgres.cluster.url(), f"SHOW {name}") for name in ("server_encoding", "lc_messages")}
    assert settings == {"server_encoding": "UTF8", "lc_messages": "C"}
    assert await ask(postgres.cluster.url(), "SHOW fsync") == "off"
    durable = await make_cluster(options={"max_connections": 17, "log_line_prefix": "it's \\ %p"})
    assert await ask(durable.url(), "SHOW fsync") == await ask(durable.url(), "SHOW synchronous_commit") == "on"
    assert await ask(durable.url(), "SHOW max_connections") == "17"
    assert await ask(durable.url(), "SHOW log_line_prefix") == "it's \\ %p"


async def test_committed_rows_outlive_a_kill_of_every_process(make_cluster):
    cluster = await make_cluster()
    connection = await with_rows(cluster)
    family, port = [cluster.pid, *descendants(cluster.pid)], cluster.port
    assert len(family) > 5
    await cluster.kill()
    connection.terminate()
    assert not any(map(psutil.pid_exists, family))
    assert cluster.pid == 0
    assert (cluster.folder / "data" / "postmaster.pid").exists(), "a crash leaves it behind"
    await cluster.start()
    assert cluster.port == port
    assert await ask(cluster.url(), "SELECT count(*) FROM kept") == 3


async def test_a_held_server_answers_nothing_until_it_is_let_go(make_cluster):
    cluster = await make_cluster()
    connection = await asyncpg.connect(cluster.url())
    await cluster.pause()
    assert all(map(is_stopped, (cluster.pid, *descendants(cluster.pid))))
    asked = asyncio.ensure_future(connection.fetchval("SELECT 7"))
    dialled = asyncio.ensure_future(asyncpg.connect(cluster.url()))
    _, waiting = await asyncio.wait((asked, dialled), timeout=0.1)
    assert waiting == {asked, dialled}
    await cluster.resume()
    assert await asked == 7
    await connection.close()
    await (await dialled).close()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_restart_keeps_rows_and_port(make_cluster, mode):
    cluster = await make_cluster()
    connection = await with_rows(cluster)
    first = cluster.pid
    await cluster.restart(mode)
    connection.terminate()
    assert cluster.pid not in {0, first}
    assert await ask(cluster.url(), "SELECT count(*) FROM kept") == 3


async def test_a_held_or_stopped_or_killed_cluster_leaves_nothing_when_it_is_removed(make_cluster):
    for ending in ("pause", "stop", "kill"):
        cluster = await make_cluster()
        family, segment = [cluster.pid, *descendants(cluster.pid)], shared_memory_id(cluster.folder)
        assert segment
        await getattr(cluster, ending)()
        await cluster.remove()
        assert not any(map(runs, family)), ending
        assert not cluster.folder.exists(), ending
        held = [line.split()[1] for line in SEGMENTS.read_text().splitlines()] if SEGMENTS.exists() else []
        assert segment not in held, ending
        await cluster.remove()


async def test_a_commit_waits_for_the_synchronous_standby_which_takes_over_with_all_rows(make_cluster):
    primary = await make_cluster()
    standby = await primary.standby(synchronous=True)
    connection = await with_rows(primary)
    await standby.pause()
    inserted = asyncio.ensure_future(connection.execute("INSERT INTO kept VALUES (9)"))
    _, waiting = await asyncio.wait((inserted,), timeout=0.1)
    assert waiting == {inserted}
    await standby.resume()
    await inserted
    await primary.kill()
    connection.terminate()
    await standby.promote()
    assert await ask(standby.url(), "INSERT INTO kept VALUES (10) RETURNING (SELECT count(*) FROM kept)") == 4


async def test_removing_a_cluster_removes_its_standbys(make_cluster):
    primary = await make_cluster()
    standby = await primary.standby()
    assert await ask(standby.url(), "SELECT pg_is_in_recovery()") is True
    family = [standby.pid, primary.pid]
    await primary.remove()
    assert not any(map(runs, family))
    assert not standby.folder.exists()


async def test_only_a_standby_can_be_promoted(postgres):
    with pytest.raises(StorageUnavailable, match="recovery is not in progress"):
        await postgres.cluster.promote()


async def test_a_copy_of_a_template_holds_its_rows_and_goes_though_somebody_is_connected(postgres):
    cluster = postgres.cluster
    source = await cluster.create_database('a "template" / with %')
    await ask(source, "CREATE TABLE kept AS SELECT 5 AS number")
    copy = await cluster.create_database("copy", 'a "template" / with %')
    connection = await asyncpg.connect(copy)
    assert await connection.fetchval("SELECT number FROM kept") == 5
    await cluster.drop_database("copy")
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("SELECT 1")
    connection.terminate()
    await cluster.drop_database("copy")
    await cluster.drop_database('a "template" / with %')
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(copy)


async def test_a_server_that_does_not_start_says_why_and_leaves_nothing(make_cluster):
    with pytest.raises(StorageUnavailable, match='invalid value for parameter "shared_buffers"') as told:
        await make_cluster(options={"shared_buffers": "plenty"})
    folder = next(Path(word) for word in str(told.value).split() if "loa-postgres-" in word)
    assert not folder.exists()


async def test_a_program_that_fails_is_shown_with_its_words(make_cluster, monkeypatch):
    monkeypatch.setattr(clusters, "ADMIN", "pg_nobody")
    with pytest.raises(ConfigError, match=r"initdb ended with 1:\n.*pg_nobody"):
        await make_cluster()


async def test_a_port_that_somebody_took_in_between_is_left_to_them(make_cluster, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        offered = iter((taken.getsockname()[1], clusters._free_port()))
        monkeypatch.setattr(clusters, "_free_port", lambda: next(offered))
        cluster = await make_cluster()
        assert cluster.port != taken.getsockname()[1]
        assert await ask(cluster.url(), "SELECT 1") == 1


async def test_starting_twice_and_ending_twice_do_nothing_the_second_time(make_cluster):
    cluster = await make_cluster()
    first = cluster.pid
    await cluster.start()
    assert cluster.pid == first
    await cluster.stop()
    await cluster.stop()
    await cluster.kill()
    await cluster.resume()
    with pytest.raises(ConfigError, match="smart, fast, immediate"):
        await cluster.stop("gently")


async def test_a_server_that_fell_by_itself_can_be_started_again(make_cluster):
    cluster = await make_cluster()
    (await with_rows(cluster)).terminate()
    server = psutil.Process(cluster.pid)
    server.kill()
    await asyncio.to_thread(psutil.wait_procs, [server], 10)
    await cluster.kill()
    await cluster.start()
    assert await ask(cluster.url(), "SELECT count(*) FROM kept") == 3


def test_urls_quote_what_they_are_given_and_lead_through_another_port():
    cluster = object.__new__(Cluster)
    cluster.port = 5999
    assert cluster.url() == "postgresql://postgres@127.0.0.1:5999/postgres"
    assert cluster.url("a b/c", "who@there", port=6000) == "postgresql://who%40there@127.0.0.1:6000/a%20b%2Fc"


def test_what_ps_writes_is_read_as_what_proc_holds():
    assert read_ps("    1     0 Ss\n  341     1 T+\n") == {1: Entry(0, "S"), 341: Entry(1, "T")}
    assert table()[os.getpid()].parent == os.getppid()


def test_a_process_that_is_gone_does_not_run():
    assert runs(os.getpid())
    assert not runs(2**22 + 1)
    assert not is_stopped(os.getpid())
