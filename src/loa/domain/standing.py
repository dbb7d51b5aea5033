"""Where one message stands, and what outcomes, receipts and time make of it.

Both ledgers read rows into a `Standing`, let these functions decide, and write back what changed; so the rules stand
once. Pure. The callers hold the row exclusively while they decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from loa.domain.lifecycle import State, is_final, may_move
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown

POSSIBLE_DUPLICATE = 1
DEAD = 2
RESENT = 4
SETTLED_UNKNOWN = 8
RESEND_WANTED = 16
"""Flags of a message; the numbers are stored."""

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
    plan: tuple[int, ...]
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
        self.channel_id = self.plan[self.step]
        self.tries = 0
        self.move(State.QUEUED, at, due_at=at)
        return True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the dispatch stage decided beside the outcome: see records.Settlement."""

    at: int
    retry_at: int = 0
    wait_until: int = 0
    resend: bool = False
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
    match outcome:
        case Accepted():
            message.move(State.SENT, verdict.at)
        case Refused(reason=reason, lasting=lasting):
            _refuse(message, reason, lasting, verdict)
        case Deferred(reason=reason, counts=counts):
            _defer(message, reason, counts, verdict)
        case Unknown(reason=reason):
            lose_track(message, reason, verdict)
        case _:
            assert_never(outcome)
    return True


def _settle_late(message: Standing, outcome: Outcome, at: int) -> bool:
    match outcome:
        case Accepted():
            message.flags &= ~(SETTLED_UNKNOWN | RESEND_WANTED)
            message.move(State.SENT, at)
            return True
        case Refused(reason=reason):
            message.flags &= ~(SETTLED_UNKNOWN | RESEND_WANTED)
            message.move(State.REJECTED, at, error=reason)
            return True
        case Deferred() | Unknown():
            return False
        case _:
            assert_never(outcome)


def _refuse(message: Standing, reason: str, lasting: bool, verdict: Verdict) -> None:
    if message.next_step(verdict.at):
        message.error = reason
        return
    if lasting or verdict.dead:
        message.flags |= 0 if lasting else DEAD
        message.move(State.REJECTED, verdict.at, error=reason)
        return
    _defer(message, reason, True, verdict)


def _defer(message: Standing, reason: str, counts: bool, verdict: Verdict) -> None:
    if message.expires_at <= max(verdict.at, verdict.retry_at if counts else 0):
        message.move(State.EXPIRED, verdict.at, error=reason)
        return
    if verdict.dead:
        if not message.next_step(verdict.at):
            message.flags |= DEAD
            message.move(State.REJECTED, verdict.at, error=reason)
        return
    message.tries += 1 if counts else 0
    # A message that was only throttled keeps its due time, and with it its place in the lane.
    message.move(State.QUEUED, verdict.at, error=reason, due_at=verdict.retry_at or message.due_at or verdict.at)


def lose_track(message: Standing, reason: str, verdict: Verdict) -> None:
    """Mark a message as unknown; it waits for evidence until `verdict.wait_until`."""
    message.flags &= ~RESEND_WANTED
    if verdict.resend and not message.flags & RESENT:
        message.flags |= RESEND_WANTED
    message.move(State.UNKNOWN, verdict.at, error=reason, due_at=verdict.wait_until)


def end_wait(message: Standing, now: int) -> bool:
    """End the wait of an unknown message: True when it is queued for its one flagged re-send, False when final."""
    if message.flags & RESEND_WANTED and message.expires_at > now:
        message.flags = (message.flags | RESENT | POSSIBLE_DUPLICATE) & ~RESEND_WANTED
        message.move(State.QUEUED, now, error=message.error, due_at=now)
        return True
    message.flags = (message.flags | SETTLED_UNKNOWN) & ~RESEND_WANTED
    message.due_at = None
    message.tell(now)
    return False


def end_in_doubt(message: Standing, reason: str, now: int) -> None:
    """End a message that is queued, sending or unknown and may have been sent elsewhere: finally unknown, never sent.

    A receipt may still say what became of it.
    """
    message.flags = (message.flags | SETTLED_UNKNOWN) & ~RESEND_WANTED
    if message.state is not State.UNKNOWN:
        message.move(State.UNKNOWN, now)
    message.error = reason
    message.due_at = None
    message.tell(now)


def expire(message: Standing, now: int) -> None:
    """End a queued message whose lifetime is over, keeping the reason of its last failed try."""
    message.move(State.EXPIRED, now, error=message.error or "lifetime_over")


APPLIED = "applied"
INFORMED = "informed"
CONFLICT = "conflict"


def apply_receipt(message: Standing, segments: Mapping[int, State | None], state: State, detail: str, at: int) -> str:
    """Apply what a receipt proves; `segments` holds the state of every reported segment of the attempt, this included.

    Delivered takes all segments; one failed segment fails the message. Gives applied, informed (nothing to change yet)
    or conflict (a final state that the table does not let go).
    """
    if state is State.DELIVERED and any(known is not State.DELIVERED for known in segments.values()):
        return INFORMED
    if message.state is state:
        return INFORMED
    if message.state is State.SENDING or (message.state is State.QUEUED and state is not State.DELIVERED):
        # A newer attempt waits or is on its way: its own outcome decides, this receipt stays as evidence beside it.
        return INFORMED
    if not may_move(message.state, state):
        return CONFLICT
    message.flags &= ~(SETTLED_UNKNOWN | RESEND_WANTED)
    if message.state is State.SENT and state is not State.DELIVERED and message.next_step(at):
        message.error = detail
        return APPLIED
    message.move(state, at, error="" if state is State.DELIVERED else detail)
    return APPLIED
