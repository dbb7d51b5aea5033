"""How far a text follows a template before it differs: what a dry run tells the person who wrote the text. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from loa.domain.rules import Finding
from loa.domain.template import Parameter, Template
from loa.domain.template_pattern import Pattern
from loa.domain.template_values import check_value

_SHOWN: Final = 24


@dataclass(frozen=True, slots=True)
class Nearest:
    """The template that goes furthest with a text.

    `at`: how many characters of the normalised text it follows. `expected`: how its own text goes on there, "" where
    the text should end. `fault`: what is wrong with a value where the literals would all be found.
    """

    template: Template
    at: int
    expected: str
    fault: Finding | None = None


def nearest(candidates: Sequence[tuple[Template, Pattern]], text: str) -> Nearest | None:
    """Give the candidate that goes furthest with a padded text, the first of equals; None where there are none."""
    found = [_followed(template, pattern, text) for template, pattern in candidates]
    return max(found, key=lambda each: each.at, default=None)


def _followed(template: Template, pattern: Pattern, text: str) -> Nearest:
    """Take each value as short as its literal allows, whatever its bounds; the first that is not found is where."""
    head = _shared(pattern.head, text)
    if head < len(pattern.head) or not pattern.slots:
        return _stopped(template, pattern.head[head:], head, text)
    at = head
    values = []
    for number, literal in enumerate(pattern.literals[1:], 1):
        last = number == len(pattern.slots)
        # The end of the text is sought at its end, so that a value may hold what looks like it.
        place = text.rfind(literal, at) if last else text.find(literal, at)
        if place < 0:
            return _stopped(template, literal, at, text)
        values.append(text[at:place])
        at = place + len(literal)
    if at < len(text):
        return _stopped(template, "", at, text)
    return _misfit(template, pattern, values, text)


def _shared(literal: str, text: str) -> int:
    for at, (one, other) in enumerate(zip(literal, text, strict=False)):
        if one != other:
            return at
    return min(len(literal), len(text))


def _stopped(template: Template, rest: str, at: int, text: str) -> Nearest:
    # The space before a padded text is none of the caller's characters.
    return Nearest(template, max(0, min(at, len(text) - 1) - 1), rest.strip()[:_SHOWN])


def _misfit(template: Template, pattern: Pattern, values: Sequence[str], text: str) -> Nearest:
    """Name the value that does not fit where all literals were found."""
    known = {each.name: each for each in template.parameters}
    names = [slot.name for slot in pattern.slots]
    faults = [_fault(known[name], value) for name, value in zip(names, values, strict=True)]
    # Every value fits by itself: then it is one that stands in two places and differs.
    unequal = next((each for each in names if names.count(each) > 1), names[-1])
    other = Finding(unequal, "parameter_unequal", {"parameter": unequal})
    return Nearest(template, len(text) - 2, "", next((each for each in faults if each is not None), other))


def _fault(parameter: Parameter, value: str) -> Finding | None:
    if value != value.strip():
        return Finding(parameter.name, "parameter_spaced", {"parameter": parameter.name})
    return check_value(parameter, value, parameter.name)
