"""SIGKILL at random moments under load, some rounds on one data directory, with all invariants held at the end.

LOA_CRASH_ROUNDS: how many rounds. LOA_CRASH_SEED: the seed, which every run prints.
"""

import asyncio
import os
import random
from collections.abc import Callable

import pytest

from loa.simulators.smsc.script import Fortune, Script
from tests.support.crash_client import ADVERTISING, LONG_TEXT, OTP, TRANSACTIONAL, Ask, Client
from tests.support.crash_world import World

ROUNDS = int(os.environ.get("LOA_CRASH_ROUNDS", "3"))
SEED = int(os.environ.get("LOA_CRASH_SEED", "20261118"))
ASKS_A_ROUND = 150
AT_ONCE = 12

BUSY_SMSC = Script(fortunes=(Fortune("UNDELIV", share=0.1, error="027"),), enroute_first=True, receipt_copies=2)

pytestmark = [pytest.mark.crash, pytest.mark.timeout(60 + 30 * ROUNDS)]


def draw(client: Client, chance: random.Random) -> Ask:
    """Think of a request as clients send them: codes, notices to one or many, long ones, offers."""
    kind = chance.choices((OTP, TRANSACTIONAL, ADVERTISING), (5, 4, 1))[0]
    many = 1 if kind == OTP else chance.choice((1, 1, 2, 5))
    text = LONG_TEXT if kind == TRANSACTIONAL and chance.random() < 0.1 else "Your code is 1234"
    return client.ask(kind, many, text)


async def load(world: World, asks: list[Ask], answered: Callable[[], None]) -> None:
    """Send requests, a few at once, until all are sent or the gateway is gone."""
    waiting = iter(asks)

    async def sender() -> None:
        for ask in waiting:
            if await world.client.send(ask) == 0:
                return
            answered()

    await asyncio.gather(*(sender() for _ in range(AT_ONCE)))


async def until_some(world: World, chance: random.Random, moment: asyncio.Event) -> str:
    """Wait for a random number of one kind of thing to happen; give what it was."""
    what = chance.choice(("answers", "submits", "receipts", "callbacks"))
    wanted = chance.randint(1, ASKS_A_ROUND // 2)
    smsc, receiver = world.smsc, world.receiver
    submits, receipts, callbacks = smsc.counts.submits, smsc.counts.receipts_acked, receiver.counts.requests
    if what == "answers":
        await moment.wait()
    elif what == "submits":
        await smsc.until(lambda counts: counts.submits >= submits + wanted)
    elif what == "receipts":
        await smsc.until(lambda counts: counts.receipts_acked >= receipts + wanted)
    else:
        await receiver.until(lambda counts: counts.requests >= callbacks + wanted)
    return f"{wanted} {what}"


async def one_round(world: World, chance: random.Random) -> str:
    """Load a gateway, kill it at a random moment, and start another one."""
    asks = [draw(world.client, chance) for _ in range(ASKS_A_ROUND)]
    moment, left = asyncio.Event(), [chance.randint(1, ASKS_A_ROUND // 2)]

    def answered() -> None:
        left[0] -= 1
        if left[0] == 0:
            moment.set()

    sending = asyncio.create_task(load(world, asks, answered))
    async with asyncio.timeout(20):
        when = await until_some(world, chance, moment)
    await world.kill()
    await sending
    await world.boot()
    await world.retry()
    return when


async def test_f13_killed_at_random_moments_under_load_every_invariant_holds(world: World) -> None:
    chance = random.Random(SEED)
    print(f"LOA_CRASH_SEED={SEED} LOA_CRASH_ROUNDS={ROUNDS}")
    world.smsc.change(BUSY_SMSC)
    await world.boot()
    for number in range(ROUNDS):
        print(f"round {number + 1}: killed after {await one_round(world, chance)}")
    assert all(ask.acknowledged for ask in world.client.asks)
    found = await world.verdict()
    assert len(found.messages) == sum(len(ask.destinations) for ask in world.client.asks)
