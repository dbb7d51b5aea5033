"""Processes that are killed, or held and let go again: the others settle what they left, and nothing is sent in secret."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from loa.domain.traffic import OnUnknown
from loa.ledger.postgres.ledger import PostgresLedger
from loa.observe.clock import SystemClock
from loa.ports.records import SlotUse
from tests.contract.ledger.values import EPOCH, MINUTE, NUMBER, OTP, TRANSACTIONAL, claim, submission
from tests.contract.ledger.values import resend as resend_all
from tests.support.shared_ledger import APP, OWNER, SharedLedger, as_user, until
from tests.support.told_process import Told

DEAD_AFTER_S = 1.0
SETTLED_WITHIN_S = 15.0
MODULE = "tests.postgres.node_process"

Start = Callable[[str], Awaitable[Told]]


@pytest.fixture
async def start(shared: SharedLedger) -> AsyncIterator[Start]:
    """Give a function that starts a node in a process of its own."""
    started: list[Told] = []

    async def one(name: str) -> Told:
        url = shared.url
        told = await Told.start(MODULE, as_user(url, APP), as_user(url, OWNER), shared.folder / name, DEAD_AFTER_S)
        started.append(told)
        return told

    yield one
    for each in started:
        await each.kill()


def policy(tenant_id: int, traffic_class: object) -> tuple[int, OnUnknown]:
    wait_ms, _ = resend_all(tenant_id, TRANSACTIONAL)
    return wait_ms, OnUnknown.RESEND_ONCE if traffic_class is TRANSACTIONAL else OnUnknown.NEVER


async def states(shared: SharedLedger) -> dict[tuple[int, int], int]:
    """How many messages there are of each class and state, as they are written down."""
    rows = await shared.rows("SELECT class, state, count(*)::integer FROM message GROUP BY class, state")
    return {(row[0], row[1]): row[2] for row in rows}


async def settled(survivor: PostgresLedger) -> int:
    """Settle until something was; give how many. Within the time that is promised."""
    counts: list[int] = []

    async def look() -> bool:
        counts.append(await survivor.settle_stale(EPOCH, policy))
        return counts[-1] > 0

    await until(look, SETTLED_WITHIN_S)
    return counts[-1]


async def test_what_a_killed_process_had_claimed_is_unknown_soon_and_its_codes_are_never_sent_again(
    shared: SharedLedger, start: Start
) -> None:
    survivor, doomed = await shared.open("survivor", dead_after_s=DEAD_AFTER_S), await start("doomed")
    await survivor.accept(submission(traffic_class=OTP, numbers=[NUMBER + i for i in range(3)]))
    await survivor.accept(submission(numbers=[NUMBER + 10 + i for i in range(4)]))
    endpoint = await survivor.add_endpoint(1, "https://x.example/", "whsec_x")
    await survivor.accept(submission(plan=(2,), endpoint_id=endpoint.id, expires_at=EPOCH + 1))
    assert await claim(survivor, EPOCH + 1, channel=2) == []
    assert len(await doomed.ask("claim", 100)) == 7
    assert len(await doomed.ask("claim_due", 10)) == 1
    assert await doomed.ask("share", 4) == {"1": 4}
    clock = SystemClock()
    killed_at = clock.monotonic()
    await doomed.kill()
    assert await settled(survivor) == 7
    assert clock.monotonic() - killed_at < SETTLED_WITHIN_S
    assert await states(shared) == {(OTP, 3): 3, (TRANSACTIONAL, 3): 4, (TRANSACTIONAL, 7): 1}
    assert len(await survivor.claim_due(10, 10, EPOCH + 5, EPOCH + MINUTE, [])) == 1
    assert await survivor.share({1: SlotUse(4, 0)}) == {1: 4}
    later = EPOCH + 10 * MINUTE
    assert await survivor.settle_unknown(100, later) == (4, 3)
    again = await claim(survivor, later)
    assert {(a.traffic_class, a.number, a.possible_duplicate) for a in again} == {(TRANSACTIONAL, 2, True)}
    assert len(again) == 4
    assert await claim(survivor, later + MINUTE) == []


async def test_f21_processes_that_claim_at_once_and_one_that_is_killed_share_no_message(
    shared: SharedLedger, start: Start
) -> None:
    survivor = await shared.open("survivor", dead_after_s=DEAD_AFTER_S)
    await survivor.accept(submission(numbers=[NUMBER + i for i in range(900)]))
    workers = await asyncio.gather(*(start(name) for name in ("a", "b", "c")))
    heard: list[list[list[int]]] = [[], [], []]

    async def listen(place: int) -> None:
        while isinstance(said := await workers[place].hear(), list):
            heard[place] += said
            if place == 0 and len(heard[0]) >= 60:
                await workers[0].kill()
                return

    for worker in workers:
        worker.tell("claim_all", 30)
    await asyncio.gather(*(listen(place) for place in range(3)))
    claimed = [tuple(each) for said in heard for each in said]
    assert len(set(claimed)) == len(claimed)
    assert {number for _, number in claimed} == {1}

    async def all_settled() -> bool:
        await survivor.settle_stale(EPOCH, policy)
        return await shared.value("SELECT count(*) FROM claim") == 0

    await until(all_settled)
    counts = await states(shared)
    assert sum(counts.values()) == 900
    # Sent, or unknown where the killed one had them, a batch or one more that nobody heard of.
    assert set(counts) <= {(TRANSACTIONAL, 2), (TRANSACTIONAL, 3)}
    assert counts.get((TRANSACTIONAL, 3), 0) <= 60
    assert await shared.value("SELECT count(*) FROM queue") == 0


async def test_f22_a_process_that_was_held_past_its_claim_may_only_bear_witness(
    shared: SharedLedger, start: Start
) -> None:
    survivor, held = await shared.open("survivor", dead_after_s=DEAD_AFTER_S), await start("held")
    await survivor.accept(submission(traffic_class=OTP))
    await survivor.accept(submission(numbers=[NUMBER + 1]))
    assert len(await held.ask("claim", 10)) == 2
    held.signal(signal.SIGSTOP)
    assert await settled(survivor) == 2
    # The transactional one goes on here; the code stays in doubt.
    assert await survivor.settle_unknown(10, EPOCH + 10 * MINUTE) == (1, 1)
    (second,) = await claim(survivor, EPOCH + 10 * MINUTE)
    assert (second.number, second.possible_duplicate) == (2, True)
    await survivor.accept(submission(numbers=[NUMBER + 2]))
    held.tell("claim", 10)
    held.tell("record", "deferred")
    held.signal(signal.SIGCONT)
    claimed = await held.hear()
    await held.hear()
    # Where it looked after itself before it looked for orders, it took fresh work, and that under its new name.
    may_take = claimed != [] and await held.ask("boot") > held.first
    assert claimed in ([], {"error": "StorageUnavailable"}) or (may_take and [each[1] for each in claimed] == [1])
    assert await states(shared) == {(OTP, 3): 1, (TRANSACTIONAL, 0): 2}
    assert await shared.value("SELECT count(*) FROM queue") == 1

    async def entered_anew() -> bool:
        boot = await held.ask("boot")
        return bool(boot > held.first)

    await until(entered_anew)
    assert len(await held.ask("claim", 10)) == 1


async def test_f22_what_the_held_process_knows_may_settle_a_message_that_is_in_doubt(
    shared: SharedLedger, start: Start
) -> None:
    survivor, held = await shared.open("survivor", dead_after_s=DEAD_AFTER_S), await start("held")
    await survivor.accept(submission(traffic_class=OTP))
    await survivor.accept(submission(numbers=[NUMBER + 1]))
    assert len(await held.ask("claim", 10)) == 2
    held.signal(signal.SIGSTOP)
    assert await settled(survivor) == 2
    assert await survivor.settle_unknown(10, EPOCH + 10 * MINUTE) == (1, 1)
    held.tell("record", "accepted")
    held.signal(signal.SIGCONT)
    assert await held.hear() == 1
    # The code was in doubt and is sent; the other one is queued again, where only its new attempt counts.
    assert await states(shared) == {(OTP, 2): 1, (TRANSACTIONAL, 0): 1}
    (second,) = await claim(survivor, EPOCH + 10 * MINUTE)
    assert (second.traffic_class, second.number) == (TRANSACTIONAL, 2)
    assert await shared.value("SELECT count(*) FROM attempt WHERE outcome = 'accepted'") == 2


async def test_a_process_whose_name_another_one_took_over_stops(shared: SharedLedger) -> None:
    """A data folder that was copied to another machine while the first one still runs."""
    first = await shared.open("same", dead_after_s=DEAD_AFTER_S)
    first._node.name.release()
    await shared.open("same", dead_after_s=DEAD_AFTER_S)
    async with asyncio.timeout(SETTLED_WITHIN_S):
        await first.failed.wait()
    assert not first.writable()


async def test_the_same_folder_gives_two_processes_two_names(shared: SharedLedger, start: Start) -> None:
    await asyncio.gather(start("same"), start("same"), start("same"))
    names = [row[0] for row in await shared.rows("SELECT name FROM node WHERE dead_at IS NULL ORDER BY name")]
    assert [name.rpartition("#")[2] for name in names] == ["1", "2", "3"]
    assert len({name.rpartition("#")[0] for name in names}) == 1
