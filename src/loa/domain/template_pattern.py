"""How a template reads as plain text: literals with `<name>` placeholders between them, and how a text is read back.

A reading is found whenever there is one, whatever the bounds of the parameters, in steps that grow with the length of
the text times the number of placeholders, never with its square. Where several readings exist the leftmost is taken:
the first parameter is as short as it can be, then the second, and so on. Pure.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from loa.domain.rules import Finding
from loa.domain.template import Parameter
from loa.domain.template_values import DATE_FORMS, shape

_PLACEHOLDER: Final = re.compile(r"<([^<>]{1,64})>")
_NO_LIMIT: Final = 2**31


def normalised(text: str) -> str:
    """Bring a text into the form in which patterns are compared: NFC, runs of white space as one space, trimmed."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def cut(text: str) -> tuple[list[str], list[str]]:
    """Cut a pattern into its literals and the names of the placeholders between them: one literal more than names."""
    pieces = _PLACEHOLDER.split(normalised(text))
    return pieces[::2], pieces[1::2]


def check_pattern(text: str, parameters: Sequence[Parameter]) -> tuple[Finding, ...]:
    """Hold the text of a template against its parameters; nothing found means that texts can be matched with it."""
    literals, names = cut(text)
    known = {each.name for each in parameters}
    found = [
        Finding("text", "pattern_unknown", {"parameter": name}) for name in dict.fromkeys(names) if name not in known
    ]
    missing = [each.name for each in parameters if each.required and each.name not in names]
    found += [Finding("text", "pattern_missing", {"parameter": name}) for name in missing]
    found += [
        Finding("text", "pattern_touching", {"parameter": names[at - 1], "next": names[at]})
        for at in range(1, len(names))
        if not literals[at]
    ]
    if not any(literal.strip() for literal in literals):
        # It would match every text, and make every other template ambiguous.
        found.append(Finding("text", "pattern_bare"))
    return tuple(found)


class Literal:
    """A piece of text to search for, in steps that grow with the length of the text alone (Knuth, Morris, Pratt)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._borders = [0] * len(text)
        matched = 0
        for at in range(1, len(text)):
            while matched and text[matched] != text[at]:
                matched = self._borders[matched - 1]
            matched += text[matched] == text[at]
            self._borders[at] = matched

    def ends_in(self, text: str) -> list[int]:
        """Give where every occurrence ends, those that overlap too."""
        literal, borders, size = self.text, self._borders, len(self.text)
        found = []
        matched = 0
        for at, character in enumerate(text, 1):
            while matched and (matched == size or literal[matched] != character):
                matched = borders[matched - 1]
            matched += literal[matched] == character
            if matched == size:
                found.append(at)
        return found


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value stands: what it may be, as its parameter says.

    `joined`: a space stands on both sides, so that with an empty value they are one. `forms`: the only shapes a value
    may have, shortest first; empty for any.
    """

    name: str
    least: int
    most: int
    accepts_empty: bool
    joined: bool
    forms: tuple[str, ...]

    def choices(self, text: str, begins: Sequence[int], ends: Sequence[int]) -> dict[int, int]:
        """Give for each place where the value may begin the nearest where it may end. Shapes: both ascending."""
        found = self._shaped(text, begins, ends) if self.forms else self._bounded(text, begins, ends)
        if self.accepts_empty:
            among = set(ends)
            found |= {begin: begin - self.joined for begin in begins if begin - self.joined in among}
        return found

    def _bounded(self, text: str, begins: Sequence[int], ends: Sequence[int]) -> dict[int, int]:
        found = {}
        # A value neither begins nor ends with a space: then it would be the other text that is written differently.
        ends = [end for end in ends if text[end - 1] != " "]
        at = 0
        for begin in begins:
            while at < len(ends) and ends[at] < begin + self.least:
                at += 1
            if at == len(ends):
                break
            if ends[at] <= begin + self.most and text[begin] != " ":
                found[begin] = ends[at]
        return found

    def _shaped(self, text: str, begins: Sequence[int], ends: Sequence[int]) -> dict[int, int]:
        found = {}
        among = set(ends)
        shapes = shape(text)
        for begin in begins:
            for form in self.forms:
                if begin + len(form) in among and shapes.startswith(form, begin):
                    found[begin] = begin + len(form)
                    break
        return found


class Pattern:
    """A pattern made ready: texts for it are normalised and have a space before and after them, see `padded`."""

    def __init__(self, text: str, parameters: Sequence[Parameter]) -> None:
        literals, names = cut(text)
        literals[0] = f" {literals[0]}"
        literals[-1] = f"{literals[-1]} "
        known = {each.name: each for each in parameters}
        self.head, self.tail = literals[0], literals[-1]
        self.literals = tuple(literals)
        self.slots = tuple(
            _slot(known.get(name, Parameter(name)), literals[at], literals[at + 1]) for at, name in enumerate(names)
        )
        self._inner = tuple(Literal(each) for each in literals[1:-1])

    def read(self, text: str) -> Mapping[str, str] | None:
        """Give the values with which the pattern reads as this padded text, by placeholder; None when none do."""
        if not self.slots:
            return {} if text == self.head else None
        if not (text.startswith(self.head) and text.endswith(self.tail)):
            return None
        return self._agreed(self._values(text))

    def _values(self, text: str) -> list[str]:
        """Find from the end which places lead to the end, then walk from the start, always to the nearest of them."""
        ends = [len(text) - len(self.tail)]
        steps: list[dict[int, int]] = []
        for at in range(len(self.slots) - 1, -1, -1):
            begins = self._inner[at - 1].ends_in(text) if at else [len(self.head)]
            steps.append(self.slots[at].choices(text, begins, ends))
            ends = [begin - len(self.literals[at]) for begin in begins if begin in steps[-1]]
            if not ends:
                return []
        values = []
        begin = len(self.head)
        for at, step in enumerate(reversed(steps), 1):
            values.append(text[begin : step[begin]])
            begin = step[begin] + len(self.literals[at])
        return values

    def _agreed(self, values: Sequence[str]) -> Mapping[str, str] | None:
        if not values:
            return None
        data = {slot.name: value for slot, value in zip(self.slots, values, strict=True)}
        # Finding the reading in which a repeated placeholder agrees could take for ever; the leftmost has to.
        return data if all(data[slot.name] == value for slot, value in zip(self.slots, values, strict=True)) else None


def padded(text: str) -> str:
    """Bring a text into the form that `Pattern.read` takes."""
    return f" {normalised(text)} "


def _slot(parameter: Parameter, before: str, after: str) -> Slot:
    least, most = max(1, parameter.min_length), parameter.max_length or _NO_LIMIT
    forms = [form for form in DATE_FORMS if least <= len(form) <= most] if parameter.kind == "date" else []
    joined = before.endswith(" ") and after.startswith(" ")
    return Slot(parameter.name, least, most, parameter.accepts_empty, joined, tuple(forms))
