"""What becomes of the columns of a batch, and of one row by that. Pure.

A plan names a column, or says the same for all rows. It lies in the ledger as JSON: see `as_json`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from loa.domain.rules import Finding
from loa.domain.traffic import VENDOR_TYPES, TrafficClass

CLASSES: Final = (TrafficClass.TRANSACTIONAL, TrafficClass.ADVERTISING)
"""One-time codes live minutes and come from a program: a table is no way for them."""
RAGGED: Final = "batch_ragged"
REPEATED: Final = "batch_repeated"
LEFT_OUT: Final = "batch_left_out"
STOPPED: Final = "batch_stopped"
"""What stands against rows beside what intake says. Nobody but people who hand batches in is ever told."""
REQUEST_ID_MAX: Final = 50
TEXT_MAX: Final = 2_000
_PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_CLASS_WORDS: Final = {each.label: each for each in CLASSES} | {
    str(number): each for number, each in VENDOR_TYPES.items() if each in CLASSES
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: the column of that number, or the same for all rows where `column` is None."""

    column: int | None = None
    value: str = ""

    def of(self, row: Sequence[str]) -> str:
        """Give the value for a row."""
        return self.value if self.column is None else row[self.column]


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What becomes of the columns. `text`: where a template, `{name}` in it stands for the cell of that column."""

    destination: int
    text: Source
    sender: Source
    traffic_class: Source
    schedule: Source = Source()
    request_id: int | None = None
    use_unicode: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it would be sent."""

    row: int
    destination: str
    text: str
    sender: str
    traffic_class: TrafficClass
    schedule: str = ""
    request_id: str = ""

    @property
    def alike(self) -> tuple[object, ...]:
        """What rows have in common that can go together; a request id is one row's own."""
        own = (self.row,) if self.request_id else ()
        return (self.sender, self.traffic_class, self.schedule, self.request_id, self.text, *own)


def as_json(plan: BatchPlan) -> dict[str, Any]:
    """Write a plan down."""
    return asdict(plan)


def from_json(told: Mapping[str, Any]) -> BatchPlan:
    """Read a plan that `as_json` wrote."""
    sources = {name: Source(**told[name]) for name in ("text", "sender", "traffic_class", "schedule")}
    return BatchPlan(told["destination"], **sources, request_id=told["request_id"], use_unicode=told["use_unicode"])


def names_in(template: str) -> list[str]:
    """Name what a template asks for, in order; "" for a brace that stands alone."""
    found = (match for match in _PIECE.finditer(template) if match[0] not in ("{{", "}}"))
    return [match[1].strip() if match[1] is not None else "" for match in found]


class Renderer:
    """Makes lines of rows. `columns`: their names."""

    def __init__(self, plan: BatchPlan, columns: Sequence[str]) -> None:
        self._plan = plan
        self._width = len(columns)
        self._places = {name: place for place, name in enumerate(columns)}

    def line(self, number: int, row: Sequence[str]) -> Line | Finding:
        """Make the line of a row, or say why there is none."""
        plan = self._plan
        if len(row) != self._width:
            return Finding("row", RAGGED, {"count": len(row), "limit": self._width})
        if any("\0" in cell for cell in row):
            return Finding("row", "contains_nul")
        destination = row[plan.destination]
        text = self._text(row)
        sender = plan.sender.of(row)
        request_id = "" if plan.request_id is None else row[plan.request_id]
        traffic_class = _CLASS_WORDS.get(plan.traffic_class.of(row).lower())
        for where, value in (("destinations", destination), ("text", text), ("from", sender)):
            if not value:
                return Finding(where, "empty")
        if traffic_class is None:
            return Finding("type", "not_allowed", {"allowed": ", ".join(each.label for each in CLASSES)})
        if len(text) > TEXT_MAX:
            return Finding("text", "too_long", {"limit": TEXT_MAX})
        if len(request_id) > REQUEST_ID_MAX:
            return Finding("requestId", "too_long", {"limit": REQUEST_ID_MAX})
        if not request_id.isprintable():
            return Finding("requestId", "not_printable")
        return Line(number, destination, text, sender, traffic_class, plan.schedule.of(row), request_id)

    def _text(self, row: Sequence[str]) -> str:
        source = self._plan.text
        if source.column is not None:
            return row[source.column]

        def filled(match: re.Match[str]) -> str:
            if match[1] is None:
                return match[0][0]
            place = self._places.get(match[1].strip())
            return match[0] if place is None else row[place]

        return _PIECE.sub(filled, source.value)


def together(lines: Iterable[Line], most: int) -> list[list[Line]]:
    """Group lines that can go as one request, at most so many, in the order of their first."""
    groups: dict[tuple[object, ...], list[list[Line]]] = {}
    for line in lines:
        pieces = groups.setdefault(line.alike, [[]])
        if len(pieces[-1]) == most:
            pieces.append([])
        pieces[-1].append(line)
    return [piece for pieces in groups.values() for piece in pieces]
