"""The page about SMPP shows the tables as they are in the code."""

from pathlib import Path

from loa.smpp.commands import command_name
from loa.smpp.outcomes import TABLE, StatusClass
from loa.smpp.session import ALLOWED, MOVES, Side, State

PAGE = (Path(__file__).parents[3] / "docs" / "internals" / "smpp.md").read_text(encoding="utf-8")


def table(name: str) -> list[list[str]]:
    lines = PAGE.split(f"<!-- table: {name} -->\n")[1].split("<!-- end -->")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(state: State, side: Side) -> set[str]:
    return {command_name(command_id) for command_id in ALLOWED[state, side]} or {"–"}


def test_the_page_says_who_may_send_what_when():
    shown = [(row[0], set(row[1].split(", ")), set(row[2].split(", "))) for row in table("allowed")]
    assert shown == [(state.value, names(state, Side.CLIENT), names(state, Side.SERVER)) for state in State]


def test_the_page_says_which_responses_move_the_state():
    assert table("moves") == [
        [state.value, command_name(command_id), after.value] for (state, command_id), after in MOVES.items()
    ]


def test_the_page_names_every_status_that_is_not_simply_refused():
    rows = {row[1].strip(): row[2] for row in (line.split("|") for line in PAGE.splitlines()) if len(row) == 5}
    for status, meaning in TABLE.items():
        assert meaning is not StatusClass.REFUSED
        assert f"0x{status:02X}" in rows[meaning.value.replace("_", " ")]
