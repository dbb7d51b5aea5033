"""Callbacks: posts what is due, a few at a time to each endpoint, and records every try.

A callback is at least once: it is due until a try is on record as taken. The same callback keeps its id over all tries.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass

from loa.domain.callback_body import callback_bytes, callback_public_id, inbound_bytes
from loa.domain.retry import callback_delay_ms
from loa.errors import StorageError
from loa.observe import metrics
from loa.observe.log import get_logger
from loa.ports.callback_sender import NO_DESCRIPTOR, CallbackSender, Posting, PostResult
from loa.ports.clock import Clock
from loa.ports.ledger import Callbacks
from loa.ports.probe import Point, Probe
from loa.ports.records import CallbackTry, DueCallback, Endpoint
from loa.stages.loop import keep_running
from loa.stages.signal import Signal

BREAK_AFTER = 5
"""Failures in a row after which an endpoint rests."""
REST_MS = 30_000
GIVE_UP_MS = 5 * 86_400_000
"""An endpoint that did nothing but fail for so long is switched off. Source: Svix and Standard Webhooks practice."""
GONE = "the endpoint answered 410 Gone"
FAILED_FOR_DAYS = "the endpoint failed for five days"
"""Why an endpoint was switched off, as it is kept."""
POLL_S = 1.0

log = get_logger("loa.stages.callbacks")


@dataclass(slots=True)
class _Health:
    """How one endpoint does. `since`: when it began to fail, None while it works. `open`: callbacks in hand for it.

    `rest_until`: in seconds of the monotonic clock, so that setting the other one prolongs no rest.
    """

    failures: int = 0
    since: int | None = None
    rest_until: float = 0.0
    open: int = 0
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class CallbackRules:
    """How much is posted at once. `claim_ms`: how long a claimed callback stays with this process."""

    concurrency: int = 64
    per_endpoint: int = 32
    claim_ms: int = 60_000


class CallbackStage:
    """One for the whole process; `run`, `run_poster` (several) and `run_recorder` are its loops."""

    def __init__(
        self, ledger: Callbacks, sender: CallbackSender, *, clock: Clock, probe: Probe, rules: CallbackRules
    ) -> None:
        self._ledger = ledger
        self._sender = sender
        self._clock = clock
        self._probe = probe
        self._rules = rules
        self._wake = Signal()
        self._ready = asyncio.Semaphore(0)
        self._queue: deque[DueCallback] = deque()
        self._tries: list[CallbackTry] = []
        self._tried = Signal()
        self._health: dict[int, _Health] = {}
        self._open = 0
        self._half = max(1, rules.per_endpoint // 2)
        self._stopping = False

    def wake(self) -> None:
        """Look again: callbacks may be owed."""
        self._wake.set()

    def loops(self) -> list[Callable[[], Coroutine[None, None, None]]]:
        """Give every loop to be run as a task."""
        return [self.run, self.run_recorder, *[self.run_poster] * self._rules.concurrency]

    def remember(self, endpoints: Iterable[Endpoint]) -> None:
        """Take up what the ledger knows of endpoints: since when they fail, and which are switched off or on again."""
        for endpoint in endpoints:
            health = self._health.setdefault(endpoint.id, _Health(since=endpoint.failing_since))
            if health.disabled and endpoint.disabled_at is None:
                self._health[endpoint.id] = _Health()

    # claiming

    async def run(self) -> None:
        """Claim due callbacks until cancelled."""
        await keep_running("callbacks", self._turn, self._clock)

    async def _turn(self) -> None:
        room = 2 * self._rules.concurrency - self._open
        if self._stopping or room < self._rules.concurrency:
            await self._wake.wait(POLL_S)
            return
        now = self._clock.now()
        # Half an endpoint's share at a time: it is asked again while the other half is on its way.
        due = await self._ledger.claim_due(room, self._half, now, now + self._rules.claim_ms, self._resting())
        if not due:
            await self._wait(now)
            return
        self._open += len(due)
        for callback in due:
            self._health.setdefault(callback.endpoint_id, _Health()).open += 1
        self._queue.extend(due)
        for _ in due:
            self._ready.release()

    async def _wait(self, now: int) -> None:
        next_due = await self._ledger.next_callback_due()
        wait_ms = POLL_S * 1000 if next_due is None else max(10.0, min(POLL_S * 1000, next_due - now))
        await self._wake.wait(wait_ms / 1000)

    def _resting(self) -> list[int]:
        """Name the endpoints that are not to be called now."""
        moment = self._clock.monotonic()
        return [
            endpoint_id
            for endpoint_id, health in self._health.items()
            if health.disabled or health.rest_until > moment or health.open > self._rules.per_endpoint - self._half
        ]

    # posting

    async def run_poster(self) -> None:
        """Post callbacks, one at a time, until cancelled."""
        await keep_running("callback poster", self._post_next, self._clock)

    async def _post_next(self) -> None:
        await self._ready.acquire()
        callback = self._queue.popleft()
        health = self._health[callback.endpoint_id]
        now = self._clock.now()
        result: PostResult | None = None
        try:
            # Where the endpoint rests by now this is no try: the lease runs out by itself.
            if not health.disabled and health.rest_until <= self._clock.monotonic():
                result = await self._sender.post(posting_of(callback, now))
        finally:
            health.open -= 1
            if result is None:
                self._open -= 1
        if result is not None:
            self._note(callback, result, now)
            if result.error != NO_DESCRIPTOR:
                await self._judge(callback.endpoint_id, health, result)

    def _note(self, callback: DueCallback, result: PostResult, now: int) -> None:
        number = callback.tries + 1
        next_at = None
        if not result.ok and result.status != 410:
            # Where this process has no file descriptor left nobody was asked, and it is soon over.
            delay = callback_delay_ms(1 if result.error == NO_DESCRIPTOR else number, random.random())
            if delay is not None:
                next_at = now + max(delay, result.retry_after_s * 1000)
        self._tries.append(
            CallbackTry(
                callback.id,
                number,
                now,
                result.status,
                result.error,
                result.excerpt,
                result.elapsed_ms,
                delivered=result.ok,
                next_at=next_at,
            )
        )
        if result.ok:
            metrics.callback_lag_seconds.observe((now + result.elapsed_ms - callback.occurred_at) / 1000)
        self._tried.set()

    async def _judge(self, endpoint_id: int, health: _Health, result: PostResult) -> None:
        """Rest an endpoint that fails in a row; switch off one that is gone or failed for days."""
        if result.ok:
            health.failures = 0
            if health.since is not None:
                health.since = None
                await self._ledger.set_endpoint_health(endpoint_id, None, None, "")
            return
        now = self._clock.now()
        health.failures += 1
        if health.failures >= BREAK_AFTER:
            health.rest_until = self._clock.monotonic() + max(REST_MS / 1000, result.retry_after_s)
        gone = result.status == 410
        if health.since is None:
            health.since = now
        elif not gone and now - health.since < GIVE_UP_MS:
            return
        reason = GONE if gone else FAILED_FOR_DAYS
        if gone or now - health.since >= GIVE_UP_MS:
            health.disabled = True
            log.warning("an endpoint was switched off", endpoint_id=endpoint_id, reason=reason)
            await self._ledger.set_endpoint_health(endpoint_id, health.since, now, reason)
        else:
            await self._ledger.set_endpoint_health(endpoint_id, health.since, None, "")

    async def drain(self, patience_s: float) -> None:
        """Claim no more, and wait a while for the callbacks in hand; what is not on record is posted again later."""
        self._stopping = True
        ends_at = self._clock.monotonic() + patience_s
        while self._open > 0 and self._clock.monotonic() < ends_at:
            await self._clock.sleep(0.02)

    # recording

    async def run_recorder(self) -> None:
        """Record tries until cancelled."""
        await keep_running("callback recorder", self._record_turn, self._clock)

    async def _record_turn(self) -> None:
        if not self._tries:
            await self._tried.wait(POLL_S)
        group, self._tries = self._tries, []
        if not group:
            return
        self._probe.reached(Point.CALLBACK_POSTED)
        try:
            await self._ledger.record_tries(group)
        except StorageError:
            self._tries = group + self._tries
            raise
        self._open -= len(group)
        self._wake.set()
        delivered = sum(one.delivered for one in group)
        given_up = sum(one.next_at is None and not one.delivered for one in group)
        metrics.callback_deliveries_total.labels("delivered").inc(delivered)
        metrics.callback_deliveries_total.labels("given_up").inc(given_up)
        metrics.callback_deliveries_total.labels("failed").inc(len(group) - delivered - given_up)


def posting_of(callback: DueCallback, now: int) -> Posting:
    """Give what is posted of a callback at a time; `callback.tries` counts the tries before it."""
    if callback.inbound is not None:
        body = inbound_bytes(callback.inbound)
    else:
        body = callback_bytes(callback, retry_count=callback.tries)
    return Posting(callback_public_id(callback.id), callback.url, callback.secrets, body, now // 1000)
