"""Slots of a channel over processes that come, go and die: together never more than the whole, and in the end all of it."""

import random
from collections.abc import Iterator, Mapping

import pytest

from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.postgres.slots import part_of
from loa.ports.records import SlotUse
from tests.support.shared_ledger import SharedLedger, long_here

CHANNELS = {1: 8, 2: 1, 3: 5}
ROUNDS = 4
"""Within so many rounds after the last change every slot is held: give up, say so, take."""
SILENCE = 600
"""How long nobody here is taken for dead by himself: the tests say who is."""


class Process:
    """What a process does with its slots: works with more at once, gives up as slowly as it likes."""

    def __init__(self, node: PostgresLedger) -> None:
        self.node = node
        self.in_use = dict.fromkeys(CHANNELS, 0)
        self.may = dict.fromkeys(CHANNELS, 0)

    async def ask(self, totals: Mapping[int, int]) -> None:
        uses = {channel: SlotUse(total, self.in_use[channel]) for channel, total in totals.items()}
        self.may = dict(await self.node.share(uses))
        for channel, may in self.may.items():
            self.in_use[channel] = max(self.in_use[channel], may)

    def give_up(self) -> None:
        self.in_use = {channel: min(used, self.may.get(channel, used)) for channel, used in self.in_use.items()}


class World:
    """Processes on one ledger. After every step no channel is used beyond its slots."""

    def __init__(self, shared: SharedLedger) -> None:
        self.shared = shared
        self.living: list[Process] = []
        self._names: Iterator[int] = iter(range(1_000))

    async def join(self) -> Process:
        node = long_here(await self.shared.open(f"p{next(self._names)}", dead_after_s=SILENCE))
        self.living.append(Process(node))
        return self.living[-1]

    async def leave(self, one: Process) -> None:
        self.living.remove(one)
        await self.shared.leave(one.node)

    async def kill(self, one: Process) -> None:
        self.living.remove(one)
        await self.shared.kill(one.node)
        await self.shared.silence(one.node)

    def check(self) -> None:
        for channel, total in CHANNELS.items():
            assert sum(one.in_use[channel] for one in self.living) <= total

    async def settle(self) -> None:
        for _ in range(ROUNDS):
            for one in self.living:
                one.give_up()
                await one.ask(CHANNELS)
                self.check()
        order = sorted(self.living, key=lambda one: one.node._node.boot)
        for channel, total in CHANNELS.items():
            held = [one.in_use[channel] for one in order]
            assert held == [part_of(channel, total, place, len(order)) for place in range(len(order))]
            assert sum(held) == total


@pytest.mark.parametrize("seed", range(4))
async def test_parts_never_add_up_to_more_than_the_whole_and_soon_to_all_of_it(shared: SharedLedger, seed: int) -> None:
    chance = random.Random(seed)
    world = World(shared)
    await world.join()
    for _ in range(50):
        act = chance.choice(["ask"] * 6 + ["give up"] * 4 + ["join", "leave", "kill"])
        one = chance.choice(world.living)
        if act == "ask":
            await one.ask(CHANNELS)
        elif act == "give up":
            one.give_up()
        elif act == "join" and len(world.living) < 5:
            await world.join()
        elif len(world.living) > 1:
            await (world.leave if act == "leave" else world.kill)(one)
        world.check()
    await world.settle()


async def test_a_process_keeps_what_it_still_uses_until_it_says_that_it_does_not(shared: SharedLedger) -> None:
    world = World(shared)
    first = await world.join()
    await first.ask(CHANNELS)
    assert first.in_use == CHANNELS
    second = await world.join()
    for _ in range(5):
        await second.ask(CHANNELS)
        await first.ask(CHANNELS)
        world.check()
        assert first.in_use == CHANNELS
        assert second.in_use == dict.fromkeys(CHANNELS, 0)
    await world.settle()
    assert all(second.in_use[channel] for channel in (1, 3))


async def test_a_process_that_was_taken_for_dead_may_use_nothing_until_it_enters_anew(shared: SharedLedger) -> None:
    world = World(shared)
    first, second = await world.join(), await world.join()
    await world.settle()
    await shared.silence(first.node)
    second.give_up()
    await second.ask(CHANNELS)
    await second.ask(CHANNELS)
    assert second.in_use == CHANNELS
    assert set((await first.node.share({c: SlotUse(t, first.in_use[c]) for c, t in CHANNELS.items()})).values()) == {0}
    assert not first.node._node.holds()
    first.in_use = dict.fromkeys(CHANNELS, 0)
    await first.node._node._beat()
    assert first.node._node.holds()
    await world.settle()


async def test_a_channel_that_shrinks_and_grows_is_divided_anew(shared: SharedLedger) -> None:
    world = World(shared)
    processes = [await world.join() for _ in range(3)]
    await world.settle()
    for total in (2, 7):
        for _ in range(ROUNDS):
            for one in processes:
                one.give_up()
                await one.ask({1: total})
        assert sum(one.in_use[1] for one in processes) == total
        assert await shared.value("SELECT count(*) FROM slot WHERE channel_id = 1 AND number <= $1", total) == total


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_parts_of_all_places_add_up_to_the_whole_and_differ_by_one_at_most(count: int) -> None:
    for channel in range(9):
        for total in range(20):
            parts = [part_of(channel, total, place, count) for place in range(count)]
            assert sum(parts) == total
            assert max(parts) - min(parts) <= 1
