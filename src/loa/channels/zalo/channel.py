"""One Official Account: messages handed to Zalo one request each, never a request twice.

What is known before is settled without network: hours, quotas, stops. The line between Deferred and Unknown is whether
bytes of the request may have left; an unknown hand-over to a number is kept under our tracking id, by which an event
of Zalo settles it.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from loa.channels.pace import Pace
from loa.channels.zalo import looks
from loa.channels.zalo import settings as own
from loa.channels.zalo.answers import read_answer, refs_of, unanswered
from loa.channels.zalo.client import Client, fits_header, request_of
from loa.channels.zalo.codes import Meaning, Surface, meaning_of
from loa.channels.zalo.gate import Gate, scope_of
from loa.channels.zalo.looks import Looks
from loa.channels.zalo.requests import Letter, letter_of, tracking_id
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.domain.receipt import Receipt
from loa.observe.log import get_logger
from loa.ports.channel import Attempt, ChannelContext, ChannelStatus, Question, Settle, Step
from loa.ports.probe import Point
from loa.wire.wire import Answer

WAIT_FIRST_S: Final = 1.0
WAIT_LONGEST_S: Final = 30.0
LOOKS_AT_ONCE: Final = 10
"""Connections beside those of the window, for what is only looked at."""

CONSENT_NEEDED: Final = "consent needed"


class _Flight:
    """One attempt on its way. `written`: bytes of its request may have left."""

    __slots__ = ("attempt", "letter", "refs", "request", "settle", "token", "written")

    def __init__(self, attempt: Attempt, settle: Settle, letter: Letter, request: bytes, token: str) -> None:
        self.attempt = attempt
        self.settle = settle
        self.letter = letter
        self.request = request
        self.token = token
        self.refs = refs_of(letter, tracking_id(attempt))
        self.written = False


class ZaloChannel:
    """Posts messages to Zalo over its own connections."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._clock = context.clock
        self._settings = own.read(context.settings)
        self._tls = own.tls_of(self._settings)
        self._gate = Gate(context.name, self._settings, context.clock)
        self._pace = Pace(self._settings.rate_per_s)
        self._log = get_logger("loa.channels.zalo")
        self._client: Client | None = None
        self._watch: asyncio.Task[None] | None = None
        self._requests: set[asyncio.Task[Outcome]] = set()
        self._refused_token = ""
        self._wait_s = WAIT_FIRST_S
        self._paused_until = 0.0
        self._note = ""
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False

    async def start(self) -> None:
        """Be ready; connections are made when they are needed."""
        self._client = self._open(self._settings.window + LOOKS_AT_ONCE)
        self._watch = asyncio.create_task(self._look(Looks(self._client, self._gate, self._clock)))
        self._context.wake()

    def _open(self, limit: int) -> Client:
        return Client(self._settings, self._tls, limit=limit, now=self._clock.monotonic)

    def _token(self) -> str:
        token = self._context.tokens.current() if self._context.tokens is not None else ""
        return token if fits_header(token) else ""

    def free(self, now: int) -> int:  # noqa: ARG002 - pause and rate follow the monotonic clock
        """Tell how many attempts may be handed over now: none without a token."""
        if self._client is None or self._stopping or not self._token():
            return 0
        monotonic = self._clock.monotonic()
        room = 0 if monotonic < self._paused_until else self._pace.room(monotonic)
        if room <= 0:
            self._wake_at(max(self._paused_until, self._pace.next_at(monotonic)))
            return 0
        return max(0, min(room, self._settings.window - len(self._requests)))

    def submit(self, attempts: Sequence[Attempt], settle: Settle) -> None:
        """Post each attempt by itself, or settle it at once where no request needs to leave.

        Errors: the outcomes of `answers` and `gate`; Deferred, with a try used up, when no connection was made.
        """
        token, now, monotonic = self._token(), self._clock.now(), self._clock.monotonic()
        for attempt in attempts:
            letter = letter_of(attempt, self._settings)
            closed = self._closed(attempt, letter, token, now)
            if letter is None or closed is not None:
                settle(attempt, closed or Refused("nothing_to_send"))
                continue
            self._gate.goes(attempt, letter, now)
            self._pace.take(1, monotonic)
            flight = _Flight(attempt, settle, letter, self._request(letter, token), token)
            task = asyncio.create_task(self._post(flight))
            self._requests.add(task)
            task.add_done_callback(partial(self._done, flight))

    def _closed(self, attempt: Attempt, letter: Letter | None, token: str, now: int) -> Outcome | None:
        if letter is None:
            return None
        if not token or self._client is None or self._stopping:
            return Deferred("no_token" if self._client is not None else "stopped", now + 1000, counts=False)
        if letter.journey_token and not fits_header(letter.journey_token):
            return Refused("journey_token")
        return self._gate.closed(attempt, letter, now)

    def _request(self, letter: Letter, token: str) -> bytes:
        assert self._client is not None
        base = self._client.business if letter.surface is Surface.NUMBER else self._client.official
        headers = {"access_token": token}
        if letter.journey_token:
            headers["journey_token"] = letter.journey_token
        return request_of(base, "POST", letter.path, headers, letter.body)

    def status(self) -> ChannelStatus:
        """Describe the channel now."""
        token, up = self._token(), self._client is not None and not self._stopping
        paused = self._clock.monotonic() < self._paused_until
        notes = [] if token else ["another token is awaited" if self._refused_token else CONSENT_NEEDED]
        notes += [self._note] if self._note else []
        return ChannelStatus(
            ready=up and bool(token) and not paused and not self._gate.stops.scopes,
            links_up=int(up and not self._note),
            links=1,
            window_in_use=len(self._requests),
            window_size=self._settings.window,
            detail="; ".join([*notes, *self._gate.notes()]),
            rate=self._pace.told(self._clock.monotonic()),
            quota_left=self._gate.day.left if self._gate.day.left >= 0 else None,
        )

    async def test(self) -> list[Step]:
        """Try token, Official Account and quota, without sending a message."""
        client = self._open(LOOKS_AT_ONCE)
        try:
            return await looks.try_out(client, self._settings, self._token())
        finally:
            await client.close()

    async def ask(self, questions: Sequence[Question]) -> Sequence[Receipt]:
        """Ask what became of messages; nothing without a token."""
        token = self._token()
        if self._client is None or not token:
            return []
        return await looks.ask(self._client, self._context.channel_id, token, questions, self._clock)

    async def stop(self, drain_s: float) -> None:
        """Take no more, wait up to `drain_s` for answers; what is left is settled as Unknown where bytes have left."""
        self._stopping = True
        if self._requests and drain_s > 0:
            await asyncio.wait(set(self._requests), timeout=drain_s)
        watch: list[asyncio.Task[Any]] = [self._watch] if self._watch is not None else []
        left = [*self._requests, *watch]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        self._gate.forget()
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    # one message

    async def _post(self, flight: _Flight) -> Outcome:
        assert self._client is not None
        of_numbers = flight.letter.surface is Surface.NUMBER
        base = self._client.business if of_numbers else self._client.official
        through = self._context.probe.armed(Point.LINK_WRITTEN)
        answer = await self._client.send(base, flight.request, partial(self._written, flight), through=through)
        outcome = unanswered(answer, flight.refs)
        if outcome is None:
            outcome = self._answered(flight, answer)
        else:
            self._gate.stops.tried(scope_of(flight.letter))
        self._learn(answer, outcome)
        return outcome

    def _written(self, flight: _Flight) -> None:
        flight.written = True
        self._context.probe.reached(Point.LINK_WRITTEN)

    def _answered(self, flight: _Flight, answer: Answer) -> Outcome:
        said = read_answer(answer)
        outcome = self._gate.learn(said, flight.attempt, flight.letter, flight.refs, len(self._requests) - 1)
        if isinstance(outcome, Accepted):
            self._refused_token = ""
        elif said.code and meaning_of(flight.letter.surface, said.code) is Meaning.TOKEN:
            self._token_refused(flight, said.code)
        return outcome

    def _token_refused(self, flight: _Flight, code: int) -> None:
        """Ask for another token once; when that is refused too, it is not the token."""
        if self._refused_token in ("", flight.token):
            self._refused_token = flight.token
            if self._context.tokens is not None:
                self._context.tokens.spoiled(flight.token)
        else:
            self._refused_token = flight.token
            self._gate.stop(scope_of(flight.letter), str(code))

    def _done(self, flight: _Flight, task: asyncio.Task[Outcome]) -> None:
        """Settle, also where the task was ended before its first step."""
        self._requests.discard(task)
        failed = None if task.cancelled() else task.exception()
        if failed is not None:
            self._log.error("a message could not be handed over", channel=self._context.name, error=failed)
        if task.cancelled() or failed is not None:
            word = "stopped" if failed is None else "failed"
            lost = Unknown(word, flight.refs) if flight.written else Deferred(word, counts=failed is not None)
            flight.settle(flight.attempt, lost)
        else:
            flight.settle(flight.attempt, task.result())
        self._context.wake()

    # pauses

    def _learn(self, answer: Answer, outcome: Outcome) -> None:
        """Pause where Zalo cannot be reached, or asks all to wait."""
        if not answer.written:
            if self._clock.monotonic() >= self._paused_until:
                self._pause(self._wait_s, outcome.reason if isinstance(outcome, Deferred) else answer.fault)
                self._wait_s = min(self._wait_s * 2, WAIT_LONGEST_S)
        elif isinstance(outcome, Deferred) and not outcome.counts and not outcome.alone:
            self._pause((outcome.until - self._clock.now()) / 1000, outcome.reason)
        elif not answer.fault:
            self._wait_s = WAIT_FIRST_S
            if self._clock.monotonic() >= self._paused_until:
                self._note = ""

    def _pause(self, wait_s: float, reason: str) -> None:
        monotonic = self._clock.monotonic()
        if monotonic >= self._paused_until:
            self._log.warning("Zalo takes nothing now", channel=self._context.name, reason=reason, retry_s=wait_s)
        self._paused_until = max(self._paused_until, monotonic + wait_s)
        self._note = reason
        self._wake_at(self._paused_until)

    def _wake_at(self, monotonic: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        left_s = max(0.0, monotonic - self._clock.monotonic())
        self._timer = asyncio.get_running_loop().call_later(left_s, self._context.wake)

    # what is looked at

    async def _look(self, at: Looks) -> None:
        while True:
            token = self._token()
            if token:
                held = bool(self._gate.stops.scopes)
                await at.look(token, len(self._requests))
                if held:
                    self._context.wake()
            await self._clock.sleep(looks.TICK_S)
