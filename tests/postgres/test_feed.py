"""Whoever follows the events of a tenant sees each of them once and in order, whatever the order of commits."""

import asyncio
import random
from typing import Any

import asyncpg

from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Refused
from loa.ledger.postgres.connection import WRITING
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.postgres.standings import read, write
from loa.ledger.postgres.unit import Unit
from tests.contract.ledger.values import DAY, EPOCH, NUMBER, claim, receipt, settlement, submission
from tests.support.shared_ledger import SharedLedger


class Reader:
    """Follows the feed of a tenant from its beginning."""

    def __init__(self, node: PostgresLedger, chance: random.Random) -> None:
        self.node = node
        self.chance = chance
        self.seen: list[int] = []

    async def look(self) -> None:
        """Read a page after the last event that was read."""
        after = self.seen[-1] if self.seen else 0
        page = await self.node.events(1, after, self.chance.choice([1, 2, 5, 100]))
        self.seen += [event["id"] for event in page]

    async def finish(self) -> None:
        """Read to the end."""
        length = -1
        while length < len(self.seen):
            length = len(self.seen)
            await self.look()


class Held:
    """A transaction that tells of one message and then stays open, over a connection of its own."""

    def __init__(self, connection: Any, node: PostgresLedger) -> None:
        self.connection = connection
        self.node = node
        self.transaction = connection.transaction()

    async def cancel(self, message_id: int) -> None:
        await self.transaction.start()
        unit = Unit(self.connection, self.node._shared)
        held = await read(unit, [(1, message_id)])
        held.messages[message_id].move(State.CANCELLED, EPOCH)
        await write(unit, held, EPOCH)

    async def end(self, *, commit: bool) -> None:
        await (self.transaction.commit() if commit else self.transaction.rollback())


async def all_in_order(shared: SharedLedger) -> list[int]:
    return [row[0] for row in await shared.rows("SELECT id FROM event WHERE tenant_id = 1 ORDER BY xid, id")]


async def test_no_event_is_passed_over_while_transactions_stay_open_and_commit_in_any_order(
    shared: SharedLedger,
) -> None:
    node = await shared.open()
    chance = random.Random(20_261_118)
    reader = Reader(node, chance)
    numbers = [NUMBER + i for i in range(120)]
    one = submission(numbers=numbers)
    await node.accept(one)
    waiting = [row["id"] for row in await node.submission_messages(1, one.referent_id, 0, 200)]
    connections = [await asyncpg.connect(shared.app_url, server_settings=WRITING) for _ in range(6)]
    idle, open_ones = list(connections), []
    while waiting or open_ones:
        act = chance.choice(["begin", "begin", "commit", "roll back", "look", "look"])
        if act == "begin" and waiting and idle:
            held = Held(idle.pop(), node)
            await held.cancel(waiting.pop())
            open_ones.append(held)
        elif act in ("commit", "roll back") and open_ones:
            held = open_ones.pop(chance.randrange(len(open_ones)))
            await held.end(commit=act == "commit")
            idle.append(held.connection)
        else:
            await reader.look()
    await reader.finish()
    for connection in connections:
        await connection.close()
    assert reader.seen == await all_in_order(shared)
    assert len(reader.seen) > 40


async def test_a_reader_sees_every_event_of_busy_nodes_once_and_in_order(shared: SharedLedger) -> None:
    nodes = [await shared.open("a"), await shared.open("b")]
    readers = [Reader(node, random.Random(3)) for node in nodes]
    done = asyncio.Event()

    async def work(node: PostgresLedger, first: int) -> None:
        for number in range(first, first + 40):
            await node.accept(submission(numbers=[NUMBER + number, NUMBER + 1_000 + number]))
            for attempt in await claim(node, limit=2):
                word = Accepted((f"R{attempt.message_id}",)) if attempt.message_id % 2 else Refused("no")
                await node.record([settlement(attempt, word)])
                await node.store([receipt(f"R{attempt.message_id}", destination=attempt.destination)])

    async def follow(reader: Reader) -> None:
        while not done.is_set():
            await reader.look()
        await reader.finish()

    following = [asyncio.ensure_future(follow(reader)) for reader in readers]
    await asyncio.gather(*(work(node, 100 * i) for i, node in enumerate(nodes)))
    done.set()
    await asyncio.gather(*following)
    there = await all_in_order(shared)
    assert len(there) >= 80
    assert [reader.seen for reader in readers] == [there, there]


async def test_an_event_of_a_receipt_that_waited_for_days_is_not_passed_over(shared: SharedLedger) -> None:
    """Its receipt is three days old; whoever reads has long gone on to the events of today."""
    node = await shared.open()
    reader = Reader(node, random.Random(1))
    today = EPOCH + 3 * DAY
    await node.accept(submission())
    (attempt,) = await claim(node)
    await node.store([receipt("R1", received_at=EPOCH + 1_000)])
    await node.accept(submission(at=today, numbers=[NUMBER + 1], expires_at=today + 1))
    assert await claim(node, today + 1) == []
    await reader.finish()
    assert len(reader.seen) == 1
    await node.record([settlement(attempt, Accepted(("R1",)), today + 2)])
    await reader.finish()
    told = await node.events(1, 0, 10)
    assert [event["state"] for event in told] == ["expired", "delivered"]
    assert [event["at"] for event in told] == [today + 1, EPOCH + 1_000]
    assert reader.seen == [event["id"] for event in told]


async def test_where_the_last_event_read_is_gone_with_its_day_the_reader_goes_on_with_what_is_left(
    shared: SharedLedger,
) -> None:
    node = await shared.open()
    reader = Reader(node, random.Random(1))
    for at in (EPOCH, EPOCH + DAY):
        await node.accept(submission(at=at, expires_at=at + 1))
        assert await claim(node, at + 1) == []
        if at == EPOCH:
            await reader.finish()
    await shared.value("SELECT drop_days('event', ($1::bigint / 86400000 + 1)::integer)", EPOCH)
    await reader.finish()
    assert len(reader.seen) == 2


async def test_after_a_restore_into_another_server_new_events_still_come_after_old_ones(shared: SharedLedger) -> None:
    """Transaction numbers of the other server may be lower than those on record."""
    node = await shared.open()
    reader = Reader(node, random.Random(1))
    await node.accept(submission(expires_at=EPOCH + 1))
    assert await claim(node, EPOCH + 1) == []
    await shared.rows("UPDATE event SET xid = xid + 1000000000")
    await shared.rows("UPDATE meta SET value = value + 1000000000 WHERE name = 'xid_seen'")
    restored = await shared.open("b")
    reader.node = restored
    await reader.finish()
    assert len(reader.seen) == 1
    await restored.accept(submission(expires_at=EPOCH + 1, numbers=[NUMBER + 1]))
    assert await claim(restored, EPOCH + 1) == []
    await reader.finish()
    assert len(reader.seen) == 2
    assert reader.seen == await all_in_order(shared)
