"""F19: a synchronous standby takes over, and a standby that is slow. What was answered is on both servers, or on neither."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from loa.certify.cluster import Cluster
from loa.errors import StorageUnavailable
from loa.ledger.postgres.connection import each_host
from loa.ports.records import Repeat, Stored
from tests.contract.ledger.values import NUMBER, claim, submission
from tests.support.ledger_load import LONGEST_S, check, timed, under_load
from tests.support.postgres import MakeCluster
from tests.support.shared_ledger import APP, SharedLedger, as_user, prepare, until

pytestmark = pytest.mark.timeout(90)


class Pair(NamedTuple):
    """A server, its synchronous standby, and a ledger whose address names both."""

    primary: Cluster
    standby: Cluster
    shared: SharedLedger
    address: str


@pytest.fixture
async def pair(make_cluster: MakeCluster, tmp_path: Path) -> AsyncIterator[Pair]:
    primary = await make_cluster()
    shared = SharedLedger(await primary.create_database("loa"), tmp_path)
    await prepare(shared.url)
    standby = await primary.standby(synchronous=True)
    both = as_user(f"postgresql://x@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/loa", APP)
    yield Pair(primary, standby, shared, both)
    await standby.resume()
    await primary.resume()
    await shared.close()


@pytest.mark.parametrize("how", ["killed", "silent"])
async def test_f19_a_synchronous_standby_takes_over_under_load_and_nothing_answered_is_lost(
    pair: Pair, how: str
) -> None:
    node = await pair.shared.open(url=pair.address, dead_after_s=600)

    async def fail_over() -> None:
        await (pair.primary.kill() if how == "killed" else pair.primary.pause())
        await pair.standby.promote()

    load = await under_load(node, fail_over)
    assert load.failed > 0
    pair.shared.url = pair.standby.url("loa")
    await check(load, pair.shared)


async def test_a_commit_that_waits_for_a_standby_is_no_success_and_is_answered_truly_afterwards(pair: Pair) -> None:
    node = await pair.shared.open(url=pair.address, timeout_s=1.0, dead_after_s=600)
    # A time-out of the role would end the wait of the COMMIT, and the server would call that a success.
    await pair.shared.rows(f"ALTER ROLE {APP} SET statement_timeout = '300ms'")
    impatient = await pair.shared.open("impatient", url=pair.address, timeout_s=1.0, dead_after_s=600)
    await node.accept(submission(numbers=[NUMBER]))
    await pair.standby.pause()
    waiting = [submission(request_id=f"r{i}", fingerprint=b"f", numbers=[NUMBER + 1 + i]) for i in range(4)]
    calls = [timed((node, impatient)[i % 2].accept(one)) for i, one in enumerate(waiting)]
    for took, result in await asyncio.gather(*calls, timed(claim(node))):
        assert isinstance(result, StorageUnavailable)
        assert took <= LONGEST_S
    # Whoever reads does not see either what is not on both.
    assert await pair.shared.value("SELECT count(*) FROM message") == 1
    await pair.standby.resume()

    async def on_both() -> bool:
        _, result = await timed(node.ping())
        return not isinstance(result, StorageUnavailable)

    await until(on_both)
    for one in waiting:
        again = submission(request_id=one.request_id, fingerprint=b"f", numbers=[NUMBER])
        answer = await node.accept(again)
        assert answer in (Stored(), Repeat(one.referent_id, one.token, {}))
    assert await pair.shared.value("SELECT count(*) FROM message") == 5
    attempts = await claim(node)
    assert {attempt.number for attempt in attempts} == {1}
    assert len(attempts) == 5


async def test_a_commit_whose_connection_breaks_while_it_waits_for_the_standby_is_no_success(pair: Pair) -> None:
    """The server that is left says `committed`; only the standby's word makes it so."""
    node = await pair.shared.open(url=pair.address, timeout_s=2.0, dead_after_s=600)
    await pair.standby.pause()
    one = submission(request_id="r", fingerprint=b"f")
    call = asyncio.ensure_future(timed(node.accept(one)))
    query = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = $1"
    )

    async def cut_off() -> bool:
        return bool(await pair.shared.value(query, APP))

    await until(cut_off)
    _, result = await call
    assert isinstance(result, StorageUnavailable)
    await pair.standby.resume()
    assert await node.accept(submission(request_id="r", fingerprint=b"f")) == Repeat(one.referent_id, one.token, {})


async def test_a_standby_alone_is_named_as_what_it_is(pair: Pair) -> None:
    with pytest.raises(StorageUnavailable, match="only reads: it is a standby, name the primary"):
        await pair.shared.open("wrong", url=as_user(pair.standby.url("loa"), APP))


def test_an_address_is_taken_apart_by_host() -> None:
    assert each_host("postgresql://u:p%40x@h1:1,h2,[::1]:3/loa?sslmode=require") == [
        "postgresql://u:p%40x@h1:1/loa?sslmode=require",
        "postgresql://u:p%40x@h2/loa?sslmode=require",
        "postgresql://u:p%40x@[::1]:3/loa?sslmode=require",
    ]
    assert each_host("postgresql:///loa") == ["postgresql:///loa"]
