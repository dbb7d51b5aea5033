"""F18 and F20: the server is killed, held, cut off and out of reach. Nothing answered is lost, nobody waits long."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from loa.certify.cluster import Cluster
from loa.certify.proxy import FaultProxy, Mode
from loa.errors import StorageError, StorageUnavailable
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ports.records import MessageFilter, SlotUse, Stored
from tests.contract.ledger.values import EPOCH, NUMBER, claim, no_resend, receipt, submission
from tests.support.ledger_load import LONGEST_S, check, timed, under_load
from tests.support.shared_ledger import SharedLedger, prepare, until


@pytest.fixture
async def durable(durable_cluster: Cluster, tmp_path: Path) -> AsyncIterator[tuple[Cluster, SharedLedger]]:
    """A durable server that may be broken, with a database on it."""
    name = tmp_path.name
    shared = SharedLedger(await durable_cluster.create_database(name), tmp_path)
    await prepare(shared.url)
    yield durable_cluster, shared
    await durable_cluster.resume()
    await durable_cluster.start()
    await shared.close()
    await durable_cluster.drop_database(name)


def every_call(node: PostgresLedger) -> list[Awaitable[Any]]:
    """One of each kind of call, and more readers than there are lines to read over."""
    reads: list[Callable[[], Awaitable[Any]]] = [
        lambda: node.messages(1, MessageFilter(), None, 10),
        lambda: node.events(1, 0, 10),
        node.depths,
        node.orphans,
        node.revision,
    ]
    return [
        *(node.accept(submission(numbers=[NUMBER + i])) for i in range(20)),
        claim(node),
        node.record([]),
        node.store([receipt("R1")]),
        node.claim_due(10, 10, EPOCH, EPOCH, []),
        node.share({1: SlotUse(2, 0)}),
        node.settle_stale(EPOCH, no_resend),
        node.settle_unknown(10, EPOCH),
        node.next_due(1, EPOCH),
        node.cancel(1, "sub_none", EPOCH),
        node.add_tenant("new", EPOCH),
        node.ping(),
        *(read() for read in reads for _ in range(3)),
    ]


async def test_f18_a_server_killed_and_started_again_under_load_loses_nothing_and_needs_no_reopening(
    durable: tuple[Cluster, SharedLedger],
) -> None:
    cluster, shared = durable
    node = await shared.open(dead_after_s=600)

    async def kill_and_start() -> None:
        await cluster.kill()
        took, result = await timed(node.ping())
        assert isinstance(result, StorageUnavailable)
        assert took <= LONGEST_S
        await cluster.start()

    load = await under_load(node, kill_and_start)
    assert load.failed > 0
    await check(load, shared)


async def test_f18_a_server_stopped_in_order_and_started_again_under_load_loses_nothing(
    durable: tuple[Cluster, SharedLedger],
) -> None:
    cluster, shared = durable
    node = await shared.open(dead_after_s=600)

    async def restart() -> None:
        await cluster.restart("fast")

    await check(await under_load(node, restart), shared)


async def test_f20_while_the_server_stands_still_every_call_ends_and_afterwards_all_go_on(
    durable: tuple[Cluster, SharedLedger],
) -> None:
    cluster, shared = durable
    node = await shared.open(dead_after_s=600)
    await asyncio.gather(*every_call(node))
    await cluster.pause()
    for _ in range(2):
        answers = await asyncio.gather(*(timed(call) for call in every_call(node)))
        assert max(took for took, _ in answers) <= LONGEST_S
        wrong = [result for _, result in answers if not isinstance(result, StorageUnavailable) and result != 0]
        assert wrong == []
    await cluster.resume()
    await until(lambda: _answers(node))
    assert await node.accept(submission()) == Stored()


async def _answers(node: PostgresLedger) -> bool:
    _, result = await timed(node.ping())
    return not isinstance(result, StorageError)


async def test_f20_a_node_that_cannot_reach_the_server_hands_nothing_over_and_says_that_it_cannot_write(
    durable: tuple[Cluster, SharedLedger],
) -> None:
    cluster, shared = durable
    node = await shared.open(dead_after_s=1.0, timeout_s=0.5)
    await cluster.pause()

    async def gave_up() -> bool:
        return not node._node.holds() and not node.writable()

    await until(gave_up)
    await cluster.resume()

    async def is_back() -> bool:
        return node._node.holds() and node.writable()

    await until(is_back)


@pytest.fixture
async def cut(durable: tuple[Cluster, SharedLedger]) -> AsyncIterator[tuple[FaultProxy, PostgresLedger]]:
    """A node that reaches the server through a proxy."""
    cluster, shared = durable
    proxy = FaultProxy("127.0.0.1", cluster.port)
    await proxy.start()
    through = shared.app_url.replace(f":{cluster.port}/", f":{proxy.port}/")
    yield proxy, await shared.open("cut", url=through, timeout_s=1.0, dead_after_s=600)
    proxy.behave(Mode.PASS)
    await shared.close()
    await proxy.stop()


async def test_a_network_that_swallows_refuses_or_resets_ends_calls_in_time_and_is_got_over(
    cut: tuple[FaultProxy, PostgresLedger],
) -> None:
    proxy, node = cut
    for mode in (Mode.BLACKHOLE, Mode.BLACKHOLE_TO_CLIENT, Mode.BLACKHOLE_TO_TARGET, Mode.RESET):
        assert await node.accept(submission()) == Stored()
        await node.depths()
        proxy.behave(mode)
        if mode is Mode.RESET:
            proxy.reset()
        calls = [node.accept(submission()), node.depths(), claim(node), node.store([receipt(mode.name)])]
        for took, result in await asyncio.gather(*map(timed, calls)):
            assert took <= 1.5
            assert isinstance(result, StorageUnavailable)
        proxy.behave(Mode.PASS)
        await until(lambda: _answers(node))
        await node.depths()


async def test_a_connection_that_was_reset_while_nobody_used_it_is_made_anew(
    cut: tuple[FaultProxy, PostgresLedger],
) -> None:
    proxy, node = cut
    await asyncio.gather(*every_call(node))
    proxy.reset()
    await until(lambda: _noticed(node))
    assert await node.accept(submission()) == Stored()
    assert await node.revision() > 0


async def _noticed(node: PostgresLedger) -> bool:
    lines = [line for desk in node._desks.values() for line in desk._lines]
    return all(line._connection is None or line._connection.is_closed() for line in lines)


async def test_slow_octets_are_no_fault(cut: tuple[FaultProxy, PostgresLedger]) -> None:
    proxy, node = cut
    proxy.slices = True
    assert await node.accept(submission(text="x" * 500)) == Stored()
    assert len(await claim(node)) == 1


async def test_past_the_bound_a_call_is_answered_at_once(durable: tuple[Cluster, SharedLedger]) -> None:
    cluster, shared = durable
    node = await shared.open(waiting_max=8, timeout_s=1.0, dead_after_s=600)
    await cluster.pause()
    calls = [asyncio.ensure_future(timed(node.accept(submission()))) for _ in range(60)]
    calls += [asyncio.ensure_future(timed(node.depths())) for _ in range(60)]
    answers = await asyncio.gather(*calls)
    await cluster.resume()
    assert all(isinstance(result, StorageUnavailable) for _, result in answers)
    for half in (answers[:60], answers[60:]):
        assert sum(took < 0.5 for took, _ in half) >= 40
        assert max(took for took, _ in half) <= 1.6
