"""Several nodes on one database: each message, each request id and each callback is one node's alone."""

import asyncio
import random
from collections import Counter
from typing import Any

from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.domain.traffic import OnUnknown, TrafficClass
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ports.channel import Attempt
from loa.ports.records import Clash, MessageFilter, Repeat, Settlement, Stored
from tests.contract.ledger.values import (
    ADVERTISING,
    EPOCH,
    MINUTE,
    NUMBER,
    OTP,
    TRANSACTIONAL,
    claim,
    keep,
    no_resend,
    receipt,
    settlement,
    submission,
)
from tests.support.shared_ledger import SharedLedger, long_here, until

CLASSES = (OTP, TRANSACTIONAL, ADVERTISING)


async def three(shared: SharedLedger, **options: Any) -> list[PostgresLedger]:
    return [await shared.open(name, **options) for name in "abc"]


async def test_f21_of_two_thousand_messages_each_attempt_has_one_owner(shared: SharedLedger) -> None:
    nodes = await three(shared)
    numbers = iter(range(NUMBER, NUMBER + 2_000))
    parcels = [[next(numbers) for _ in range(40)] for _ in range(50)]
    await asyncio.gather(
        *(nodes[i % 3].accept(submission(numbers=each, traffic_class=CLASSES[i % 3])) for i, each in enumerate(parcels))
    )
    claimed: list[Attempt] = []

    async def worker(node: PostgresLedger) -> None:
        while len(claimed) < 2_000:
            attempts = await claim(node, limit=70)
            claimed.extend(attempts)
            await node.record([settlement(a, Accepted((f"r{a.message_id}",))) for a in attempts])

    async with asyncio.timeout(30):
        await asyncio.gather(*(worker(node) for node in nodes for _ in range(4)))
    assert len({a.message_id for a in claimed}) == len(claimed) == 2_000
    assert {a.number for a in claimed} == {1}
    assert await shared.rows("SELECT state, count(*)::integer FROM message GROUP BY state") == [(2, 2_000)]
    assert await shared.value("SELECT count(*) FROM attempt") == 2_000
    assert await shared.value("SELECT count(*) FROM claim") == 0
    assert await nodes[0].depths() == []


async def test_one_request_at_two_nodes_at_once_is_stored_once_and_both_are_told_of_it(shared: SharedLedger) -> None:
    nodes = await three(shared)
    for number in range(40):
        same = [submission(request_id=f"r-{number}", fingerprint=b"f", answer={"n": number}) for _ in nodes]
        results = await asyncio.gather(*(node.accept(one) for node, one in zip(nodes, same, strict=True)))
        (kept,) = [one for one, result in zip(same, results, strict=True) if result == Stored()]
        assert [r for r in results if r != Stored()] == [Repeat(kept.referent_id, kept.token, {"n": number})] * 2
    assert len(await nodes[0].messages(1, MessageFilter(), None, 100)) == 40


async def test_one_strict_id_with_two_bodies_at_two_nodes_at_once_is_stored_once(shared: SharedLedger) -> None:
    nodes = await three(shared)
    for number in range(40):
        bodies = [submission(request_id=f"r-{number}", fingerprint=bytes([i]), strict=True) for i in range(3)]
        results = await asyncio.gather(*(node.accept(one) for node, one in zip(nodes, bodies, strict=True)))
        assert sorted(results, key=str) == [Clash(), Clash(), Stored()]
    assert await shared.value("SELECT count(*) FROM message") == 40


async def test_crossed_request_ids_in_large_commits_do_not_block_each_other(shared: SharedLedger) -> None:
    """Two commits that each hold what the other wants would wait for each other: they go in one order, or again."""
    nodes = await three(shared)
    for turn in range(5):
        ids = [f"{turn}-{i}" for i in range(60)]
        calls = [
            node.accept(submission(request_id=each, fingerprint=b"f", strict=i % 2 == 0))
            for node, order in zip(nodes, (ids, ids[::-1], ids[30:] + ids[:30]), strict=True)
            for i, each in enumerate(order)
        ]
        results = await asyncio.gather(*calls)
        assert Counter(type(result) for result in results) == {Stored: 60, Repeat: 120}


class _Work:
    """Anything that moves lanes, in any order, by two nodes at once."""

    def __init__(self, seed: int, nodes: list[PostgresLedger]) -> None:
        self.random = random.Random(seed)
        self.nodes = nodes
        self.now = EPOCH
        self.sent = 0
        self.referents: list[str] = []

    async def step(self, node: PostgresLedger) -> None:
        act = self.random.choice([self.accept, self.accept, self.dispatch, self.cancel, self.time, self.purge])
        await act(node)

    async def accept(self, node: PostgresLedger) -> None:
        first = NUMBER + self.random.randrange(10**6)
        one = submission(
            at=self.now,
            plan=self.random.choice([(1,), (2,), (1, 2)]),
            numbers=[first + i for i in range(self.random.randint(1, 9))],
            traffic_class=self.random.choice(CLASSES),
            expires_at=self.now + self.random.choice([MINUTE, 10 * MINUTE]),
        )
        await node.accept(one)
        self.referents.append(one.referent_id)

    async def dispatch(self, node: PostgresLedger) -> None:
        attempts = await claim(node, self.now, self.random.choice([1, 2]), self.random.randint(1, 12))
        await node.record([self.outcome(a) for a in attempts])

    def outcome(self, attempt: Attempt) -> Settlement:
        words: list[Outcome] = [Accepted((f"r{attempt.message_id}",)), Refused("no"), Deferred("busy"), Unknown("?")]
        return settlement(
            attempt, self.random.choice(words), self.now, wait_until=self.now + 1_000, after=OnUnknown.RESEND_ONCE
        )

    async def cancel(self, node: PostgresLedger) -> None:
        if self.referents:
            await node.cancel(1, self.random.choice(self.referents), self.now)

    async def time(self, node: PostgresLedger) -> None:
        self.now += 7_000
        await node.settle_unknown(50, self.now)
        await node.expire(20, self.now)

    async def purge(self, node: PostgresLedger) -> None:
        self.sent += 1
        await node.store([receipt(f"nobody-{self.sent}", destination=1)])


async def test_depths_of_lanes_are_what_stands_in_them_after_any_work_of_two_nodes(shared: SharedLedger) -> None:
    nodes = [await shared.open("a"), await shared.open("b")]
    work = _Work(20_261_118, nodes)
    for _ in range(25):
        await asyncio.gather(*(work.step(node) for node in nodes for _ in range(4)))
        query = "SELECT channel_id, class, count(*)::integer FROM queue GROUP BY channel_id, class"
        there = {(row[0], TrafficClass(row[1]).label): row[2] for row in await shared.rows(query)}
        for node in nodes:
            kept = {(row["channel_id"], row["class"]): row["count"] for row in await node.depths()}
            assert kept == there
    assert await shared.value("SELECT count(*) FROM lane_move") < 1_000
    lost = "SELECT count(*) FROM queue q JOIN message m ON m.id = q.message_id WHERE m.state <> 0"
    assert await shared.value(lost) == 0


async def due_callbacks(node: PostgresLedger, count: int) -> None:
    """Have callbacks due, over three endpoints."""
    for number in range(3):
        endpoint = await node.add_endpoint(1, f"https://{number}.example/", "whsec_x")
        numbers = [NUMBER + number * count + i for i in range(count // 3)]
        await node.accept(submission(numbers=numbers, endpoint_id=endpoint.id, expires_at=EPOCH + 1))
    assert await claim(node, EPOCH + 1) == []


async def test_two_nodes_never_hold_one_callback_at_once(shared: SharedLedger) -> None:
    nodes = await three(shared)
    await due_callbacks(nodes[0], 300)
    held: list[int] = []

    async def worker(node: PostgresLedger) -> None:
        while due := await node.claim_due(17, 9, EPOCH + 5, EPOCH + MINUTE, []):
            held.extend(callback.id for callback in due)

    await asyncio.gather(*(worker(node) for node in nodes for _ in range(3)))
    # A worker that found only what others were locking has stopped: nothing may be left over.
    await worker(nodes[0])
    assert len(set(held)) == len(held) == 300


async def test_callbacks_of_a_dead_node_are_due_at_once_whoever_finds_it_dead(shared: SharedLedger) -> None:
    for find_dead in ("share", "settle_stale"):
        survivor = long_here(await shared.open("survivor", dead_after_s=600))
        dying = await shared.open(f"dying-{find_dead}", dead_after_s=600)
        await due_callbacks(dying, 3)
        assert len(await dying.claim_due(10, 10, EPOCH + 5, EPOCH + 60 * MINUTE, [])) == 3
        await shared.kill(dying)
        await shared.silence(dying)
        assert await survivor.claim_due(10, 10, EPOCH + 5, EPOCH + MINUTE, []) == []
        if find_dead == "share":
            await survivor.share({})
        await survivor.settle_stale(EPOCH + 5, no_resend)
        assert len(await survivor.claim_due(10, 10, EPOCH + 5, EPOCH + MINUTE, [])) == 3
        await shared.rows("DELETE FROM callback")
        await shared.leave(survivor)


async def test_callbacks_of_a_node_that_left_in_order_are_due_at_once(shared: SharedLedger) -> None:
    survivor, leaving = await shared.open("survivor"), await shared.open("leaving")
    await due_callbacks(leaving, 3)
    assert len(await leaving.claim_due(10, 10, EPOCH + 5, EPOCH + 60 * MINUTE, [])) == 3
    await shared.leave(leaving)
    await survivor.settle_stale(EPOCH + 5, no_resend)
    assert len(await survivor.claim_due(10, 10, EPOCH + 5, EPOCH + MINUTE, [])) == 3


async def test_many_claims_of_a_dead_node_are_settled_in_one_call(shared: SharedLedger) -> None:
    """A node under a trickle holds a claim a message: at a few a call they would wait for minutes."""
    survivor, dying = await shared.open("survivor"), await shared.open("dying")
    await dying.accept(submission(numbers=[NUMBER + i for i in range(120)]))
    for _ in range(120):
        assert len(await claim(dying, limit=1)) == 1
    await shared.leave(dying)
    assert await survivor.settle_stale(EPOCH, no_resend) == 120
    assert await survivor.settle_stale(EPOCH, no_resend) == 0


async def test_a_hint_of_one_node_wakes_the_others(shared: SharedLedger) -> None:
    first, second = await shared.open("a"), await shared.open("b")
    woken = asyncio.Event()
    second.listen(woken.set)

    async def heard() -> bool:
        await first.accept(submission())
        return woken.is_set()

    await until(heard)


async def test_a_change_of_the_directory_at_one_node_is_seen_at_the_other(shared: SharedLedger) -> None:
    first, second = await shared.open("a"), await shared.open("b")
    before = await second.revision()
    await first.add_channel("main", "smpp", {"x": 1})
    assert await second.revision() > before
    assert [channel.name for channel in await second.channels()] == ["main"]


async def test_a_node_that_has_not_been_there_for_long_takes_nobody_for_dead(shared: SharedLedger) -> None:
    """After a server that stood still for all, everybody's last beat is old."""
    waking = await shared.open("waking", dead_after_s=600)
    other = await shared.open("other", dead_after_s=600)
    await other.accept(submission())
    assert len(await claim(other)) == 1
    await shared.silence(other)
    assert await waking.settle_stale(EPOCH, no_resend) == 0
    assert await shared.value("SELECT count(*) FROM node WHERE dead_at IS NOT NULL") == 0
    assert await long_here(waking).settle_stale(EPOCH, no_resend) == 1


async def test_a_node_that_is_long_dead_is_forgotten_unless_it_left_a_claim(shared: SharedLedger) -> None:
    here, idle, busy = await three(shared)
    await here.accept(submission())
    assert len(await claim(busy)) == 1
    for node in (idle, busy):
        await shared.kill(node)
    await shared.value("UPDATE node SET dead_at = clock_timestamp() - interval '2 days' WHERE boot > 1 RETURNING 1")
    await here.purge(100, EPOCH, keep())
    assert await shared.value("SELECT count(*) FROM node WHERE dead_at IS NULL") == 1
    assert await shared.value("SELECT count(*) FROM node n JOIN claim c ON c.boot = n.boot") == 1
    assert await shared.value("SELECT count(*) FROM node") == 2
