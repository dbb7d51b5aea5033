"""Sharing says every second how channels are used, and hands on what the ledger answers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from tests.support.fakes import FakeClock

from loa.errors import StorageUnavailable
from loa.ports.records import SlotUse
from loa.stages.sharing import Sharing


class Members:
    """A ledger that gives what the test says, and lets it wait for the next question."""

    def __init__(self) -> None:
        self.asked: list[dict[int, SlotUse]] = []
        self.shares: Mapping[int, int] = {}
        self.away = False
        self.questions = asyncio.Semaphore(0)

    async def share(self, uses: Mapping[int, SlotUse]) -> Mapping[int, int]:
        self.asked.append(dict(uses))
        self.questions.release()
        if self.away:
            raise StorageUnavailable("away")
        return self.shares

    def listen(self, woken: Callable[[], None]) -> None:
        raise AssertionError("nothing listens here")


class World:
    def __init__(self) -> None:
        self.clock, self.ledger = FakeClock(), Members()
        self.uses = {7: SlotUse(4, 0)}
        self.taken: list[tuple[Mapping[int, SlotUse], Mapping[int, int]]] = []
        self.sharing = Sharing(self.ledger, self.clock, uses=lambda: self.uses, take=self.take)

    def take(self, asked: Mapping[int, SlotUse], shares: Mapping[int, int]) -> None:
        self.taken.append((asked, shares))

    async def pass_a_second(self) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.clock.advance(1)

    async def question(self) -> None:
        async with asyncio.timeout(10):
            await self.ledger.questions.acquire()
        await asyncio.sleep(0)


@asynccontextmanager
async def running(world: World) -> AsyncIterator[World]:
    task = asyncio.create_task(world.sharing.run())
    try:
        yield world
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_every_second_it_says_how_channels_are_used_and_hands_the_answer_on() -> None:
    async with running(World()) as world:
        world.ledger.shares = {7: 2}
        await world.pass_a_second()
        await world.question()
        assert world.taken == [({7: SlotUse(4, 0)}, {7: 2})]
        world.uses = {7: SlotUse(4, 2)}
        await world.pass_a_second()
        await world.question()
        assert world.ledger.asked == [{7: SlotUse(4, 0)}, {7: SlotUse(4, 2)}]


async def test_a_new_channel_does_not_wait_for_the_second_to_pass() -> None:
    async with running(World()) as world:
        await asyncio.sleep(0)
        assert world.ledger.asked == []
        world.sharing.ask()
        await world.question()
        assert len(world.ledger.asked) == 1


async def test_while_the_ledger_is_away_nothing_is_taken_and_then_it_goes_on() -> None:
    async with running(World()) as world:
        world.ledger.away = True
        await world.pass_a_second()
        await world.question()
        assert world.taken == []
        world.ledger.away = False
        await world.pass_a_second()
        await world.pass_a_second()
        await world.question()
        assert len(world.taken) == 1


async def test_once_it_stops_it_asks_no_more() -> None:
    world = World()
    world.sharing.stop()
    await world.sharing.tick()
    assert world.ledger.asked == []
