"""Looking at what providers have approved: when, by whom, and what is kept of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.support.fakes import EPOCH, FakeClock, QuietProbe

from loa.domain.template import Template
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.channel import Asking, Described, Undescribed
from loa.ports.records import TemplateLook
from loa.stages.templates import CLAIM_MS, EVERY_MS, GAP_MS, RETRY_MS, Source, TemplateStage, is_due

OFFER = Template(3, "7", "offer", "enabled")


class Provider:
    """Describes what it is told to, and notes how it was asked."""

    def __init__(self) -> None:
        self.answer: Described | Undescribed = Described((OFFER,))
        self.asked: list[Asking] = []

    async def describe(self, settings: Mapping[str, Any], asking: Asking) -> Described | Undescribed:
        assert settings == {"oa": "1"}
        self.asked.append(asking)
        return self.answer


class Tokens:
    def __init__(self, token: str) -> None:
        self.token = token
        self.spoilt: list[str] = []

    def current(self) -> str:
        return self.token

    def spoiled(self, token: str) -> None:
        self.spoilt.append(token)


class World:
    """A stage over a real ledger with one source."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self.ledger, self.clock, self.provider, self.tokens = ledger, FakeClock(), Provider(), Tokens("t-1")
        self.sources = [Source(3, "oa", self.provider, {"oa": "1"}, self.tokens)]
        self.stage = self.another()

    def another(self) -> TemplateStage:
        return TemplateStage(self.ledger, clock=self.clock, sources=lambda: self.sources)

    async def look(self) -> TemplateLook:
        (found,) = await self.ledger.template_looks()
        return found


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    ledger = await SqliteLedger.open(tmp_path / "loa.db", probe=QuietProbe())
    yield World(ledger)
    await ledger.close()


@pytest.mark.parametrize(
    ("look", "after_ms", "due"),
    [
        (TemplateLook(3), 0, True),
        (TemplateLook(3, begun_at=EPOCH), EVERY_MS - 1, False),
        (TemplateLook(3, begun_at=EPOCH), EVERY_MS, True),
        (TemplateLook(3, begun_at=EPOCH, problem="x"), RETRY_MS, True),
        (TemplateLook(3, begun_at=EPOCH, problem="x"), RETRY_MS - 1, False),
        (TemplateLook(3, begun_at=EPOCH, asked_at=EPOCH + 1), GAP_MS - 1, False),
        (TemplateLook(3, begun_at=EPOCH, asked_at=EPOCH + 1), GAP_MS, True),
        (TemplateLook(3, begun_at=EPOCH, asked_at=EPOCH), GAP_MS, False),
        (TemplateLook(3, begun_at=EPOCH, claimed_until=EPOCH + CLAIM_MS), CLAIM_MS - 1, False),
        (TemplateLook(3, begun_at=EPOCH), -1_000, True),
    ],
)
def test_a_look_is_due_by_time_or_when_asked(look: TemplateLook, after_ms: int, due: bool) -> None:
    assert is_due(look, EPOCH + after_ms) is due


async def test_what_the_provider_has_is_kept_at_the_start(world: World) -> None:
    await world.stage.tick()
    assert [each.name for each in await world.ledger.templates()] == ["offer"]
    assert [(each.token, each.known) for each in world.provider.asked] == [("t-1", ())]
    assert await world.look() == TemplateLook(3, EPOCH, EPOCH, 0, EPOCH, "")
    await world.stage.tick()
    assert len(world.provider.asked) == 1


async def test_a_change_is_looked_at_soon_but_not_in_bursts(world: World) -> None:
    await world.stage.tick()
    world.clock.advance(1)
    await world.stage.changed(3)
    await world.stage.tick()
    assert len(world.provider.asked) == 1
    world.clock.advance(GAP_MS / 1000)
    await world.stage.tick()
    assert [each.template_id for each in world.provider.asked[1].known] == ["7"]


async def test_a_change_noted_by_another_process_is_seen(world: World) -> None:
    await world.stage.tick()
    world.clock.advance(GAP_MS / 1000)
    await world.ledger.ask_template_look(3, world.clock.now())
    await world.stage.tick()
    assert len(world.provider.asked) == 2


async def test_two_processes_do_not_look_at_once(world: World) -> None:
    other = world.another()
    await asyncio.gather(world.stage.tick(), other.tick())
    assert len(world.provider.asked) == 1


async def test_a_failed_look_leaves_all_as_it_was_and_is_tried_later(world: World) -> None:
    await world.stage.tick()
    world.provider.answer = Undescribed("http_502")
    world.clock.advance(EVERY_MS / 1000)
    await world.stage.tick()
    assert [each.status for each in await world.ledger.templates()] == ["enabled"]
    assert (await world.look()).problem == "http_502"
    world.provider.answer = Described(())
    world.clock.advance(RETRY_MS / 1000)
    await world.stage.tick()
    assert [each.status for each in await world.ledger.templates()] == ["deleted"]
    assert (await world.look()).problem == ""


async def test_a_token_that_is_taken_no_more_is_said_to_be(world: World) -> None:
    world.provider.answer = Undescribed("zalo_-124", token=True)
    await world.stage.tick()
    assert world.tokens.spoilt == ["t-1"]


async def test_without_a_token_nobody_is_asked_and_with_one_at_once(world: World) -> None:
    world.tokens.token = ""
    await world.stage.tick()
    assert world.provider.asked == []
    world.tokens.token = "t-1"
    await world.stage.tick()
    assert len(world.provider.asked) == 1


async def test_without_sources_the_ledger_is_left_alone(world: World) -> None:
    world.sources = []
    await world.stage.tick()
    assert await world.ledger.template_looks() == []


async def test_a_look_that_is_broken_off_gives_its_right_back(world: World) -> None:
    class Stuck(Provider):
        async def describe(self, settings: Mapping[str, Any], asking: Asking) -> Described:
            self.asked.append(asking)
            await asyncio.Event().wait()
            raise AssertionError

    world.provider = Stuck()
    world.sources = [Source(3, "oa", world.provider, {"oa": "1"}, world.tokens)]
    task = asyncio.create_task(world.stage.run())
    while not world.provider.asked:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await world.look()).claimed_until == 0
