"""Load as clients make it: codes, notices to one or many, long ones, offers, several at once."""

import asyncio
import random
from collections.abc import Callable, Iterable
from typing import Final

from loa.certify.client import ACKNOWLEDGED, ADVERTISING, LONG_TEXT, OTP, SHORT_TEXT, TRANSACTIONAL, Ask, Client
from loa.certify.world import World
from loa.observe.clock import SystemClock
from loa.simulators.smsc.script import Fortune, Script

ASKS_A_ROUND: Final = 150
AT_ONCE: Final = 12
RETRY_S: Final = 0.05
BUSY_SMSC: Final = Script(fortunes=(Fortune("UNDELIV", share=0.1, error="027"),), enroute_first=True, receipt_copies=2)
"""Some messages fail, and every receipt comes twice after one that says nothing final."""


def _nothing() -> None:
    """Do nothing."""


def draw(client: Client, chance: random.Random) -> Ask:
    """Think of a request."""
    kind = chance.choices((OTP, TRANSACTIONAL, ADVERTISING), (5, 4, 1))[0]
    many = 1 if kind == OTP else chance.choice((1, 1, 2, 5))
    text = LONG_TEXT if kind == TRANSACTIONAL and chance.random() < 0.1 else SHORT_TEXT
    return client.ask(kind, many, text)


def draw_many(client: Client, chance: random.Random, count: int = ASKS_A_ROUND) -> list[Ask]:
    """Think of many requests."""
    return [draw(client, chance) for _ in range(count)]


async def send_until_gone(world: World, asks: Iterable[Ask], answered: Callable[[], None] = _nothing) -> None:
    """Send requests, a few at once, until all are sent or Loa is gone."""
    waiting = iter(asks)

    async def sender() -> None:
        for ask in waiting:
            if await world.client.send(ask) == 0:
                return
            answered()

    await asyncio.gather(*(sender() for _ in range(AT_ONCE)))


async def send_through(world: World, asks: Iterable[Ask], answered: Callable[[], None] = _nothing) -> None:
    """Send requests, a few at once, each until it is acknowledged, however often Loa is killed meanwhile."""
    waiting, clock = iter(asks), SystemClock()

    async def sender() -> None:
        for ask in waiting:
            while not ask.acknowledged:
                await world.serving.wait()
                status = await world.client.send(ask)
                if status not in ACKNOWLEDGED:
                    await clock.sleep(RETRY_S)
            answered()

    await asyncio.gather(*(sender() for _ in range(AT_ONCE)))


class Countdown:
    """Tells when something has happened so many times."""

    def __init__(self, wanted: int) -> None:
        self._left = wanted
        self._over = asyncio.Event()

    def step(self) -> None:
        """Note that it happened once more."""
        self._left -= 1
        if self._left <= 0:
            self._over.set()

    async def over(self) -> None:
        """Wait for the last time."""
        await self._over.wait()


async def until_some(world: World, chance: random.Random, answers: Countdown, wanted: int) -> None:
    """Wait for one kind of thing, drawn by lot, to happen so many times more; `answers` counts those to the client."""
    what = chance.choice(("answers", "submits", "receipts", "callbacks"))
    smsc, receiver = world.smsc, world.receiver
    submits, receipts, callbacks = smsc.counts.submits, smsc.counts.receipts_acked, receiver.counts.requests
    if what == "answers":
        await answers.over()
    elif what == "submits":
        await smsc.until(lambda counts: counts.submits >= submits + wanted)
    elif what == "receipts":
        await smsc.until(lambda counts: counts.receipts_acked >= receipts + wanted)
    else:
        await receiver.until(lambda counts: counts.requests >= callbacks + wanted)
