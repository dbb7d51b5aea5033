"""The answer of a COMMIT is lost on the way: what is said of it is true, and what was claimed is not lost with it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from loa.certify.proxy import FaultProxy, Mode
from loa.domain.outcome import Accepted
from loa.errors import StorageUnavailable
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ports.records import Repeat, Stored
from tests.contract.ledger.values import EPOCH, claim, no_resend, settlement, state_of, submission
from tests.support.commit_faults import at_next_commit
from tests.support.postgres import Postgres
from tests.support.shared_ledger import APP, SharedLedger, as_user, until

QUICK_S = 0.7


@pytest.fixture
async def proxy(postgres: Postgres) -> AsyncIterator[FaultProxy]:
    proxy = FaultProxy("127.0.0.1", postgres.cluster.port)
    await proxy.start()
    yield proxy
    proxy.behave(Mode.PASS)
    await proxy.stop()


@pytest.fixture
async def node(shared: SharedLedger, proxy: FaultProxy) -> PostgresLedger:
    port = shared.url.rpartition(":")[2].partition("/")[0]
    through = as_user(shared.url.replace(f":{port}/", f":{proxy.port}/"), APP)
    return await shared.open(url=through, timeout_s=QUICK_S, dead_after_s=600)


async def stored(shared: SharedLedger) -> int:
    return int(await shared.value("SELECT count(*) FROM submission"))


async def test_an_accept_whose_answer_was_cut_off_is_answered_as_the_server_knows_it(
    shared: SharedLedger, node: PostgresLedger, proxy: FaultProxy
) -> None:
    async def cut_off() -> None:
        proxy.behave(Mode.BLACKHOLE_TO_CLIENT)
        asyncio.get_running_loop().create_task(once_committed())

    async def once_committed() -> None:
        await until(lambda: shared.value("SELECT count(*) FROM submission"))
        proxy.reset()
        proxy.behave(Mode.PASS)

    await at_next_commit(node._desks["accept"]._lines, cut_off)
    one = submission(request_id="r", fingerprint=b"f")
    assert await node.accept(one) == Stored()
    assert await node.submission(1, one.referent_id) is not None
    assert await stored(shared) == 1


async def test_an_accept_whose_commit_never_arrived_is_refused_and_leaves_nothing(
    shared: SharedLedger, node: PostgresLedger, proxy: FaultProxy
) -> None:
    async def cut_off() -> None:
        proxy.reset()

    await at_next_commit(node._desks["accept"]._lines, cut_off)
    one = submission(request_id="r", fingerprint=b"f")
    with pytest.raises(StorageUnavailable):
        await node.accept(one)
    assert await stored(shared) == 0
    assert await node.accept(one) == Stored()


async def test_an_accept_whose_answer_never_comes_is_the_same_submission_when_it_is_repeated(
    shared: SharedLedger, node: PostgresLedger, proxy: FaultProxy
) -> None:
    async def swallow() -> None:
        proxy.behave(Mode.BLACKHOLE_TO_CLIENT)

    await at_next_commit(node._desks["accept"]._lines, swallow)
    first = submission(request_id="r", fingerprint=b"f")
    with pytest.raises(StorageUnavailable):
        await node.accept(first)
    assert await stored(shared) == 1
    proxy.behave(Mode.PASS)
    again = await node.accept(submission(request_id="r", fingerprint=b"f"))
    assert again == Repeat(first.referent_id, first.token, {})
    assert await stored(shared) == 1


async def test_a_claim_whose_answer_was_lost_is_given_back_and_sent(
    shared: SharedLedger, node: PostgresLedger, proxy: FaultProxy
) -> None:
    async def swallow() -> None:
        proxy.behave(Mode.BLACKHOLE_TO_CLIENT)

    await node.accept(submission())
    await at_next_commit(node._desks["claim"]._lines, swallow)
    with pytest.raises(StorageUnavailable):
        await claim(node)
    assert await shared.value("SELECT count(*) FROM claim") == 1
    proxy.behave(Mode.PASS)
    (attempt,) = await claim(node)
    assert attempt.number == 1
    await node.record([settlement(attempt, Accepted(("A1",)))])
    assert await state_of(node, attempt.message_id) == "sent"
    assert await node.depths() == []
    assert await shared.value("SELECT count(*) FROM claim") == 0


async def test_a_claim_whose_commit_comes_after_the_next_one_is_given_back_all_the_same(
    shared: SharedLedger, node: PostgresLedger, proxy: FaultProxy
) -> None:
    """The COMMIT is held up on the way, the next claim is quicker and finds nothing to give back yet."""

    async def hold_up() -> None:
        proxy.behave(Mode.BLACKHOLE_TO_TARGET)

    await node.accept(submission())
    (line,) = node._desks["claim"]._lines
    await at_next_commit([line], hold_up)
    with pytest.raises(StorageUnavailable):
        await claim(node)
    line.url = shared.app_url
    assert await claim(node) == []
    proxy.behave(Mode.PASS)
    await until(lambda: shared.value("SELECT count(*) FROM claim"))
    (attempt,) = await claim(node)
    assert attempt.number == 1
    assert await node.settle_stale(EPOCH + 1, no_resend) == 0
    assert await shared.value("SELECT count(*) FROM claim") == 1


async def test_a_claim_for_a_caller_who_is_gone_is_given_back_and_sent(
    shared: SharedLedger, node: PostgresLedger
) -> None:
    await node.accept(submission())
    arrived, go = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        arrived.set()
        await go.wait()

    await at_next_commit(node._desks["claim"]._lines, wait)
    gone = asyncio.ensure_future(claim(node))
    await arrived.wait()
    gone.cancel()
    await asyncio.wait([gone])
    go.set()
    await until(lambda: shared.value("SELECT count(*) FROM claim"))
    (attempt,) = await claim(node)
    assert attempt.number == 1
    assert await node.depths() == []


async def test_a_caller_who_goes_when_the_answer_is_already_there_takes_no_claim_with_him(
    shared: SharedLedger, node: PostgresLedger
) -> None:
    await node.accept(submission())
    gone = asyncio.ensure_future(claim(node))
    desk = node._desks["claim"]
    answer = desk._answer

    def answer_and_cancel(call: object) -> None:
        answer(call)  # type: ignore[arg-type]
        gone.cancel()

    desk._answer = answer_and_cancel  # type: ignore[method-assign, assignment]
    await asyncio.wait([gone])
    desk._answer = answer  # type: ignore[method-assign]
    assert gone.cancelled()
    (attempt,) = await claim(node)
    assert attempt.number == 1


async def test_a_record_whose_answer_was_lost_is_recorded_once_when_it_is_repeated(
    shared: SharedLedger, node: PostgresLedger, proxy: FaultProxy
) -> None:
    async def swallow() -> None:
        proxy.behave(Mode.BLACKHOLE_TO_CLIENT)

    await node.accept(submission())
    (attempt,) = await claim(node)
    await at_next_commit(node._desks["record"]._lines, swallow)
    with pytest.raises(StorageUnavailable):
        await node.record([settlement(attempt, Accepted(("A1",)))])
    proxy.behave(Mode.PASS)
    assert await node.record([settlement(attempt, Accepted(("A1",)))]) == 0
    assert await state_of(node, attempt.message_id) == "sent"
    assert await shared.value("SELECT count(*) FROM attempt") == 1
    assert await shared.value("SELECT count(*) FROM claim") == 0
