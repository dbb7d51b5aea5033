"""Dispatch: claims due messages of a channel's lanes, hands them over, records one outcome each.

Two commits a batch: the claim is on disk before any byte leaves, the outcomes after the answers. Nothing is open over a
network call. What the process loses by dying between them becomes `unknown`, never a blind second hand-over.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from loa.domain.hours import AllowedHours
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.domain.retry import SEND_TRIES_MAX, send_delay_ms
from loa.domain.traffic import OnUnknown, TrafficClass
from loa.errors import StorageError
from loa.observe import metrics
from loa.observe.log import get_logger
from loa.ports.channel import Attempt, Channel
from loa.ports.clock import Clock
from loa.ports.ledger import Claims
from loa.ports.probe import Point, Probe
from loa.ports.records import Settlement, UnknownPolicy
from loa.stages.loop import keep_running
from loa.stages.signal import Signal
from loa.stages.standstill import PASSED_MAX, STANDS_STILL, Standstill

OTP_SHARE = 10
"""One slot in so many of a channel's window is kept for one-time codes."""
ADVERTISING_TURN = 8
"""Once in so many claims advertising comes before transactional messages, so that neither starves the other."""
RECORD_RETRY_S = 0.5
GATHER_S = 0.005
"""How long a nearly full window waits for more room, so that a claim is worth its commit."""

_RESULTS = {Accepted: "accepted", Refused: "refused", Deferred: "deferred", Unknown: "unknown"}

log = get_logger("loa.stages.dispatch")


@dataclass(frozen=True, slots=True)
class DispatchRules:
    """How dispatch works, the same for every channel. Units: as the names say; `hours` None sends at any hour."""

    claim_ms: int = 90_000
    poll_ms: int = 500
    batch_max: int = 1_000
    hours: AllowedHours | None = None


def _nothing() -> None:
    """Nobody else is to be told."""


class ChannelDispatch:
    """Dispatch for one channel; `run` and `run_recorder` are its two loops."""

    def __init__(
        self,
        channel_id: int,
        provider: str,
        channel: Channel,
        ledger: Claims,
        *,
        clock: Clock,
        probe: Probe,
        policy: UnknownPolicy,
        rules: DispatchRules,
        answered: Callable[[], None],
        went_on: Callable[[], None] = _nothing,
    ) -> None:
        self._channel_id = channel_id
        self._provider = provider
        self._channel = channel
        self._ledger = ledger
        self._clock = clock
        self._probe = probe
        self._policy = policy
        self._rules = rules
        self._told = answered
        self._went_on = went_on
        self._wake = Signal()
        self._settled = Signal()
        self._outcomes: list[Settlement] = []
        self._pause_until = 0.0
        self._standstill = Standstill(clock)
        self._turns = 0
        self._rtts: list[float] = []
        self._recording = False
        self._claiming = False
        self.in_flight = 0
        self.paused = False
        self.stopping = False

    def wake(self) -> None:
        """Look again: something was accepted, capacity came free, or a setting changed."""
        self._wake.set()

    async def run(self) -> None:
        """Claim and hand over until cancelled."""
        await keep_running("dispatch", self._turn, self._clock)

    async def run_recorder(self) -> None:
        """Record outcomes until cancelled."""
        await keep_running("dispatch recorder", self._record_turn, self._clock)

    # claiming

    async def _turn(self) -> None:
        now = self._clock.now()
        held = self.paused or self._clock.monotonic() < self._pause_until
        free = 0 if held or self.stopping else self._channel.free(now)
        self._standstill.see(still=held or (free <= 0 and not self._channel.status().ready))
        if free <= 0:
            await self._pass_on(now)
            await self._wake.wait(self._rules.poll_ms / 1000)
            return
        if self.in_flight > 3 * free:
            await self._wake.wait(GATHER_S)
            free = self._channel.free(self._clock.now())
            if free <= 0:
                return
        limit = min(free, self._rules.batch_max)
        attempts = await self._claim(limit, now)
        if not attempts:
            await self._wait_for_due(now)
            return
        self._probe.reached(Point.DISPATCH_CLAIMED)
        self._hand_over_all(attempts)
        if self._channel.free(self._clock.now()) <= 0:
            await self._wake.wait(self._rules.poll_ms / 1000)

    async def _claim(self, limit: int, now: int) -> list[Attempt]:
        self._claiming = True
        try:
            wanted = self._wanted(limit, now)
            return await self._ledger.claim(self._channel_id, wanted, limit, now, now + self._rules.claim_ms)
        finally:
            self._claiming = False

    async def _pass_on(self, now: int) -> None:
        """Have messages that wait here for long go on over the next step of their plans."""
        self._claiming = True
        try:
            for traffic_class, waited_ms in [] if self.stopping else self._standstill.lanes():
                lane, until = [(traffic_class, PASSED_MAX)], now + self._rules.claim_ms
                attempts = await self._ledger.claim(self._channel_id, lane, PASSED_MAX, now, until, waited_ms=waited_ms)
                for attempt in attempts:
                    self._note(attempt, Deferred(STANDS_STILL, now, counts=False, alone=True))
        finally:
            self._claiming = False

    def _wanted(self, limit: int, now: int) -> list[tuple[TrafficClass, int]]:
        """Name the lanes in the order in which they may take the free window."""
        self._turns += 1
        status = self._channel.status()
        window, room = status.window_size, status.window_free
        if room is None:
            room = window - status.window_in_use
        reserve = max(1, window // OTP_SHARE) if window > 1 else 0
        # The reserve is kept in the window: where a rate is what limits, codes are first in the next claim anyway.
        others = max(0, min(limit, room - reserve))
        wanted = [(TrafficClass.OTP, limit), (TrafficClass.TRANSACTIONAL, others)]
        if self._rules.hours is None or self._rules.hours.is_open(now):
            place = 1 if self._turns % ADVERTISING_TURN == 0 else 2
            wanted.insert(place, (TrafficClass.ADVERTISING, others))
        return wanted

    async def _wait_for_due(self, now: int) -> None:
        due = await self._ledger.next_due(self._channel_id, now)
        wait_ms = self._rules.poll_ms if due is None else min(self._rules.poll_ms, max(1, due - self._clock.now()))
        await self._wake.wait(wait_ms / 1000)

    def _hand_over_all(self, attempts: Sequence[Attempt]) -> None:
        """Hand claimed attempts over, re-sends one by one.

        A message at which the provider fails every time takes others along only once.
        """
        first = [attempt for attempt in attempts if not attempt.possible_duplicate]
        again = [[attempt] for attempt in attempts if attempt.possible_duplicate]
        self.in_flight += len(attempts)
        with ExitStack() as each:  # the rest is handed over although one raises
            for batch in (*reversed(again), first):
                if batch:
                    each.callback(self._hand_over, batch)

    def _hand_over(self, attempts: Sequence[Attempt]) -> None:
        started = self._clock.monotonic()
        open_attempts = {(a.message_id, a.number) for a in attempts}

        def settle(attempt: Attempt, outcome: Outcome) -> None:
            if (attempt.message_id, attempt.number) in open_attempts:
                open_attempts.remove((attempt.message_id, attempt.number))
                self._rtts.append(self._clock.monotonic() - started)
                self.in_flight -= 1
            self._note(attempt, outcome)

        try:
            self._channel.submit(attempts, settle)
        except Exception as error:
            # A provider must not raise; where one does, nobody can say which bytes left.
            for attempt in attempts:
                if (attempt.message_id, attempt.number) in open_attempts:
                    settle(attempt, Unknown(f"the provider failed: {type(error).__name__}"))
            raise

    # recording

    def late(self, attempt: Attempt, outcome: Outcome) -> None:
        """Take an answer that came after its attempt was given up as unknown."""
        self._note(attempt, outcome)

    def _note(self, attempt: Attempt, outcome: Outcome) -> None:
        if isinstance(outcome, Accepted):
            self._standstill.over()
        self._outcomes.append(self._settlement(attempt, outcome))
        self._settled.set()

    def _settlement(self, attempt: Attempt, outcome: Outcome) -> Settlement:
        now = self._clock.now()
        retry_at = wait_until = 0
        dead, after = False, OnUnknown.NEVER
        if isinstance(outcome, Unknown):
            wait_ms, after = self._policy(attempt.tenant_id, attempt.traffic_class)
            wait_until = now + wait_ms
        elif isinstance(outcome, Deferred) and outcome.alone:
            retry_at = outcome.until
        elif isinstance(outcome, Deferred) and not outcome.counts:
            # The message keeps its place; the channel as a whole waits, however the wall clock is set meanwhile.
            self._pause_until = max(self._pause_until, self._clock.monotonic() + (outcome.until - now) / 1000)
        elif isinstance(outcome, Deferred) or (isinstance(outcome, Refused) and not outcome.lasting):
            dead = attempt.tries + 1 >= SEND_TRIES_MAX
            asked = outcome.until if isinstance(outcome, Deferred) else 0
            retry_at = max(asked, now + send_delay_ms(attempt.tries + 1, random.random()))
        return Settlement(
            attempt.message_id,
            attempt.number,
            self._channel_id,
            outcome,
            now,
            retry_at=retry_at,
            wait_until=wait_until,
            after=after,
            dead=dead,
            tenant_id=attempt.tenant_id,
        )

    async def _record_turn(self) -> None:
        if not self._outcomes:
            await self._settled.wait(self._rules.poll_ms / 1000)
        batch, self._outcomes = self._outcomes, []
        if not batch:
            return
        self._recording = True
        self._probe.reached(Point.DISPATCH_ANSWERED)
        while True:
            try:
                await self._ledger.record(batch)
                break
            except StorageError as error:
                # The outcomes exist nowhere else: keep them until they are on disk.
                log.warning("outcomes could not be recorded", stage="dispatch", error=error, count=len(batch))
                await self._clock.sleep(RECORD_RETRY_S)
        self._recording = False
        self._probe.reached(Point.DISPATCH_RECORDED)
        self._count(batch)
        self._told()
        if any(isinstance(settlement.outcome, Refused | Deferred) for settlement in batch):
            # Their next step may be due on another channel, now and not at its next look.
            self._went_on()
        self._wake.set()

    def _count(self, batch: Sequence[Settlement]) -> None:
        rtts, self._rtts = self._rtts, []
        metrics.observe_many(metrics.submit_rtt_seconds, rtts)
        by_result: dict[str, int] = {}
        for settlement in batch:
            word = _RESULTS[type(settlement.outcome)]
            by_result[word] = by_result.get(word, 0) + 1
        for word, count in by_result.items():
            metrics.submit_attempts_total.labels(self._provider, word).inc(count)
        metrics.outcome_unknown_total.inc(by_result.get("unknown", 0))

    async def stop_claiming(self) -> None:
        """Claim no more, and return when what was being claimed is handed over, so that the channel still takes it."""
        self.stopping = True
        while self._claiming:
            await self._clock.sleep(0.01)

    async def drain(self) -> None:
        """Wait until every handed-over attempt has its outcome on disk; the channel ends the wait by settling."""
        while self.in_flight > 0 or self._outcomes or self._recording:
            await self._clock.sleep(0.01)
