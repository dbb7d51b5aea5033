"""What a server's state makes the check and the doctor say, from the facts alone and from a real server."""

from dataclasses import replace

import asyncpg
import pytest

from loa.ledger.postgres.address import place_of
from loa.ledger.postgres.inspect import Connections, DeadRows, ServerState, Weight, look, remarks
from loa.ledger.postgres.migrate import SchemaState
from loa.observe.clock import SystemClock
from tests.support.postgres import MakeCluster, Postgres
from tests.support.shared_ledger import APP, OWNER, SharedLedger, as_user

CLOCK = SystemClock()
WELL = ServerState(
    place="db1/loa",
    version="16.2",
    version_number=160_002,
    schema=SchemaState(1, 1, 1, "0.1.0"),
    octets=10_000_000,
    ahead_ms=3,
    settings={
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "synchronous_standby_names": "ANY 1 (a, b)",
        "autovacuum": "on",
        "track_counts": "on",
        "statement_timeout": "0",
    },
    connections=Connections(97, 12),
    sees_all=True,
    passes_walls=False,
    oldest_transaction_s=1.0,
    serves=1,
)


def set_to(**settings: str) -> ServerState:
    return replace(WELL, settings={**WELL.settings, **settings})


def test_a_server_that_is_well_needs_no_word() -> None:
    assert remarks(WELL, needed=85) == []


@pytest.mark.parametrize(
    ("state", "weight", "said"),
    [
        (set_to(fsync="off"), Weight.WRONG, "fsync is off"),
        (set_to(full_page_writes="off"), Weight.WRONG, "full_page_writes is off"),
        (set_to(synchronous_commit="off"), Weight.WRONG, "synchronous_commit is off"),
        (set_to(synchronous_commit="local"), Weight.WRONG, "synchronous_commit is local"),
        (set_to(synchronous_commit="remote_write"), Weight.WRONG, "synchronous_commit is remote_write"),
        (set_to(synchronous_standby_names=""), Weight.NOTE, "no synchronous standby"),
        (set_to(autovacuum="off"), Weight.WRONG, "autovacuum is off"),
        (set_to(track_counts="off"), Weight.WRONG, "track_counts is off"),
        (set_to(statement_timeout="5000"), Weight.WRONG, "statement_timeout is set"),
        (replace(WELL, passes_walls=True), Weight.NOTE, "passes the walls"),
        (replace(WELL, sees_all=False), Weight.NOTE, "cannot be seen"),
        (replace(WELL, oldest_transaction_s=3_600.0), Weight.POOR, "open for 60 minutes"),
        (replace(WELL, ahead_ms=2_500), Weight.POOR, "2.5 s ahead of"),
        (replace(WELL, ahead_ms=-20_000), Weight.WRONG, "20.0 s behind"),
        (replace(WELL, connections=Connections(97, 90)), Weight.WRONG, "7 connections are left of 97, 16 are needed"),
        (replace(WELL, dead_rows=(DeadRows("queue", 900_000, 5),)), Weight.POOR, "queue has 900,000 dead rows"),
        (replace(WELL, bare=("queue",)), Weight.WRONG, "nothing keeps tenants apart in queue"),
        (replace(WELL, missing_days=("event_d20782",)), Weight.POOR, "event_d20782 are not there"),
        (replace(WELL, copying=True), Weight.WRONG, "is not finished: run loa ledger copy again"),
        (replace(WELL, version_number=120_000), Weight.WRONG, "is too old"),
        (replace(WELL, schema=SchemaState(0, 0, 0)), Weight.POOR, "loa ledger migrate makes the tables"),
        (replace(WELL, serves=2), Weight.WRONG, "has schema 1, this Loa needs 2"),
        (replace(WELL, schema=SchemaState(3, 3, 3, "0.3.0")), Weight.WRONG, "run Loa 0.3.0 or newer"),
        (replace(WELL, schema=SchemaState(2, 1, 1, "0.1.0")), Weight.NOTE, "migrate --finish"),
    ],
)
def test_each_thing_that_is_not_well_is_said_once_with_its_cure(state: ServerState, weight: Weight, said: str) -> None:
    (remark,) = remarks(state, needed=16)
    assert (remark.weight, bool(remark.cure)) == (weight, True)
    assert said in str(remark)


def test_local_commits_are_enough_where_there_is_no_standby_to_wait_for() -> None:
    state = set_to(synchronous_commit="local", synchronous_standby_names="")
    assert [each.weight for each in remarks(state)] == [Weight.NOTE]


async def test_a_durable_server_with_two_roles_is_well(make_cluster: MakeCluster) -> None:
    cluster = await make_cluster(options={"max_connections": 30})
    found = await look(cluster.url(), CLOCK, 5)
    assert [(each.about, each.weight) for each in remarks(found, needed=16)] == [
        ("schema", Weight.POOR),
        ("safety", Weight.NOTE),
        ("safety", Weight.NOTE),
    ]
    assert (found.place, found.passes_walls) == (f"127.0.0.1:{cluster.port}/postgres", True)
    assert found.connections.most == 27
    assert abs(found.ahead_ms) < 1_000
    assert [each.about for each in remarks(found, needed=28)] == ["schema", "safety", "safety", "connections"]


async def test_the_gateways_role_sees_what_it_needs(shared: SharedLedger) -> None:
    node = await shared.open()
    found = await look(shared.app_url, CLOCK, 5)
    assert (found.schema.schema, found.nodes, found.bare) == (found.serves, 1, ())
    assert (found.passes_walls, found.sees_all, found.copying) == (False, False, False)
    assert {each.table for each in found.dead_rows} == {"queue", "callback", "claim", "lane_move"}
    await shared.leave(node)
    assert (await look(shared.app_url, CLOCK, 5)).nodes == 0


async def test_a_transaction_that_stays_open_is_seen_by_who_may_see_it(
    shared: SharedLedger, postgres: Postgres
) -> None:
    other = await asyncpg.connect(as_user(shared.url, OWNER))
    try:
        await other.execute("BEGIN")
        await other.execute("SELECT pg_advisory_xact_lock(1)")
        assert (await look(shared.url, CLOCK, 5)).oldest_transaction_s > 0
    finally:
        await other.close()
    assert postgres


async def test_limits_of_the_database_and_the_role_count(shared: SharedLedger) -> None:
    name = shared.url.rpartition("/")[2]
    await shared.rows(f'ALTER DATABASE "{name}" CONNECTION LIMIT 9')
    assert (await look(shared.app_url, CLOCK, 5)).connections.most == 9
    assert APP in shared.app_url


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://loa:secret@secret@db1:5432/loa", "db1:5432/loa"),
        ("postgresql://loa:secret@db1,db2:5433/loa?password=x", "db1,db2:5433/loa"),
        ("postgres:///loa?host=/run/postgresql", "/loa"),
    ],
)
def test_a_place_says_nothing_secret(url: str, place: str) -> None:
    assert place_of(url) == place
