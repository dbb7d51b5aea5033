"""Where one message stands, and what outcomes, receipts and time make of it.

Both ledgers read rows into a `Standing`, let these functions decide, and write back what changed; so the rules stand
once. Pure. The callers hold the row exclusively while they decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from loa.domain.lifecycle import State, is_final, may_move
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.domain.routes import RoutePlan
from loa.domain.ruling import BY_HAND, Effect, Ruling
from loa.domain.traffic import OnUnknown

POSSIBLE_DUPLICATE = 1
DEAD = 2
RESENT = 4
SETTLED_UNKNOWN = 8
RESEND_WANTED = 16
ARRIVED = 32
DOUBLE_REACH = 64
GO_ON_WANTED = 128
FOLLOWED = 256
SETTLED_BY_HAND = 512
DEALT_WITH = 1024
"""Flags of a message; the numbers are stored. ARRIVED: an attempt before the last one proves to have been delivered;
DOUBLE_REACH: and a later one was, or may have been, handed over all the same. FOLLOWED: its plan has a step after
this one. SETTLED_BY_HAND: a person said what became of it; DEALT_WITH: of a dead letter, that nothing is left to do."""

_WANTED = RESEND_WANTED | GO_ON_WANTED
_WANTS = {OnUnknown.NEVER: 0, OnUnknown.RESEND_ONCE: RESEND_WANTED, OnUnknown.NEXT_STEP: GO_ON_WANTED}

TRIES_BEFORE_NEXT = 2
"""How often a step is tried that has another behind it: a short disturbance passes, a longer one is not waited for."""
LAST_CALL_MS = 20_000
"""How long before the end of a message's life its next step begins at the latest, so that it has time to arrive."""

IN_DOUBT = frozenset({State.QUEUED, State.SENDING, State.UNKNOWN})
"""States in which another ledger that holds the same message may have sent it meanwhile."""


@dataclass(slots=True)
class Event:
    """Something a tenant is told of: a state reached, with its place in the message's sequence."""

    message_id: int
    tenant_id: int
    sequence: int
    state: State
    at: int
    error: str
    flags: int
    channel_id: int
    endpoint_id: int | None


@dataclass(slots=True)
class Standing:
    """The moving part of a message and what is needed to decide on it."""

    id: int
    tenant_id: int
    channel_id: int
    plan: RoutePlan
    step: int
    state: State
    due_at: int | None
    attempts: int
    tries: int
    sequence: int
    flags: int
    error: str
    segment_count: int
    expires_at: int
    endpoint_id: int | None
    every_step: bool
    updated_at: int = 0
    events: list[Event] = field(default_factory=list)
    changed: bool = False

    def move(self, state: State, at: int, *, error: str = "", due_at: int | None = None) -> None:
        """Go to another state and note the event where a tenant is told of it."""
        assert may_move(self.state, state), (self.state, state)
        self.state = state
        self.due_at = due_at
        self.error = error
        self.changed = True
        if is_final(state) or (state is State.SENT and self.every_step):
            self.tell(at)

    def tell(self, at: int) -> None:
        """Note an event of the present state."""
        self.sequence += 1
        self.changed = True
        self.events.append(
            Event(
                self.id,
                self.tenant_id,
                self.sequence,
                self.state,
                at,
                self.error,
                self.flags,
                self.channel_id,
                self.endpoint_id,
            )
        )

    def next_step(self, at: int) -> bool:
        """Queue the message for the next channel of its plan, if there is one and time is left."""
        if self.step + 1 >= len(self.plan) or self.expires_at <= at:
            return False
        self.step += 1
        self.channel_id = self.plan[self.step].channel_id
        self.tries = 0
        if self.step + 1 == len(self.plan):
            self.flags &= ~FOLLOWED
        self.move(State.QUEUED, at, due_at=at)
        return True

    def patience_until(self, at: int) -> int | None:
        """Tell when the next step begins if this one, handed over at `at`, stays silent; None for never."""
        patience_ms = self.plan[self.step].patience_ms
        if not patience_ms or self.step + 1 >= len(self.plan):
            return None
        return min(at + patience_ms, max(at, self.expires_at - LAST_CALL_MS))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the dispatch stage decided beside the outcome: see records.Settlement."""

    at: int
    retry_at: int = 0
    wait_until: int = 0
    after: OnUnknown = OnUnknown.NEVER
    dead: bool = False


def settle(message: Standing, number: int, outcome: Outcome, verdict: Verdict) -> bool:
    """Apply the outcome of attempt `number`; False when the fence refuses it.

    An open attempt belongs to a message that is sending. After it was given up as unknown, a late answer may still
    settle it, never send it again.
    """
    if message.attempts != number:
        return False
    if message.state is State.UNKNOWN:
        return _settle_late(message, outcome, verdict.at)
    if message.state is not State.SENDING:
        return False
    if message.flags & ARRIVED:
        _arrive(message, verdict.at, handed_over=isinstance(outcome, Accepted | Unknown))
        return True
    match outcome:
        case Accepted():
            message.move(State.SENT, verdict.at, due_at=message.patience_until(verdict.at))
        case Refused():
            _refuse(message, outcome, verdict)
        case Deferred():
            _defer(message, outcome, verdict)
        case Unknown(reason=reason):
            lose_track(message, reason, verdict)
        case _:
            assert_never(outcome)
    return True


def _arrive(message: Standing, at: int, *, handed_over: bool) -> None:
    """End a message that an earlier attempt brought to the handset, whatever became of the one after it."""
    message.flags |= ARRIVED | (DOUBLE_REACH if handed_over else 0)
    message.flags &= ~(SETTLED_UNKNOWN | _WANTED)
    message.move(State.DELIVERED, at)


def _settle_late(message: Standing, outcome: Outcome, at: int) -> bool:
    match outcome:
        case Accepted():
            message.flags &= ~(SETTLED_UNKNOWN | _WANTED)
            message.move(State.SENT, at, due_at=message.patience_until(at))
            return True
        case Refused(reason=reason):
            # Once a tenant was told that nobody knows, they may have sent it anew themselves.
            goes_on = not outcome.everywhere and not message.flags & SETTLED_UNKNOWN
            message.flags &= ~(SETTLED_UNKNOWN | _WANTED)
            if goes_on and message.next_step(at):
                message.error = reason
                return True
            message.move(State.REJECTED, at, error=reason)
            return True
        case Deferred() | Unknown():
            return False
        case _:
            assert_never(outcome)


def _refuse(message: Standing, refused: Refused, verdict: Verdict) -> None:
    if not refused.everywhere and message.next_step(verdict.at):
        message.error = refused.reason
        return
    if refused.lasting or verdict.dead:
        message.flags |= 0 if refused.lasting else DEAD
        message.move(State.REJECTED, verdict.at, error=refused.reason)
        return
    _try_later(message, refused.reason, verdict, counts=True)


def _defer(message: Standing, deferred: Deferred, verdict: Verdict) -> None:
    # What holds back this message alone holds it back for long: the next step, where there is one, does not wait.
    goes_on = deferred.alone or verdict.dead or (deferred.counts and message.tries + 1 >= TRIES_BEFORE_NEXT)
    if goes_on and message.next_step(verdict.at):
        message.error = deferred.reason
        return
    if deferred.alone and not deferred.counts:
        verdict = replace(verdict, retry_at=max(verdict.retry_at, deferred.until))
    _try_later(message, deferred.reason, verdict, counts=deferred.counts, alone=deferred.alone)


def _try_later(message: Standing, reason: str, verdict: Verdict, *, counts: bool, alone: bool = False) -> None:
    if message.expires_at <= max(verdict.at, verdict.retry_at if counts or alone else 0):
        message.move(State.EXPIRED, verdict.at, error=reason)
        return
    if verdict.dead:
        message.flags |= DEAD
        message.move(State.REJECTED, verdict.at, error=reason)
        return
    message.tries += 1 if counts else 0
    # A message that was only throttled keeps its due time, and with it its place in the lane.
    message.move(State.QUEUED, verdict.at, error=reason, due_at=verdict.retry_at or message.due_at or verdict.at)


def lose_track(message: Standing, reason: str, verdict: Verdict) -> None:
    """Mark a message as unknown; it waits for evidence until `verdict.wait_until`."""
    if message.flags & ARRIVED:
        _arrive(message, verdict.at, handed_over=True)
        return
    message.flags &= ~_WANTED
    if not message.flags & RESENT:
        message.flags |= _WANTS[verdict.after]
    message.move(State.UNKNOWN, verdict.at, error=reason, due_at=verdict.wait_until)


def end_wait(message: Standing, now: int) -> bool:
    """End the wait of an unknown message: True when it is queued for its one flagged re-send, False when final.

    The re-send goes over the next step of the plan where there is one.
    """
    wanted = message.flags & _WANTED
    message.flags &= ~_WANTED
    last = message.step + 1 >= len(message.plan)
    if wanted and message.expires_at > now and (wanted & RESEND_WANTED or not last):
        message.flags |= RESENT | POSSIBLE_DUPLICATE
        reason = message.error
        if message.next_step(now):
            message.error = reason
        else:
            message.move(State.QUEUED, now, error=reason, due_at=now)
        return True
    message.flags |= SETTLED_UNKNOWN
    message.due_at = None
    message.tell(now)
    return False


def go_on(message: Standing, now: int) -> bool:
    """Begin the next step of a sent message that stayed silent for its time: flagged, since it may still arrive.

    False where a receipt was quicker, or nothing can follow.
    """
    if message.state is not State.SENT or message.due_at is None or message.due_at > now:
        return False
    flags = message.flags
    message.flags |= POSSIBLE_DUPLICATE
    if message.next_step(now):
        message.error = "silent"
        return True
    message.flags, message.due_at, message.changed = flags, None, True
    return False


def end_in_doubt(message: Standing, reason: str, now: int) -> None:
    """End a message that is queued, sending or unknown and may have been sent elsewhere: finally unknown, never sent.

    A receipt may still say what became of it.
    """
    message.flags = (message.flags | SETTLED_UNKNOWN) & ~_WANTED
    if message.state is not State.UNKNOWN:
        message.move(State.UNKNOWN, now)
    message.error = reason
    message.due_at = None
    message.tell(now)


def rule(message: Standing, ruling: Ruling, at: int) -> Effect:
    """Take a person's word for what became of a message. It sends nothing, and a message is ruled on once.

    Of an unknown message it ends the wait, as a receipt would; a receipt that comes later is stored beside it.
    """
    if ruling is Ruling.DEALT_WITH:
        return _deal_with(message)
    state = State.DELIVERED if ruling is Ruling.DELIVERED else State.UNDELIVERED
    if message.flags & SETTLED_BY_HAND and message.state is state:
        return Effect.ALREADY
    if message.state is not State.UNKNOWN:
        return Effect.UNFIT
    message.flags = (message.flags | SETTLED_BY_HAND) & ~(SETTLED_UNKNOWN | _WANTED)
    message.move(state, at, error="" if state is State.DELIVERED else BY_HAND)
    return Effect.DONE


def _deal_with(message: Standing) -> Effect:
    """Mark a dead letter; nobody is told, since its state stays."""
    if not message.flags & DEAD:
        return Effect.UNFIT
    if message.flags & DEALT_WITH:
        return Effect.ALREADY
    message.flags |= DEALT_WITH
    message.changed = True
    return Effect.DONE


def end_unclaimed(message: Standing, now: int) -> None:
    """End a queued message that is due and must not be sent: it arrived already, or its lifetime is over."""
    if message.flags & ARRIVED:
        _arrive(message, now, handed_over=False)
    else:
        expire(message, now)


def expire(message: Standing, now: int) -> None:
    """End a queued message whose lifetime is over, keeping the reason of its last failed try."""
    message.move(State.EXPIRED, now, error=message.error or "lifetime_over")


APPLIED = "applied"
INFORMED = "informed"
CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Source:
    """Which attempt a receipt speaks of, over which channel."""

    number: int
    channel_id: int

    def before(self, message: Standing) -> bool:
        """Tell whether a later attempt of the message was made, or is due over another channel."""
        return self.number < message.attempts or self.channel_id != message.channel_id


def apply_receipt(
    message: Standing, source: Source, segments: Mapping[int, State | None], state: State, detail: str, at: int
) -> str:
    """Apply what a receipt proves; `segments` holds the state of every reported segment of the attempt, this included.

    Delivered takes all segments; one failed segment fails the message. Gives applied, informed (nothing to change yet)
    or conflict (a final state that the table does not let go).
    """
    if state is State.DELIVERED and any(known is not State.DELIVERED for known in segments.values()):
        return INFORMED
    if source.before(message):
        return _apply_earlier(message, source, at) if state is State.DELIVERED else INFORMED
    if message.state is state:
        return INFORMED
    if message.state is State.SENDING or (message.state is State.QUEUED and state is not State.DELIVERED):
        # A newer attempt waits or is on its way: its own outcome decides, this receipt stays as evidence beside it.
        return INFORMED
    if message.state in _CONTRADICTED or not may_move(message.state, state):
        return CONFLICT
    message.flags &= ~(SETTLED_UNKNOWN | _WANTED)
    if message.state is State.SENT and state is not State.DELIVERED and message.next_step(at):
        message.error = detail
        return APPLIED
    message.move(state, at, error="" if state is State.DELIVERED else detail)
    return APPLIED


_CONTRADICTED = frozenset({State.UNDELIVERED, State.REJECTED})
"""What only an earlier attempt may turn into delivered: of the same attempt, two receipts contradict each other."""
_HANDED_OVER = frozenset({State.SENT, State.UNKNOWN, State.DELIVERED})


def _apply_earlier(message: Standing, source: Source, at: int) -> str:
    """Apply that an attempt arrived which was given up for the next one."""
    if message.flags & ARRIVED:
        return INFORMED
    message.flags |= ARRIVED
    message.changed = True
    if message.state is State.SENDING:
        # Its bytes may be leaving this moment: what comes of them is waited for, and then nothing more is sent.
        return INFORMED
    handed_over = source.number < message.attempts and message.state in _HANDED_OVER
    if message.state is State.DELIVERED:
        message.flags |= DOUBLE_REACH if handed_over else 0
        return INFORMED
    if not may_move(message.state, State.DELIVERED):
        return CONFLICT
    _arrive(message, at, handed_over=handed_over)
    return APPLIED
