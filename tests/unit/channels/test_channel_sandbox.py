"""The sandbox: every rule of its table, by a clock that only moves when it is told to."""

import asyncio
import heapq
from itertools import count

import pytest
from tests.unit.channels.window_rig import attempt

from loa.channels.registry import OWN
from loa.channels.sandbox.rules import BY_ENDING, RULES, rule_for
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Refused, Unknown
from loa.ports.channel import ChannelContext


class HandClock:
    """Time stands still but for `advance`."""

    def __init__(self):
        self.at = 1_000.0
        self._sleepers = []
        self._order = count()

    def now(self):
        return int(self.at * 1000)

    def monotonic(self):
        return self.at

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.at + seconds, next(self._order), woken))
        await woken

    async def advance(self, seconds):
        self.at += seconds
        for _ in range(50):
            while self._sleepers and self._sleepers[0][0] <= self.at:
                woken = heapq.heappop(self._sleepers)[2]
                if not woken.done():
                    woken.set_result(None)
            await asyncio.sleep(0)


class Probe:
    def armed(self, point):
        return False

    def reached(self, point):
        """Nothing waits here."""


class Box:
    """A sandbox channel with what it said."""

    def __init__(self, **settings):
        self.clock = HandClock()
        self.outcomes, self.receipts, self.lates, self.acks = [], [], [], []
        self.stored = True
        context = ChannelContext(
            channel_id=7,
            name="box",
            clock=self.clock,
            probe=Probe(),
            receipts=self._receipt,
            wake=lambda: None,
            settings=OWN["sandbox"].check(settings),
            late=lambda one, outcome: self.lates.append(outcome),
        )
        self.channel = OWN["sandbox"].build(context)

    def _receipt(self, receipt, acknowledge):
        self.receipts.append(receipt)
        acknowledge(self.stored)

    async def hand_over(self, *attempts):
        self.channel.submit(attempts, lambda one, outcome: self.outcomes.append(outcome))
        assert not self.outcomes
        await self.clock.advance(0)

    async def __aenter__(self):
        await self.channel.start()
        await self.clock.advance(0)
        return self

    async def __aexit__(self, *exc):
        await self.channel.stop(0)


REFS = ("sb1-1-1",)
EXPECTED = {
    "deliver": (Accepted(REFS), [State.DELIVERED]),
    "undelivered": (Accepted(REFS), [State.UNDELIVERED]),
    "rejected": (Accepted(REFS), [State.REJECTED]),
    "expired": (Accepted(REFS), [State.EXPIRED]),
    "refuse": (Refused("sandbox_refused"), []),
    "refuse_passing": (Refused("sandbox_refused_for_now", lasting=False), []),
    "defer": (Deferred("sandbox_deferred"), []),
    "unknown": (Unknown("sandbox_no_answer", ("",)), []),
    "unknown_delivered": (Unknown("sandbox_no_answer", ("",)), [State.DELIVERED]),
    "late": (Unknown("sandbox_no_answer", ("",)), [State.DELIVERED]),
    "silent": (Accepted(REFS), []),
    "repeated": (Accepted(REFS), [State.DELIVERED] * 3 + [None]),
}


def test_every_rule_is_known_here_and_reachable_by_number():
    assert set(EXPECTED) == set(RULES) == set(BY_ENDING.values()) | {"deliver"}


@pytest.mark.parametrize("name", RULES)
async def test_a_rule_does_what_the_table_says(name):
    async with Box(behaviour=name, receipt_s=5) as box:
        await box.hand_over(attempt(1))
        outcome, states = EXPECTED[name]
        assert box.outcomes == [outcome]
        assert not box.receipts
        await box.clock.advance(60)
        assert [receipt.state for receipt in box.receipts] == states
        assert box.lates == ([Accepted(REFS)] if name == "late" else [])


async def test_the_last_two_digits_choose_the_rule():
    assert rule_for(84912345693, "by_number").name == "refuse"
    assert rule_for(84912345600, "by_number").name == "deliver"
    assert rule_for(84912345693, "silent").name == "silent"
    async with Box() as box:
        await box.hand_over(attempt(1, destination=84912345693), attempt(2))
        assert box.outcomes == [Refused("sandbox_refused"), Accepted(("sb2-1-1",))]


async def test_a_deferred_message_is_accepted_at_its_next_attempt():
    async with Box(behaviour="defer") as box:
        await box.hand_over(attempt(1, number=2))
        assert box.outcomes == [Accepted(("sb1-2-1",))]


async def test_every_segment_has_its_reference_and_receipt():
    async with Box(receipt_s=5) as box:
        await box.hand_over(attempt(1, segment_count=3))
        assert box.outcomes == [Accepted(("sb1-1-1", "sb1-1-2", "sb1-1-3"))]
        await box.clock.advance(6)
        assert [receipt.refs for receipt in box.receipts] == [("sb1-1-1",), ("sb1-1-2",), ("sb1-1-3",)]


async def test_answers_and_receipts_keep_their_delays():
    async with Box(answer_s=10, receipt_s=5) as box:
        await box.hand_over(attempt(1))
        assert box.channel.status().window_in_use == 1
        await box.clock.advance(9.9)
        assert not box.outcomes
        await box.clock.advance(0.2)
        assert len(box.outcomes) == 1
        assert not box.receipts
        await box.clock.advance(5)
        assert [receipt.received_at for receipt in box.receipts] == [box.clock.now()]


async def test_a_receipt_that_was_not_stored_comes_again():
    async with Box(receipt_s=5) as box:
        box.stored = False
        await box.hand_over(attempt(1))
        await box.clock.advance(6)
        box.stored = True
        await box.clock.advance(6)
        await box.clock.advance(6)
        assert len(box.receipts) == 2


async def test_a_stop_gives_the_answers_that_are_owed():
    async with Box(answer_s=100) as box:
        await box.hand_over(attempt(1))
        await box.channel.stop(0)
        assert box.outcomes == [Accepted(REFS)]
        assert box.channel.free(0) == 0


async def test_a_stop_with_time_to_drain_gives_the_receipts_that_are_owed_too():
    async with Box(answer_s=100, receipt_s=100) as box:
        await box.hand_over(attempt(1))
        await box.channel.stop(5)
        assert box.outcomes == [Accepted(REFS)]
        assert [receipt.state for receipt in box.receipts] == [State.DELIVERED]


def test_only_the_sandbox_is_simulated():
    assert {name for name, provider in OWN.items() if provider.info.simulated} == {"sandbox"}
    assert OWN["sandbox"].read_report(7, {"status": 2}, 0) is None
