"""What outcomes, receipts and time make of a message, singly and in any order."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loa.domain.lifecycle import FINAL, MOVES, State, may_move
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.domain.routes import RoutePlan, Step, plan_of
from loa.domain.standing import (
    APPLIED,
    ARRIVED,
    CONFLICT,
    DEAD,
    DOUBLE_REACH,
    INFORMED,
    POSSIBLE_DUPLICATE,
    RESEND_WANTED,
    RESENT,
    SETTLED_UNKNOWN,
    Source,
    Standing,
    Verdict,
    apply_receipt,
    end_wait,
    expire,
    go_on,
    settle,
)
from loa.domain.traffic import OnUnknown

NOW = 1_795_000_000_000
LIFE = 86_400_000


def standing(state: State = State.SENDING, **given: Any) -> Standing:
    values: dict[str, Any] = {
        "id": 1,
        "tenant_id": 1,
        "channel_id": 1,
        "plan": plan_of(1),
        "step": 0,
        "state": state,
        "due_at": NOW,
        "attempts": 1,
        "tries": 0,
        "sequence": 0,
        "flags": 0,
        "error": "",
        "segment_count": 1,
        "expires_at": NOW + LIFE,
        "endpoint_id": None,
        "every_step": False,
    }
    if isinstance(given.get("plan", [None])[0], int):
        given["plan"] = plan_of(*given["plan"])
    return Standing(**{**values, **given})


def told(message: Standing) -> list[State]:
    return [event.state for event in message.events]


def receive(message: Standing, state: State, segments: Mapping[int, State | None] | None = None) -> str:
    source = Source(message.attempts, message.channel_id)
    return apply_receipt(message, source, segments or {0: state}, state, "detail", NOW)


def test_an_accepted_message_is_sent_and_told_of_only_where_every_step_is() -> None:
    quiet, every = standing(), standing(every_step=True)
    for message in (quiet, every):
        assert settle(message, 1, Accepted(("r",)), Verdict(NOW))
        assert (message.state, message.due_at) == (State.SENT, None)
    assert (told(quiet), told(every)) == ([], [State.SENT])


def test_the_answer_of_another_attempt_changes_nothing() -> None:
    message = standing(attempts=2)
    assert not settle(message, 1, Accepted(("r",)), Verdict(NOW))
    assert (message.state, message.changed) == (State.SENDING, False)


@pytest.mark.parametrize("state", [s for s in State if s not in {State.SENDING, State.UNKNOWN}])
def test_an_answer_moves_only_what_is_sending_or_unknown(state: State) -> None:
    message = standing(state)
    assert not settle(message, 1, Refused("no"), Verdict(NOW))
    assert message.state is state


def test_a_lasting_refusal_ends_a_message_whose_plan_is_at_its_end() -> None:
    message = standing()
    assert settle(message, 1, Refused("bad_number"), Verdict(NOW))
    assert (message.state, message.error, message.flags) == (State.REJECTED, "bad_number", 0)
    assert told(message) == [State.REJECTED]


@pytest.mark.parametrize("outcome", [Refused("no"), Refused("busy", lasting=False)])
def test_a_refusal_leads_to_the_next_channel_of_the_plan_with_tries_anew(outcome: Outcome) -> None:
    message = standing(plan=(1, 2), tries=4)
    settle(message, 1, outcome, Verdict(NOW, retry_at=NOW + 5_000))
    assert (message.state, message.channel_id, message.step, message.tries) == (State.QUEUED, 2, 1, 0)
    assert (message.due_at, message.error) == (NOW, message.error or "unset")


def test_there_is_no_next_channel_for_a_message_without_time() -> None:
    message = standing(plan=(1, 2), expires_at=NOW)
    settle(message, 1, Refused("no"), Verdict(NOW))
    assert (message.state, message.channel_id) == (State.REJECTED, 1)


def test_a_counted_deferral_comes_back_later_and_an_uncounted_one_keeps_its_place() -> None:
    counted, kept = standing(due_at=NOW - 9), standing(due_at=NOW - 9)
    settle(counted, 1, Deferred("full"), Verdict(NOW, retry_at=NOW + 5_000))
    settle(kept, 1, Deferred("throttled", counts=False), Verdict(NOW))
    assert (counted.state, counted.due_at, counted.tries) == (State.QUEUED, NOW + 5_000, 1)
    assert (kept.state, kept.due_at, kept.tries) == (State.QUEUED, NOW - 9, 0)


def test_a_try_that_would_come_after_the_end_of_life_is_not_waited_for() -> None:
    message = standing(expires_at=NOW + 4_000)
    settle(message, 1, Deferred("full"), Verdict(NOW, retry_at=NOW + 5_000))
    assert (message.state, message.error) == (State.EXPIRED, "full")


@pytest.mark.parametrize("outcome", [Deferred("full"), Refused("busy", lasting=False)])
def test_without_a_try_left_a_message_is_a_dead_letter(outcome: Outcome) -> None:
    message = standing()
    settle(message, 1, outcome, Verdict(NOW, retry_at=NOW + 5_000, dead=True))
    assert (message.state, message.flags) == (State.REJECTED, DEAD)


def test_without_a_try_left_the_next_channel_has_its_own() -> None:
    message = standing(plan=(1, 2), tries=7)
    settle(message, 1, Deferred("full"), Verdict(NOW, retry_at=NOW + 5_000, dead=True))
    assert (message.state, message.channel_id, message.tries, message.flags) == (State.QUEUED, 2, 0, 0)


def test_a_lost_track_waits_and_is_resent_once_flagged() -> None:
    message = standing()
    settle(message, 1, Unknown("link lost"), Verdict(NOW, wait_until=NOW + 30, after=OnUnknown.RESEND_ONCE))
    assert (message.state, message.due_at, message.flags) == (State.UNKNOWN, NOW + 30, RESEND_WANTED)
    assert end_wait(message, NOW + 30)
    assert (message.state, message.flags) == (State.QUEUED, RESENT | POSSIBLE_DUPLICATE)
    message.attempts = 2
    message.move(State.SENDING, NOW + 31)
    settle(message, 2, Unknown("link lost"), Verdict(NOW + 31, wait_until=NOW + 60, after=OnUnknown.RESEND_ONCE))
    assert not end_wait(message, NOW + 60)
    assert (message.state, message.due_at) == (State.UNKNOWN, None)
    assert message.flags == RESENT | POSSIBLE_DUPLICATE | SETTLED_UNKNOWN
    assert told(message) == [State.UNKNOWN]


def test_a_lost_track_that_may_not_be_resent_or_has_no_time_ends_as_unknown() -> None:
    for after, expires_at in ((OnUnknown.NEVER, NOW + LIFE), (OnUnknown.RESEND_ONCE, NOW + 30)):
        message = standing(expires_at=expires_at)
        settle(message, 1, Unknown("lost"), Verdict(NOW, wait_until=NOW + 30, after=after))
        assert not end_wait(message, NOW + 30)
        assert message.flags == SETTLED_UNKNOWN


def test_a_late_answer_settles_and_never_sends_again() -> None:
    for outcome, state in ((Accepted(("r",)), State.SENT), (Refused("no", lasting=False), State.REJECTED)):
        message = standing(State.UNKNOWN, flags=RESEND_WANTED)
        assert settle(message, 1, outcome, Verdict(NOW))
        assert (message.state, message.flags) == (state, 0)
    for outcome in (Deferred("full"), Unknown("again")):
        message = standing(State.UNKNOWN, flags=RESEND_WANTED)
        assert not settle(message, 1, outcome, Verdict(NOW))
        assert (message.state, message.flags) == (State.UNKNOWN, RESEND_WANTED)


def test_a_late_refusal_begins_the_next_step_unless_the_tenant_was_told_that_nobody_knows() -> None:
    for flags, state in ((RESEND_WANTED, State.QUEUED), (SETTLED_UNKNOWN, State.REJECTED)):
        message = standing(State.UNKNOWN, plan=(1, 2), flags=flags)
        assert settle(message, 1, Refused("no"), Verdict(NOW))
        assert (message.state, message.flags) == (state, 0)


def test_delivery_takes_every_segment_and_one_failed_segment_fails_the_message() -> None:
    message = standing(State.SENT, segment_count=2)
    assert receive(message, State.DELIVERED, {0: State.DELIVERED, 1: None}) == INFORMED
    assert receive(message, State.UNDELIVERED, {0: State.DELIVERED, 1: State.UNDELIVERED}) == APPLIED
    assert (message.state, message.error) == (State.UNDELIVERED, "detail")
    assert receive(message, State.DELIVERED) == CONFLICT


def test_a_failed_receipt_leads_to_the_next_channel_but_not_once_its_outcome_was_unknown() -> None:
    on_its_way, lost = standing(State.SENT, plan=(1, 2)), standing(State.UNKNOWN, plan=(1, 2))
    assert receive(on_its_way, State.UNDELIVERED) == receive(lost, State.UNDELIVERED) == APPLIED
    assert (on_its_way.state, on_its_way.channel_id) == (State.QUEUED, 2)
    assert (lost.state, lost.channel_id) == (State.UNDELIVERED, 1)


@pytest.mark.parametrize(
    ("state", "said", "became"),
    [
        (State.SENDING, State.DELIVERED, INFORMED),
        (State.QUEUED, State.UNDELIVERED, INFORMED),
        (State.QUEUED, State.DELIVERED, APPLIED),
        (State.EXPIRED, State.DELIVERED, APPLIED),
        (State.EXPIRED, State.UNDELIVERED, APPLIED),
        (State.EXPIRED, State.REJECTED, CONFLICT),
        (State.EXPIRED, State.EXPIRED, INFORMED),
        (State.CANCELLED, State.DELIVERED, CONFLICT),
        (State.DELIVERED, State.EXPIRED, CONFLICT),
    ],
)
def test_a_receipt_applies_informs_or_is_a_conflict(state: State, said: State, became: str) -> None:
    message = standing(state)
    assert receive(message, said) == became
    assert message.state is (said if became is APPLIED else state)


def test_a_message_that_outlived_its_life_keeps_the_reason_of_its_last_try() -> None:
    for error, kept in (("full", "full"), ("", "lifetime_over")):
        message = standing(State.QUEUED, error=error)
        expire(message, NOW + LIFE)
        assert (message.state, message.error) == (State.EXPIRED, kept)


OUTCOMES: list[Outcome] = [
    Accepted(("r",)),
    Refused("no"),
    Refused("busy", lasting=False),
    Deferred("full"),
    Deferred("throttled", counts=False),
    Unknown("lost"),
]
RECEIPTS = [State.DELIVERED, State.UNDELIVERED, State.REJECTED, State.EXPIRED]
HAPPENINGS = st.one_of(
    st.just(("claim",)),
    st.just(("cancel",)),
    st.just(("wait_over",)),
    st.just(("life_over",)),
    st.tuples(
        st.just("answer"), st.integers(0, 2), st.sampled_from(OUTCOMES), st.sampled_from(OnUnknown), st.booleans()
    ),
    st.just(("silence",)),
    st.tuples(st.just("early_receipt"), st.sampled_from(RECEIPTS)),
    st.tuples(st.just("receipt"), st.sampled_from(RECEIPTS), st.sampled_from([None, *RECEIPTS])),
)


def _happen(message: Standing, happening: tuple[Any, ...], at: int) -> None:
    """Do to the message what a ledger would, under the conditions under which its queries find the row."""
    match happening:
        case ("claim",) if message.state is State.QUEUED:
            message.attempts += 1
            message.move(State.SENDING, at, due_at=message.due_at)
        case ("cancel",) if message.state is State.QUEUED:
            message.move(State.CANCELLED, at)
        case ("wait_over",) if message.state is State.UNKNOWN and message.due_at is not None:
            end_wait(message, at)
        case ("life_over",) if message.state is State.QUEUED:
            expire(message, at)
        case ("answer", back, outcome, after, dead):
            verdict = Verdict(at, retry_at=at + 5, wait_until=at + 30, after=after, dead=dead)
            settle(message, message.attempts - back, outcome, verdict)
        case ("receipt", state, other):
            source = Source(message.attempts, message.channel_id)
            apply_receipt(message, source, {0: state, 1: other}, state, "detail", at)
        case ("early_receipt", state):
            before = max(1, message.attempts - 1)
            source = Source(before, message.plan[max(0, message.step - 1)].channel_id)
            apply_receipt(message, source, {0: state}, state, "detail", at)
        case ("silence",):
            go_on(message, at)
        case _:
            pass


@given(
    st.lists(HAPPENINGS, max_size=40),
    st.sampled_from([plan_of(1), plan_of(1, 2), (Step(1, 2), Step(2, 5), Step(3))]),
    st.integers(min_value=1, max_value=50),
    st.booleans(),
)
def test_whatever_happens_a_message_never_goes_back(
    happenings: list[tuple[Any, ...]], plan: RoutePlan, life: int, every_step: bool
) -> None:
    message = standing(State.QUEUED, attempts=0, plan=plan, expires_at=NOW + life, every_step=every_step)
    resends = 0
    for after, happening in enumerate(happenings):
        old, step, attempts, sequence, flags = (
            message.state,
            message.step,
            message.attempts,
            message.sequence,
            message.flags,
        )
        _happen(message, happening, NOW + after)
        assert message.state is old or may_move(old, message.state)
        assert message.state is old or old not in FINAL or (message.state in MOVES[old])
        assert message.step >= step
        assert message.channel_id == plan[message.step].channel_id
        assert message.attempts >= attempts
        assert message.sequence >= sequence
        assert message.flags & RESENT >= flags & RESENT
        assert message.flags & POSSIBLE_DUPLICATE >= flags & POSSIBLE_DUPLICATE
        assert (message.due_at is not None) == (message.state in {State.QUEUED, State.SENDING}) or (
            message.state in {State.UNKNOWN, State.SENT}
        )
        assert old is not State.DELIVERED or message.state is old
        assert not message.flags & DOUBLE_REACH or message.flags & ARRIVED
        assert not message.flags & ARRIVED or message.state not in {State.QUEUED, State.SENT, State.UNKNOWN}
        resends += old is State.UNKNOWN and message.state is State.QUEUED
    assert resends <= 1
    assert [event.sequence for event in message.events] == list(range(1, message.sequence + 1))
    finals = [state for state in told(message) if state in FINAL]
    assert len(finals) <= 2
    assert len(finals) <= 1 or finals[-1] is State.DELIVERED or finals[0] is State.EXPIRED
