"""The drawing of the states is the table the code runs by."""

from loa.domain.lifecycle import FINAL, MOVES, State
from tests.house.states_page import PAGE, drawn, redrawn


def test_the_drawing_of_the_states_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == redrawn(page), "run: .venv/bin/python -m tests.house.states_page"


def test_the_drawing_holds_every_state_and_every_move() -> None:
    assert set(MOVES) == set(State)
    lines = drawn().splitlines()
    assert sum(" --> " in line for line in lines) == sum(map(len, MOVES.values())) + len(FINAL) + 1
    for old, follows in MOVES.items():
        for new in follows:
            assert f"    {old.label} --> {new.label}" in lines
