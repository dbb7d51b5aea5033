"""Which registered template a plain text is, and with which values: so that code written for SMS reaches templates.

A text matches when one template that is enabled and has a text reads as it; when two do, none is chosen. Both sides are
compared in NFC, with runs of white space as one space; otherwise letter by letter. Pure.

Cost: templates are looked up by the beginning of their text, so that only those are read whose literal beginning and
end are those of the text; reading one takes a number of steps that is at most a constant times the length of the text
times the number of its placeholders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from loa.domain.template import ENABLED, Template
from loa.domain.template_near import Nearest, nearest
from loa.domain.template_pattern import Pattern, check_pattern, padded

_HEAD: Final = 8
"""By how many characters templates are looked up. A shorter literal beginning is compared with every text."""


@dataclass(frozen=True, slots=True)
class Match:
    """The text is this template with these values, by parameter."""

    template: Template
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The text is several templates, in order of their ids; nobody but the caller can say which."""

    templates: tuple[Template, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Give the templates' names."""
        return tuple(each.name for each in self.templates)


@dataclass(frozen=True, slots=True)
class Readable:
    """A template whose text can be read."""

    template: Template
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class NoMatch:
    """The text is none of the templates. `not_enabled`: the name of one that it would be if that were enabled."""

    not_enabled: str = ""
    _text: str = field(default="", repr=False)
    _readable: tuple[Readable, ...] = field(default=(), repr=False)

    @property
    def nearest(self) -> Nearest | None:
        """Give the enabled template that goes furthest, and where it stops; for people, so found only when asked."""
        return nearest([(each.template, each.pattern) for each in self._readable], self._text)


class _Index:
    """Readable templates by the beginning of their text, in order of their ids."""

    def __init__(self, readable: Sequence[Readable]) -> None:
        self.readable = tuple(readable)
        self._by_head: dict[str, list[Readable]] = {}
        self._rest: list[Readable] = []
        for each in readable:
            head = each.pattern.head
            (self._by_head.setdefault(head[:_HEAD], []) if len(head) >= _HEAD else self._rest).append(each)

    def read(self, text: str) -> list[Match]:
        found = []
        for each in (*self._by_head.get(text[:_HEAD], ()), *self._rest):
            data = each.pattern.read(text)
            if data is not None:
                found.append(Match(each.template, data))
        return found


class _Same:
    """A key for the cache: the very same templates, which a snapshot keeps; hashing them costs more than matching."""

    __slots__ = ("templates",)

    def __init__(self, templates: tuple[Template, ...]) -> None:
        self.templates = templates

    def __hash__(self) -> int:
        return id(self.templates)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.templates is self.templates


def _order(template: Template) -> tuple[int, int, str]:
    """Order templates by channel, then by id as the number that it is."""
    return template.channel_id, len(template.template_id), template.template_id


@lru_cache(maxsize=256)
def _indexes(same: _Same) -> tuple[_Index, _Index]:
    """Make templates ready: those that are enabled, and the others."""
    ordered = sorted(same.templates, key=_order)
    readable = [
        Readable(each, Pattern(each.text, each.parameters))
        for each in ordered
        if each.text and not check_pattern(each.text, each.parameters)
    ]
    enabled = [each for each in readable if each.template.status == ENABLED]
    return _Index(enabled), _Index([each for each in readable if each.template.status != ENABLED])


def match_text(templates: Sequence[Template], text: str) -> Match | NoMatch | Ambiguous:
    """Find the template that a text is; give the same tuple of templates each time, and they are made ready once."""
    enabled, others = _indexes(_Same(tuple(templates)))
    wanted = padded(text)
    found = enabled.read(wanted)
    if len(found) == 1:
        return found[0]
    if found:
        return Ambiguous(tuple(sorted((each.template for each in found), key=_order)))
    idle = others.read(wanted)
    return NoMatch(idle[0].template.name if idle else "", wanted, enabled.readable)
