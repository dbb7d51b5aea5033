"""Draws the states of a message from the table of moves into docs/explain/states.md.

.venv/bin/python -m tests.house.states_page
"""

from loa.domain.lifecycle import FINAL, MOVES, State
from tests.house.sources import ROOT

PAGE = ROOT / "docs" / "explain" / "states.md"
START = "<!-- drawn from loa.domain.lifecycle: start -->"
END = "<!-- drawn from loa.domain.lifecycle: end -->"


def drawn() -> str:
    """Give the diagram and the table of moves as Markdown."""
    moves = [(old, new, why) for old, follows in MOVES.items() for new, why in follows.items()]
    diagram = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.QUEUED.label}"]
    diagram += [f"    {old.label} --> {new.label}" for old, new, _ in moves]
    diagram += [f"    {state.label} --> [*]" for state in State if state in FINAL]
    diagram.append("```")
    table = ["| From | To | Why |", "|---|---|---|"]
    table += [f"| {_named(old)} | {_named(new)} | {why} |" for old, new, why in moves]
    return "\n".join([*diagram, "", *table])


def _named(state: State) -> str:
    return f"**{state.label}**" if state in FINAL else state.label


def redrawn(page: str) -> str:
    """Give a page with what is between its marks drawn anew."""
    head, found, rest = page.partition(START)
    _, closed, tail = rest.partition(END)
    assert found, f"the page needs the line {START}"
    assert closed, f"the page needs the line {END}"
    return f"{head}{START}\n\n{drawn()}\n\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(redrawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
