"""The table of moves: ends are ends, but for the upgrades it names."""

import pytest

from loa.domain.lifecycle import FINAL, MOVES, STATUS_STATE, VENDOR_STATUS, State, is_final, may_move

UPGRADES = {
    (State.EXPIRED, State.DELIVERED),
    (State.EXPIRED, State.UNDELIVERED),
    (State.UNDELIVERED, State.DELIVERED),
    (State.REJECTED, State.DELIVERED),
}
EVERY_PAIR = [(old, new) for old in State for new in State]


def test_a_final_state_is_left_by_the_listed_upgrades_alone() -> None:
    assert {(old, new) for old, new in EVERY_PAIR if old in FINAL and may_move(old, new)} == UPGRADES


@pytest.mark.parametrize(("old", "new"), EVERY_PAIR)
def test_the_quick_answer_is_the_table_s(old: State, new: State) -> None:
    assert may_move(old, new) == (new in MOVES[old])
    assert is_final(old) == (old in FINAL)


def test_no_state_moves_to_itself() -> None:
    assert not [state for state in State if may_move(state, state)]


def test_only_what_is_queued_can_be_claimed_or_cancelled() -> None:
    for new in (State.SENDING, State.CANCELLED):
        assert [old for old in State if may_move(old, new)] == [State.QUEUED]


def test_what_may_have_left_is_never_claimed_without_being_queued_first() -> None:
    assert State.SENDING not in {*MOVES[State.SENT], *MOVES[State.UNKNOWN]}


def test_from_queued_every_state_can_be_reached_and_every_open_one_can_end() -> None:
    assert _reachable(State.QUEUED) == set(State)
    for state in State:
        assert _reachable(state) & FINAL


def _reachable(start: State) -> set[State]:
    found, open_states = {start}, [start]
    while open_states:
        new = set(MOVES[open_states.pop()]) - found
        found |= new
        open_states += new
    return found


def test_every_final_state_has_a_number_at_the_vendor_and_every_number_read_leads_back_to_it() -> None:
    assert set(VENDOR_STATUS) >= FINAL
    assert all(VENDOR_STATUS[state] == number for number, state in STATUS_STATE.items())


def test_stored_numbers_stay_as_they_are() -> None:
    assert [(state.value, state.label) for state in State] == [
        (0, "queued"),
        (1, "sending"),
        (2, "sent"),
        (3, "unknown"),
        (4, "delivered"),
        (5, "undelivered"),
        (6, "rejected"),
        (7, "expired"),
        (8, "cancelled"),
    ]
