"""Any order of answers, receipts, silences and crashes over both steps of a plan: what arrived is never sent again."""

import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.ledger.values import ALL_LANES, receipt, settlement, submission
from tests.support.fakes import EPOCH, QuietProbe

from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.domain.routes import Step
from loa.domain.traffic import OnUnknown, TrafficClass
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.channel import Attempt

ZALO, SMS = 1, 2
PLAN = (Step(ZALO, 5_000, 200, True), Step(SMS, 0, 350))
CLAIM_MS, WAIT_MS, TICK_MS = 3_000, 2_000, 1_000
OUTCOMES = ("accepted", "accepted", "refused", "deferred", "alone", "unknown")
SILENT = (("answer", "accepted"), ("time", 6_000))
REFUSED = (("answer", "refused"),)
LOST = (("answer", "unknown"), ("time", 6_000))
BOTH = (*SILENT, ("claim",))
BEGINS = ((), SILENT, BOTH, BOTH, REFUSED, LOST)
"""How it may begin: most of what is worth trying lies behind the end of the first step."""
STEPS = st.one_of(
    st.just(("claim",)),
    st.tuples(st.just("answer"), st.sampled_from(OUTCOMES)),
    st.tuples(st.just("receipt"), st.sampled_from((State.DELIVERED, State.DELIVERED, State.UNDELIVERED))),
    st.tuples(st.just("time"), st.sampled_from((TICK_MS, 6_000))),
    st.just(("crash",)),
)


@dataclass
class Handed:
    """What left for a provider: whether it has it, and whether its receipt was stored."""

    attempt: Attempt
    taken: bool = False
    """The provider said that it has it; otherwise it may have it."""
    receipted: bool = False
    failed: bool = False
    arrived: bool = False
    """Its receipt of a delivery is with the message, not parked."""


@dataclass
class World:
    """One message, its ledger, and what the outside knows."""

    folder: Path
    after: OnUnknown
    now: int = EPOCH
    opened: int = 0
    open: list[Attempt] = field(default_factory=list)
    handed: list[Handed] = field(default_factory=list)
    claimed: int = 0
    known_delivered: bool = False

    async def start(self) -> None:
        self.ledger = await SqliteLedger.open(self.folder / f"{self.opened}.db", probe=QuietProbe())
        await self.ledger.settle_stale(self.now, self.policy, former=True)
        self.open.clear()

    def policy(self, _tenant: int, _class: TrafficClass) -> tuple[int, OnUnknown]:
        return WAIT_MS, self.after

    async def crash(self) -> None:
        """Go on with the files as a kill leaves them."""
        left = self.folder / f"{self.opened}.db"
        self.opened += 1
        for each in left.parent.glob(f"{left.name}*"):
            if not each.name.endswith((".lock", ".reserve")):
                shutil.copy(each, each.with_name(each.name.replace(left.name, f"{self.opened}.db")))
        await self.ledger.close()
        await self.start()

    async def claim(self) -> None:
        for channel in (ZALO, SMS):
            for attempt in await self.ledger.claim(channel, ALL_LANES, 1, self.now, self.now + CLAIM_MS):
                assert not self.known_delivered, "what arrived is claimed to be sent again"
                self.claimed += 1
                self.open.append(attempt)
                self.handed.append(Handed(attempt))

    async def answer(self, word: str) -> None:
        if not self.open:
            return
        attempt = self.open.pop(0)
        ref = f"ref-{attempt.number}"
        outcomes: dict[str, Outcome] = {
            "accepted": Accepted((ref,)),
            "refused": Refused("-118"),
            "deferred": Deferred("connect_failed"),
            "alone": Deferred("quota", self.now + 2 * TICK_MS, counts=False, alone=True),
            "unknown": Unknown("response_timeout", (ref,)),
        }
        outcome = outcomes[word]
        for each in self.handed:
            each.taken |= each.attempt.number == attempt.number and word == "accepted"
        if not isinstance(outcome, Accepted | Unknown):
            self.handed = [each for each in self.handed if each.attempt.number != attempt.number]
        given = {"wait_until": self.now + WAIT_MS, "after": self.after, "retry_at": self.now + TICK_MS}
        await self.ledger.record([settlement(attempt, outcome, self.now, **given)])

    async def receive(self, state: State) -> None:
        waiting = [each for each in self.handed if not each.receipted]
        if not waiting:
            return
        found = waiting[0]
        found.receipted, found.failed = True, state is State.UNDELIVERED
        attempt = found.attempt
        told = receipt(
            f"ref-{attempt.number}",
            state=state,
            channel_id=attempt.channel_id,
            destination=attempt.destination,
            received_at=self.now,
        )
        counts = await self.ledger.store([told])
        if state is State.DELIVERED and not counts.parked:
            self.known_delivered = found.arrived = True

    async def time(self, passed: int) -> None:
        self.now += passed
        await self.ledger.settle_stale(self.now, self.policy)
        await self.ledger.rematch(10, self.now)
        await self.ledger.settle_unknown(10, self.now)
        await self.ledger.expire(10, self.now)
        await self.ledger.go_on(await self.ledger.silent(ZALO, 10, self.now), self.now)

    async def do(self, step: tuple[object, ...]) -> None:
        verb, *rest = step
        methods: dict[object, Callable[..., Awaitable[None]]] = {
            "claim": self.claim,
            "answer": self.answer,
            "receipt": self.receive,
            "time": self.time,
            "crash": self.crash,
        }
        await methods[verb](*rest)

    async def check(self) -> None:
        row = await self.ledger.message(1, 1)
        assert row is not None
        sms = [each for each in self.handed if each.attempt.channel_id == SMS]
        if row["double_reach"]:
            assert self.claimed > 1
        elif row["state"] == "delivered" and len(self.handed) > 1:
            first, last = self.handed[0], self.handed[-1]
            assert not (first.arrived and last.taken) or last.failed, "a double reach that is not shown"
        before = [each for each in self.handed if sms and each.attempt.number < sms[0].attempt.number]
        if any(not each.failed for each in before):
            assert all(each.attempt.possible_duplicate for each in sms), "a possible double that is not flagged"
        if self.known_delivered:
            assert row["state"] in {"delivered", "sending"}

    async def check_cost(self) -> None:
        """Whoever tells of the message says the same cost, and what arrived over Zalo is in it."""
        shown = await self.ledger.timeline(1, 1)
        assert shown is not None
        feed = await self.ledger.events(1, 0, 100)
        assert {row["cost"] for row in feed} <= {shown["cost"]}
        if any(each.arrived and each.attempt.channel_id == ZALO for each in self.handed):
            assert shown["cost"] in {200, 550}


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(BEGINS), st.lists(STEPS, min_size=4, max_size=16), st.sampled_from(OnUnknown))
async def test_what_arrived_over_zalo_is_never_sent_over_sms(
    begin: tuple[tuple[object, ...], ...], steps: list[tuple[object, ...]], after: OnUnknown
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), after)
        await world.start()
        try:
            await world.ledger.accept(submission(plan=PLAN))
            await world.claim()
            for step in (*begin, *steps):
                await world.do(step)
                await world.check()
            await world.check_cost()
        finally:
            await world.ledger.close()
