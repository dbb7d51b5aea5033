"""Dispatch over the real ledger and a channel that does what the test says."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.contract.ledger.values import (
    ADVERTISING,
    MINUTE,
    NUMBER,
    OTP,
    TRANSACTIONAL,
    resend,
    state_of,
    submission,
)
from tests.support.fakes import EPOCH, FakeClock, QuietProbe
from tests.support.scripted import ScriptedChannel

from loa.domain.hours import AllowedHours
from loa.domain.outcome import Accepted, Deferred, Refused, Unknown
from loa.errors import StorageUnavailable
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.channel import Attempt
from loa.ports.records import MessageFilter, Settlement
from loa.stages.dispatch import ChannelDispatch, DispatchRules


class World:
    """One ledger, one scripted channel, one dispatch; `recorded` grows with every commit of outcomes."""

    def __init__(self, ledger: SqliteLedger, rules: DispatchRules, window: int) -> None:
        self.ledger, self.clock, self.channel = ledger, FakeClock(), ScriptedChannel(window)
        self.recorded = asyncio.Semaphore(0)
        self.dispatch = ChannelDispatch(
            1,
            "scripted",
            self.channel,
            ledger,
            clock=self.clock,
            probe=QuietProbe(),
            policy=resend,
            rules=rules,
            answered=self.recorded.release,
        )

    async def settle(self, message_id: int, outcome: Accepted | Refused | Deferred | Unknown) -> None:
        self.channel.settle(message_id, outcome)
        async with asyncio.timeout(10):
            await self.recorded.acquire()


@asynccontextmanager
async def running(path: Path, rules: DispatchRules | None = None, window: int = 10) -> AsyncIterator[World]:
    ledger = await SqliteLedger.open(path / "loa.db", probe=QuietProbe())
    world = World(ledger, rules or DispatchRules(poll_ms=10), window)
    try:
        yield world
    finally:
        await ledger.close()


@asynccontextmanager
async def loops(world: World) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(world.dispatch.run()), asyncio.create_task(world.dispatch.run_recorder())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_codes_go_first_and_keep_a_share_of_the_window(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        for lane in (ADVERTISING, TRANSACTIONAL):
            await world.ledger.accept(submission(traffic_class=lane, numbers=[NUMBER + i for i in range(20)]))
        await world.ledger.accept(submission(traffic_class=OTP, numbers=[NUMBER]))
        async with loops(world):
            first = await world.channel.until_taken(9)
            assert first[0].traffic_class is OTP
            assert len(world.channel.open) == 9
            await world.ledger.accept(submission(traffic_class=OTP, numbers=[NUMBER + 1]))
            world.dispatch.wake()
            taken = await world.channel.until_taken(10)
            assert taken[9].traffic_class is OTP


async def test_a_rate_below_the_reserve_of_a_window_holds_nobody_up(tmp_path: Path) -> None:
    async with running(tmp_path, window=30) as world:
        world.channel.paced = 1
        for lane in (ADVERTISING, TRANSACTIONAL):
            await world.ledger.accept(submission(traffic_class=lane, numbers=[NUMBER + i for i in range(20)]))
        async with loops(world):
            taken = await world.channel.until_taken(27)
            assert len(taken) == 27, "the last three places of the window are for codes"
            await world.ledger.accept(submission(traffic_class=OTP, numbers=[NUMBER]))
            world.dispatch.wake()
            assert (await world.channel.until_taken(28))[27].traffic_class is OTP


async def test_advertising_waits_for_its_hours_and_goes_on_when_they_open(tmp_path: Path) -> None:
    opening = AllowedHours().next_open(EPOCH + 10 * 60 * MINUTE)
    rules = DispatchRules(poll_ms=10, hours=AllowedHours())
    async with running(tmp_path, rules) as world:
        world.clock.advance((opening - MINUTE - EPOCH) / 1000)
        await world.ledger.accept(submission(traffic_class=ADVERTISING, expires_at=opening + 60 * MINUTE))
        await world.ledger.accept(submission(numbers=[NUMBER + 1]))
        async with loops(world):
            taken = await world.channel.until_taken(1)
            assert [a.traffic_class for a in taken] == [TRANSACTIONAL]
            world.clock.advance(60)
            world.dispatch.wake()
            taken = await world.channel.until_taken(2)
            assert taken[1].traffic_class is ADVERTISING


async def test_a_counted_failure_backs_off_and_the_eighth_makes_a_dead_letter(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        await world.ledger.accept(submission(expires_at=EPOCH + 10_000 * MINUTE))
        async with loops(world):
            for tries in range(8):
                attempt = (await world.channel.until_taken(tries + 1))[tries]
                assert attempt.tries == tries
                await world.settle(attempt.message_id, Deferred("system error"))
                due = await world.ledger.next_due(1, world.clock.now())
                if tries < 7:
                    assert due is not None
                    assert due - world.clock.now() >= 4_000
                    world.clock.advance((due - world.clock.now()) / 1000)
                    world.dispatch.wake()
            row = await world.ledger.message(1, attempt.message_id)
            assert row is not None
            assert (row["state"], row["dead"], row["error"]) == ("rejected", True, "system error")


async def test_what_is_being_claimed_at_a_stop_is_still_handed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as world:
        await world.ledger.accept(submission())
        claim, asked, go_on = world.ledger.claim, asyncio.Event(), asyncio.Event()

        async def slow(*wanted: Any) -> list[Attempt]:
            asked.set()
            await go_on.wait()
            return await claim(*wanted)

        monkeypatch.setattr(world.ledger, "claim", slow)
        async with loops(world):
            await asked.wait()
            stopping = asyncio.create_task(world.dispatch.stop_claiming())
            await asyncio.sleep(0)
            assert not stopping.done()
            go_on.set()
            assert len(await world.channel.until_taken(1)) == 1
            world.clock.advance(1)
            async with asyncio.timeout(10):
                await stopping


async def test_an_unknown_outcome_is_settled_by_a_late_answer(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        await world.ledger.accept(submission())
        async with loops(world):
            (attempt,) = await world.channel.until_taken(1)
            await world.settle(attempt.message_id, Unknown("no answer in time"))
            assert await state_of(world.ledger, attempt.message_id) == "unknown"
            world.dispatch.late(attempt, Accepted(("late",)))
            async with asyncio.timeout(10):
                await world.recorded.acquire()
            assert await state_of(world.ledger, attempt.message_id) == "sent"


async def test_a_provider_that_raises_leaves_unknowns_and_dispatch_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.channel.raises = ValueError("a bug of the provider")
        await world.ledger.accept(submission())
        async with loops(world):
            async with asyncio.timeout(10):
                await world.recorded.acquire()
            (row,) = await world.ledger.messages(1, MessageFilter(), None, 10)
            assert (row["state"], row["error"]) == ("unknown", "the provider failed: ValueError")
            world.clock.advance(1)
            await world.ledger.accept(submission(numbers=[NUMBER + 1]))
            world.dispatch.wake()
            assert (await world.channel.until_taken(1))[0].destination == NUMBER + 1


async def test_f35_a_message_at_which_the_provider_always_fails_takes_others_along_only_once(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.channel.poison = {NUMBER + 1}
        await world.ledger.accept(submission(numbers=[NUMBER + i for i in range(3)]))
        async with loops(world):
            async with asyncio.timeout(10):
                await world.recorded.acquire()
            (first,) = await world.channel.until_taken(1)
            world.channel.settle(first.message_id, Accepted(("after all",)))
            async with asyncio.timeout(10):
                await world.recorded.acquire()
            assert await state_of(world.ledger, first.message_id) == "sent"
            assert world.dispatch.in_flight == 0
            world.clock.advance(120)
            assert await world.ledger.settle_unknown(10, world.clock.now()) == (2, 0)
            world.dispatch.wake()
            assert (await world.channel.until_taken(2))[1].destination == NUMBER + 2
            async with asyncio.timeout(10):
                await world.recorded.acquire()
            world.clock.advance(120)
            assert await world.ledger.settle_unknown(10, world.clock.now()) == (0, 1)
            (row,) = await world.ledger.messages(1, MessageFilter(destination=NUMBER + 1), None, 10)
            assert (row["state"], row["error"]) == ("unknown", "the provider failed: ValueError")


@pytest.mark.parametrize("by_s", [3 * 86_400, -7_200])
async def test_f29_a_pause_is_as_long_as_asked_for_however_the_wall_clock_is_set(tmp_path: Path, by_s: int) -> None:
    async with running(tmp_path) as world:
        await world.ledger.accept(submission(expires_at=EPOCH + 30 * 1_440 * MINUTE))
        async with loops(world):
            (attempt,) = await world.channel.until_taken(1)
            later = Deferred("throttled", until=world.clock.now() + 30_000, counts=False)
            await world.settle(attempt.message_id, later)
            world.clock.set_by(by_s)
            await world.ledger.accept(submission(at=world.clock.now(), numbers=[NUMBER + 1]))
            world.dispatch.wake()
            await world.ledger.ping()
            assert len(world.channel.taken) == 1
            world.clock.advance(30)
            world.dispatch.wake()
            assert (await world.channel.until_taken(2))[1].destination in (NUMBER, NUMBER + 1)


async def test_outcomes_are_kept_until_the_ledger_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path) as world:
        await world.ledger.accept(submission())
        record, refusals = world.ledger.record, [StorageUnavailable("away"), StorageUnavailable("away")]
        refused = asyncio.Semaphore(0)

        async def reluctant(settlements: Sequence[Settlement]) -> int:
            if refusals:
                refused.release()
                raise refusals.pop()
            return await record(settlements)

        monkeypatch.setattr(world.ledger, "record", reluctant)
        async with loops(world):
            (attempt,) = await world.channel.until_taken(1)
            world.channel.settle(attempt.message_id, Accepted(("ref",)))
            async with asyncio.timeout(10):
                for _ in range(2):
                    await refused.acquire()
                    await asyncio.sleep(0)
                    world.clock.advance(1)
                await world.recorded.acquire()
            assert await state_of(world.ledger, attempt.message_id) == "sent"


async def test_a_paused_channel_claims_nothing_until_it_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.dispatch.paused = True
        await world.ledger.accept(submission())
        async with loops(world):
            world.dispatch.wake()
            await world.ledger.ping()
            assert world.channel.taken == []
            world.dispatch.paused = False
            world.dispatch.wake()
            assert len(await world.channel.until_taken(1)) == 1


async def test_draining_ends_when_every_outcome_is_on_disk(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        await world.ledger.accept(submission())
        async with loops(world):
            (attempt,) = await world.channel.until_taken(1)
            world.dispatch.stopping = True
            draining = asyncio.create_task(world.dispatch.drain())
            world.channel.settle(attempt.message_id, Accepted(("ref",)))
            async with asyncio.timeout(10):
                await world.recorded.acquire()
                while not draining.done():
                    await asyncio.sleep(0)
                    world.clock.advance(1)
            assert await state_of(world.ledger, attempt.message_id) == "sent"
