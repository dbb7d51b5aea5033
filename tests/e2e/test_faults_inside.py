"""Faults that a whole gateway has to bear, run inside the test's process so that its clock can be set, on both ledgers.

F-numbers are those of the fault catalogue in docs/explain/reliability.md.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.inside import Inside, Tenant, running_inside
from tests.support.postgres import Postgres
from tests.support.scripted import ScriptedChannel

from loa.domain.callback_body import utc_text
from loa.domain.outcome import Accepted, Outcome, Refused
from loa.domain.receipt import Receipt
from loa.domain.retry import SEND_TRIES_MAX
from loa.ports.channel import Attempt, Channel, ChannelContext, ProviderInfo, Settle
from loa.simulators.smsc.script import Script
from loa.simulators.smsc.server import SmscSimulator

HOUR_S, DAY_S = 3_600, 86_400
NUMBER = 84_912_345_600
SILENT = NUMBER + 98
"""The sandbox accepts it and never sends a receipt."""
POISON = NUMBER + 13

WINDOW = 10
BACKLOG, BURST = 2_000, 200


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The address of a fresh database; none for a file."""
    if request.param == "sqlite":
        yield ""
        return
    server: Postgres = request.getfixturevalue("postgres")
    async with server.database() as made:
        yield made


class Picky(ScriptedChannel):
    """Answers at once. A message to POISON is refused for now, each time, or makes it raise."""

    def __init__(self, context: ChannelContext) -> None:
        super().__init__(100)
        self._wake = context.wake
        if context.settings["raises"]:
            self.poison = {POISON}

    async def start(self) -> None:
        self._wake()

    def submit(self, attempts: Sequence[Attempt], settle: Settle) -> None:
        super().submit(attempts, settle)
        for attempt in attempts:
            outcome: Outcome = Accepted((f"ref-{attempt.message_id}",))
            if attempt.destination == POISON:
                outcome = Refused("no_such_tariff", lasting=False)
            asyncio.get_running_loop().call_soon(self.settle, attempt.message_id, outcome)


class PickyProvider:
    """Builds picky channels."""

    info = ProviderInfo("picky", removes_duplicates=False, secrets=frozenset())

    def check(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        return settings

    def build(self, context: ChannelContext) -> Channel:
        return Picky(context)

    def read_report(self, channel_id: int, report: Mapping[str, Any], now: int) -> Receipt | None:
        return None


async def _flows(sender: Tenant, number: int, state: str = "sent") -> None:
    """See that the lane takes one more message to its end."""
    (message_id,) = await sender.send([number])
    await sender.until(message_id, state=state)


async def test_f35_what_is_refused_every_time_ends_as_a_dead_letter_with_its_reason(tmp_path: Path, url: str) -> None:
    async with running_inside(tmp_path, url, picky=PickyProvider()) as inside:
        sender = await inside.tenant("shop", "picky", {"raises": False})
        (poison,) = await sender.send([POISON])
        for tries in range(1, SEND_TRIES_MAX):
            await sender.until(poison, attemptCount=tries, state="queued", error="no_such_tariff")
            await _flows(sender, NUMBER + tries)
            inside.set_by(15 * 60)
        shown = await sender.until(poison, state="rejected")
        assert (shown["dead"], shown["error"], shown["attemptCount"]) == (True, "no_such_tariff", SEND_TRIES_MAX)
        assert [each["outcome"] for each in shown["attempts"]] == ["refused"] * SEND_TRIES_MAX
        inside.set_by(HOUR_S)
        await _flows(sender, NUMBER)
        assert (await sender.message(poison))["attemptCount"] == SEND_TRIES_MAX


async def test_f35_what_makes_the_provider_raise_every_time_ends_as_unknown_and_holds_nobody_up(
    tmp_path: Path, url: str
) -> None:
    async with running_inside(tmp_path, url, picky=PickyProvider()) as inside:
        sender = await inside.tenant("shop", "picky", {"raises": True})
        before, poison, after = await sender.send([NUMBER, POISON, NUMBER + 1])
        for message_id in (before, poison, after):
            await sender.until(message_id, state="unknown", error="the provider failed: ValueError")
        await _flows(sender, NUMBER + 2)
        inside.set_by(HOUR_S)
        for message_id in (before, after):
            assert (await sender.until(message_id, state="sent"))["possibleDuplicate"] is True
        await sender.until(poison, state="unknown", attemptCount=2)
        inside.set_by(HOUR_S)
        await _flows(sender, NUMBER + 3)
        shown = await sender.until(poison, state="unknown", dueAt=None)
        assert [each["reason"] for each in shown["attempts"]] == ["the provider failed: ValueError"] * 2


async def test_f34_without_a_receipt_a_message_stays_sent_and_after_the_deadline_the_api_says_so(
    tmp_path: Path, url: str
) -> None:
    async with running_inside(tmp_path, url) as inside:
        sender = await inside.tenant("shop", "sandbox", {})
        silent, told = await sender.send([SILENT, NUMBER])
        await sender.until(silent, state="sent", noReceipt=False)
        await sender.until(told, state="delivered")
        inside.set_by(2 * DAY_S - 60)
        assert (await sender.message(silent))["noReceipt"] is False
        inside.set_by(120)
        await _flows(sender, NUMBER + 1, "delivered")
        shown = await sender.message(silent)
        assert (shown["state"], shown["noReceipt"], shown["error"], shown["dead"]) == ("sent", True, None, False)
        assert shown["events"] == [], "nobody is told that it failed"
        assert (await sender.message(told))["noReceipt"] is False


async def test_f29_steps_of_the_wall_clock_lose_no_schedule_fire_none_twice_and_stop_nothing(
    tmp_path: Path, url: str
) -> None:
    async with running_inside(tmp_path, url) as inside:
        sender = await inside.tenant("shop", "sandbox", {})
        (soon,) = await sender.send([NUMBER], scheduled=_in(inside, HOUR_S))
        (later,) = await sender.send([NUMBER + 1], scheduled=_in(inside, 2 * DAY_S))
        (much_later,) = await sender.send([NUMBER + 2], scheduled=_in(inside, 5 * DAY_S))
        await _flows(sender, NUMBER + 3, "delivered")
        inside.set_by(-2 * HOUR_S)
        await _flows(sender, NUMBER + 4, "delivered")
        assert (await sender.message(soon))["state"] == "queued"
        inside.set_by(2 * HOUR_S + 2 * DAY_S + HOUR_S)
        await sender.until(later, state="delivered")
        # The first had waited longer than it may by then, which is said.
        assert (await sender.until(soon, state="expired"))["attempts"] == []
        inside.set_by(-3 * DAY_S)
        await _flows(sender, NUMBER + 5, "delivered")
        inside.set_by(6 * DAY_S)
        shown = await sender.until(much_later, state="delivered")
        for each in (shown, await sender.message(later)):
            assert (each["attemptCount"], len(each["receipts"])) == (1, 1)
            assert [event["state"] for event in each["events"]] == ["delivered"]


def _in(inside: Inside, seconds: int) -> str:
    return utc_text(inside.clock.now() + seconds * 1000)


@asynccontextmanager
async def _smsc(script: Script) -> AsyncIterator[SmscSimulator]:
    smsc = SmscSimulator(script=script, keep=10 * BACKLOG)
    await smsc.start()
    try:
        yield smsc
    finally:
        await smsc.stop()


async def _seconds_for_a_burst(sender: Tenant, smsc: SmscSimulator, first: int) -> float:
    began, wanted = asyncio.get_running_loop().time(), smsc.counts.accepted + BURST
    await sender.send([first + number for number in range(BURST)])
    await smsc.until(lambda counts: counts.accepted >= wanted)
    return asyncio.get_running_loop().time() - began


async def test_f24_a_provider_at_a_tenth_of_its_speed_keeps_to_its_window_and_slows_no_other(
    tmp_path: Path, url: str
) -> None:
    quick, slow = Script(response_delay_s=0.02), Script(response_delay_s=0.2)
    async with _smsc(quick) as other, _smsc(slow) as lame, running_inside(tmp_path, url) as inside:
        way = {"host": "127.0.0.1", "system_id": "loa", "window": WINDOW}
        shop = await inside.tenant("shop", "smpp", {**way, "port": other.port})
        bank = await inside.tenant("bank", "smpp", {**way, "port": lame.port})
        alone_s = await _seconds_for_a_burst(shop, other, NUMBER)
        tasks = len(asyncio.all_tasks())
        await bank.send([NUMBER + number for number in range(BACKLOG)])
        await lame.until(lambda counts: counts.accepted >= 5 * WINDOW)
        beside_s = await _seconds_for_a_burst(shop, other, NUMBER + BURST)
        assert lame.counts.accepted < BACKLOG / 2, "the backlog has to last"
        assert beside_s < 3 * alone_s + 0.5
        channel = inside.running("bank")
        for answered in range(lame.counts.accepted, lame.counts.accepted + 3 * WINDOW, WINDOW):
            await lame.until(lambda counts, least=answered: counts.accepted >= least)
            assert channel.dispatch.in_flight <= WINDOW
            assert channel.channel.status().window_in_use <= WINDOW
            assert lame.counts.submits - lame.counts.responses <= WINDOW
        assert len(asyncio.all_tasks()) <= tasks + 10
        assert sum(isinstance(each, Attempt) for each in gc.get_objects()) <= 10 * WINDOW
        lame.change(Script())
        await lame.until(lambda counts: counts.accepted == BACKLOG)
        assert len({taken.destination for taken in lame.taken}) == BACKLOG
