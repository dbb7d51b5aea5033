"""Channels run with the slots that this process may use, and follow every change in order."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.contract.ledger.values import resend, state_of, submission
from tests.support.fakes import QuietProbe
from tests.support.scripted import ScriptedChannel

from loa.app.channel_host import ChannelHost
from loa.domain.outcome import Accepted
from loa.domain.receipt import Receipt
from loa.errors import ConfigError
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.observe import metrics
from loa.observe.clock import SystemClock
from loa.ports.channel import Channel, ChannelContext, ProviderInfo
from loa.ports.records import ChannelRecord, SlotUse
from loa.stages.dispatch import DispatchRules


class Part(ScriptedChannel):
    """A channel that stops only when what it took is settled, as a drain does."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings["slots"] * 10)
        self.started = self.stopped = False
        self.empty = asyncio.Event()
        self.empty.set()

    async def start(self) -> None:
        self.started = True

    def free(self, now: int) -> int:
        return super().free(now) if self.started and not self.stopped else 0

    async def stop(self, drain_s: float) -> None:
        self.stopped = True
        async with asyncio.timeout(drain_s):
            await self.empty.wait()


class Provider:
    """Builds parts and keeps them for the test."""

    info = ProviderInfo("parts", removes_duplicates=False, secrets=frozenset())

    def __init__(self) -> None:
        self.built: list[Part] = []
        self.refusal = ""

    def check(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        if settings["slots"] < 1:
            raise ConfigError("parts: slots: give 1 or more")
        return settings

    def slots(self, settings: Mapping[str, Any]) -> int:
        return int(settings["slots"])

    def part(self, settings: Mapping[str, Any], held: int) -> Mapping[str, Any]:
        return {**settings, "slots": held}

    def build(self, context: ChannelContext) -> Channel:
        if self.refusal:
            raise ConfigError(self.refusal)
        self.built.append(Part(context.settings))
        return self.built[-1]

    def read_report(self, channel_id: int, report: Mapping[str, Any], now: int) -> Receipt | None:
        return None


RECORD = ChannelRecord(1, "main", "parts", {"slots": 4}, False, 1)


class World:
    def __init__(self, ledger: SqliteLedger) -> None:
        self.ledger, self.provider = ledger, Provider()
        self.host = ChannelHost(
            ledger,
            {"parts": self.provider},
            clock=SystemClock(),
            probe=QuietProbe(),
            receipts=lambda receipt, acknowledge: None,
            policy=resend,
            rules=DispatchRules(poll_ms=10),
            told=lambda: None,
            went_on=lambda: None,
            drain_s=20,
        )

    def answer(self, share: int) -> None:
        """Answer what the host would ask now."""
        self.host.take(self.host.uses(), {1: share})

    async def with_share(self, share: int) -> Part:
        self.host.reconcile({1: RECORD})
        self.answer(share)
        await self.host.settle()
        return self.provider.built[-1]


@asynccontextmanager
async def world(path: Path) -> AsyncIterator[World]:
    ledger = await SqliteLedger.open(path / "loa.db", probe=QuietProbe())
    built = World(ledger)
    try:
        yield built
    finally:
        for part in built.provider.built:
            part.empty.set()
        await built.host.stop()
        await ledger.close()


async def test_a_channel_runs_only_once_it_has_a_slot(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.host.reconcile({1: RECORD})
        assert here.host.uses() == {1: SlotUse(4, 0)}
        here.answer(0)
        await here.host.settle()
        assert here.provider.built == []
        here.answer(3)
        assert here.host.uses() == {1: SlotUse(4, 3)}, "what was given counts as used before it runs"
        await here.host.settle()
        assert here.provider.built[0].window == 30
        assert here.host.running[1].held == 3


async def test_a_smaller_share_drains_first_and_is_said_only_when_the_last_link_is_down(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.ledger.accept(submission(at=SystemClock().now()))
        first = await here.with_share(4)
        (attempt,) = await first.until_taken(1)
        first.empty.clear()
        here.answer(1)
        await asyncio.sleep(0)
        here.answer(1)
        assert here.host.uses() == {1: SlotUse(4, 4)}
        assert len(here.provider.built) == 1
        first.settle(attempt.message_id, Accepted(("ref",)))
        first.empty.set()
        await here.host.settle()
        assert await state_of(here.ledger, attempt.message_id) == "sent"
        assert here.host.uses() == {1: SlotUse(4, 1)}
        assert here.provider.built[1].window == 10


async def test_no_slot_stops_the_channel_and_a_new_one_starts_it_again(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        first = await here.with_share(2)
        here.host.measure()
        assert metrics.slots_held.labels("main")._value.get() == 2
        here.answer(0)
        await here.host.settle()
        assert first.stopped
        assert here.host.running == {}
        assert here.host.uses() == {1: SlotUse(4, 0)}
        assert metrics.slots_held.labels("main")._value.get() == 0
        assert ("main", "1") not in metrics.link_up._metrics, "an alert on links that are down must not fire"
        here.answer(2)
        await here.host.settle()
        assert len(here.provider.built) == 2


async def test_a_share_that_changes_during_a_drain_is_followed_without_a_start_between(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        first = await here.with_share(4)
        first.empty.clear()
        for share in (3, 2, 4, 1):
            here.answer(share)
            await asyncio.sleep(0)
        first.empty.set()
        await here.host.settle()
        assert [part.window for part in here.provider.built] == [40, 10]


async def test_when_a_channel_is_divided_anew_its_share_is_asked_anew(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.with_share(2)
        asked_before = here.host.uses()
        here.host.reconcile({1: replace(RECORD, settings={"slots": 2}, version=2)})
        await here.host.settle()
        assert here.host.running == {}
        here.host.take(asked_before, {1: 2})
        await here.host.settle()
        assert here.host.running == {}, "an answer about the old slots says nothing of the new ones"
        assert here.host.uses() == {1: SlotUse(2, 0)}
        here.answer(1)
        await here.host.settle()
        assert here.host.running[1].held == 1


async def test_changed_settings_restart_the_channel_with_the_share_it_has(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.with_share(3)
        here.host.reconcile({1: replace(RECORD, settings={"slots": 4, "more": 1}, version=2)})
        assert here.host.uses() == {1: SlotUse(4, 3)}
        await here.host.settle()
        assert [part.window for part in here.provider.built] == [30, 30]


async def test_a_pause_is_no_restart(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.with_share(4)
        here.host.reconcile({1: replace(RECORD, paused=True)})
        await here.host.settle()
        assert here.host.running[1].dispatch.paused
        assert len(here.provider.built) == 1


async def test_a_channel_that_cannot_run_here_leaves_its_slots_to_others_and_is_tried_again(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.provider.refusal = "parts: the file is not here"
        here.host.reconcile({1: RECORD, 2: replace(RECORD, id=2, name="odd", settings={"slots": 0})})
        assert here.host.broken == {2: "parts: slots: give 1 or more"}
        here.answer(4)
        await here.host.settle()
        assert here.host.uses() == {}
        assert here.host.broken[1] == "parts: the file is not here"
        here.provider.refusal = ""
        here.host.reconcile({1: RECORD})
        assert here.host.uses() == {1: SlotUse(4, 0)}
        here.answer(4)
        await here.host.settle()
        assert here.host.broken == {}
        assert here.host.running[1].held == 4


async def test_a_channel_that_is_gone_stops_and_is_forgotten(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        first = await here.with_share(4)
        first.empty.clear()
        here.host.reconcile({})
        assert here.host.uses() == {1: SlotUse(4, 4)}, "its links are not down yet"
        first.empty.set()
        await here.host.settle()
        assert here.host.uses() == {}


async def test_once_stopped_nothing_starts(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.with_share(4)
        asked = here.host.uses()
        await here.host.stop()
        here.host.take(asked, {1: 4})
        here.host.reconcile({1: RECORD})
        await here.host.settle()
        assert here.host.running == {}
