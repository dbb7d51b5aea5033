"""The callback stage over the real ledger and a sender that answers as the test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.contract.ledger.values import DAY, NUMBER, claim, submission
from tests.support.fakes import EPOCH, FakeClock, QuietProbe
from tests.support.scripted import ScriptedSender

from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.callback_sender import NO_DESCRIPTOR, PostResult
from loa.ports.records import Endpoint, NewInbound
from loa.stages.callbacks import CallbackRules, CallbackStage

DEAD = "https://dead.example/"
WELL = "https://well.example/"


class World:
    """A ledger in which messages have expired, so that callbacks are owed."""

    def __init__(self, ledger: SqliteLedger, rules: CallbackRules) -> None:
        self.ledger, self.clock, self.sender = ledger, FakeClock(), ScriptedSender()
        self.stage = CallbackStage(ledger, self.sender, clock=self.clock, probe=QuietProbe(), rules=rules)

    async def owe(self, url: str, count: int = 1) -> Endpoint:
        endpoint = await self.ledger.add_endpoint(1, url, "whsec_x")
        now = self.clock.now()
        numbers = [NUMBER + i for i in range(count)]
        await self.ledger.accept(submission(at=now, numbers=numbers, endpoint_id=endpoint.id, expires_at=now + 1))
        await claim(self.ledger, now + 1)
        self.clock.advance(0.001)
        self.stage.wake()
        return endpoint

    async def told(self, url: str) -> None:
        """Have an endpoint owed an inbound event."""
        await self.ledger.add_endpoint(1, url, "whsec_x", inbound=True)
        came = NewInbound(1, "follow", "k", -186, 1, {"raw": {"a": 1}}, b"{}", self.clock.now())
        await self.ledger.take_inbound([came])
        self.stage.wake()

    async def until(self, condition: Callable[[list[Any]], bool]) -> list[Any]:
        """Wait until the callbacks of all messages, as the timelines show them, meet a condition."""
        async with asyncio.timeout(10):
            while True:
                events = await self.ledger.events(1, 0, 500)
                timelines = [await self.ledger.timeline(1, event["message_id"]) for event in events]
                shown = [callback for timeline in timelines if timeline for callback in timeline["callbacks"]]
                if condition(shown):
                    return shown


@asynccontextmanager
async def running(path: Path, concurrency: int = 16, per_endpoint: int = 8) -> AsyncIterator[World]:
    ledger = await SqliteLedger.open(path / "loa.db", probe=QuietProbe())
    world = World(ledger, CallbackRules(concurrency, per_endpoint))
    tasks = [asyncio.create_task(loop()) for loop in world.stage.loops()]
    try:
        yield world
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await ledger.close()


def _tries(count: int) -> Callable[[list[Any]], bool]:
    return lambda shown: sum(len(callback["tries"]) for callback in shown) >= count


async def test_a_callback_that_was_taken_is_over(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        await world.owe(WELL)
        (callback,) = await world.until(lambda shown: bool(shown) and shown[0]["result"] == "delivered")
        assert [t["status"] for t in callback["tries"]] == [200]
        body = json.loads(world.sender.posted[0].body)
        assert (body["state"], body["status"], body["retryCount"]) == ("expired", 6, 0)


async def test_an_inbound_event_is_posted_with_a_body_of_its_own(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        await world.told(WELL)
        (posted,) = await world.sender.until_posted(1)
        body = json.loads(posted.body)
        assert (body["type"], body["event"], body["from"], body["raw"]) == ("inbound", "follow", "zalo:186", {"a": 1})


async def test_tries_follow_the_schedule_under_one_id_and_count_up(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.sender.answer = lambda _: PostResult(500, "status")
        await world.owe(WELL)
        (callback,) = await world.until(_tries(1))
        wait_ms = callback["due_at"] - world.clock.now()
        assert 4_000 <= wait_ms <= 6_000
        world.clock.advance(wait_ms / 1000)
        world.stage.wake()
        await world.until(_tries(2))
        first, second = world.sender.posted
        assert first.callback_id == second.callback_id
        assert second.timestamp_s > first.timestamp_s
        assert [json.loads(p.body)["retryCount"] for p in (first, second)] == [0, 1]


async def test_no_endpoint_has_failed_where_this_process_had_no_descriptor(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.sender.answer = lambda _: PostResult(0, NO_DESCRIPTOR)
        endpoint = await world.owe(WELL)
        for number in range(1, 4):
            (callback,) = await world.until(_tries(number))
            wait_ms = callback["due_at"] - world.clock.now()
            assert 4_000 <= wait_ms <= 6_000
            world.clock.advance(wait_ms / 1000)
            world.stage.wake()
        (kept,) = [each for each in await world.ledger.endpoints(1) if each.id == endpoint.id]
        assert kept.failing_since is None


async def test_a_longer_wish_of_the_endpoint_is_honoured(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.sender.answer = lambda _: PostResult(429, "status", retry_after_s=600)
        await world.owe(WELL)
        (callback,) = await world.until(_tries(1))
        assert callback["due_at"] - EPOCH >= 600_000


async def test_gone_switches_the_endpoint_off_at_once(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.sender.answer = lambda _: PostResult(410, "status")
        endpoint = await world.owe(DEAD)
        (callback,) = await world.until(lambda shown: bool(shown) and shown[0]["result"] == "failed")
        assert callback["due_at"] is None
        (kept,) = [e for e in await world.ledger.endpoints(1) if e.id == endpoint.id]
        assert kept.disabled_at is not None
        assert "410" in kept.disabled_reason


async def test_five_days_of_failure_switch_an_endpoint_off_even_over_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        endpoint = await world.ledger.add_endpoint(1, DEAD, "whsec_x")
        await world.ledger.set_endpoint_health(endpoint.id, EPOCH - 5 * DAY, None, "")
        world.stage.remember(await world.ledger.endpoints())
        world.sender.answer = lambda _: PostResult(0, "connect")
        await world.owe(DEAD)
        await world.until(_tries(1))
        (kept,) = [e for e in await world.ledger.endpoints(1) if e.id == endpoint.id]
        assert kept.disabled_reason == "the endpoint failed for five days"


async def test_an_endpoint_that_fails_in_a_row_rests_and_is_asked_again(tmp_path: Path) -> None:
    async with running(tmp_path, per_endpoint=2) as world:
        world.sender.answer = lambda _: PostResult(0, "connect")
        await world.owe(DEAD, 20)
        await world.until(_tries(5))
        posted = len(world.sender.posted)
        assert posted < 20
        await world.owe(WELL)
        await world.sender.until_posted(posted + 1)
        assert world.sender.posted[-1].url == WELL
        world.sender.answer = lambda _: PostResult(200, "")
        world.clock.advance(120)
        world.stage.wake()
        await world.sender.until_posted(posted + 4)
        assert DEAD in {posting.url for posting in world.sender.posted[posted + 1 :]}


async def test_an_endpoint_that_hangs_holds_up_no_other_and_keeps_to_its_share(tmp_path: Path) -> None:
    async with running(tmp_path, concurrency=8, per_endpoint=4) as world:
        held = world.sender.held[DEAD] = asyncio.Event()
        await world.owe(DEAD, 50)
        await world.sender.until_posted(4)
        await world.owe(WELL, 5)
        await world.until(lambda shown: sum(c["url"] == WELL and c["result"] == "delivered" for c in shown) == 5)
        assert world.sender.most_at_once[DEAD] <= 4
        held.set()
        await world.until(lambda shown: all(c["result"] == "delivered" for c in shown))
        assert world.sender.most_at_once[DEAD] <= 4


async def test_a_failed_callback_is_posted_again_when_replayed(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.sender.answer = lambda _: PostResult(410, "status")
        endpoint = await world.owe(DEAD)
        await world.until(lambda shown: bool(shown) and shown[0]["result"] == "failed")
        world.sender.answer = lambda _: PostResult(200, "")
        await world.ledger.add_endpoint(1, DEAD, "whsec_x")
        world.stage.remember(await world.ledger.endpoints())
        assert await world.ledger.replay(1, [], endpoint.id, 0, world.clock.now()) == 1
        world.stage.wake()
        await world.until(lambda shown: shown[0]["result"] == "delivered")
        first, second = world.sender.posted
        assert first.callback_id == second.callback_id


async def test_f29_an_endpoint_rests_no_longer_because_the_wall_clock_goes_back(tmp_path: Path) -> None:
    async with running(tmp_path, per_endpoint=2) as world:
        world.sender.answer = lambda _: PostResult(0, "connect")
        await world.owe(DEAD, 20)
        await world.until(_tries(5))
        posted = len(world.sender.posted)
        world.sender.answer = lambda _: PostResult(200, "")
        world.clock.advance(7_200)
        world.clock.set_by(-7_200)
        world.stage.wake()
        await world.sender.until_posted(posted + 1)
