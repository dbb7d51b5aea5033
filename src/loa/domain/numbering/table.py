"""The table of Vietnamese mobile prefixes, read from a file that an admin may replace.

Prefixes are spread to one common length when the table is read, so that a look-up is one slice and one dictionary.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Any, Final

from loa.errors import ConfigError

_PREFIX: Final = re.compile("0[1-9][0-9]{1,4}", re.ASCII)
_MEMBERS: Final = frozenset({"version", "notes", "prefixes", "moved_2018"})


class Carrier(StrEnum):
    """The mobile networks of Vietnam."""

    VIETTEL = "viettel"
    VINAPHONE = "vinaphone"
    MOBIFONE = "mobifone"
    VIETNAMOBILE = "vietnamobile"
    GMOBILE = "gmobile"
    ITEL = "itel"
    WINTEL = "wintel"


@dataclass(frozen=True, slots=True)
class NumberTable:
    """Mobile prefixes with their carriers, and the prefixes that moved in 2018.

    Shapes: prefixes {"091": Carrier.VINAPHONE, …} and moved_2018 {"0162": "032", …}, as written within the country.
    The other fields follow from them: `width` digits after the leading 0 decide, and `at_home`, `abroad` and
    `abroad_plus` hold every accepted beginning of the three usual spellings.
    """

    version: date
    prefixes: Mapping[str, Carrier | None]
    moved_2018: Mapping[str, str]
    width: int = field(init=False)
    carriers: Mapping[str, Carrier | None] = field(init=False)
    at_home: frozenset[str] = field(init=False)
    abroad: frozenset[str] = field(init=False)
    abroad_plus: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        width = max(map(len, self.prefixes)) - 1
        carriers = _spread(self.prefixes, width)
        for name, value in (
            ("width", width),
            ("carriers", carriers),
            ("at_home", frozenset("0" + head for head in carriers)),
            ("abroad", frozenset("84" + head for head in carriers)),
            ("abroad_plus", frozenset("+84" + head for head in carriers)),
        ):
            object.__setattr__(self, name, value)


def _spread(prefixes: Mapping[str, Carrier | None], width: int) -> dict[str, Carrier | None]:
    """Give every beginning of `width` digits the carrier of its longest prefix."""
    carriers: dict[str, Carrier | None] = {}
    for prefix in sorted(prefixes, key=len):
        head = prefix[1:]
        for tail in product("0123456789", repeat=width - len(head)):
            carriers[head + "".join(tail)] = prefixes[prefix]
    return carriers


def load_table(path: Path) -> NumberTable:
    """Read a table from a JSON file of the shape of `vietnam.json`.

    Errors: ConfigError saying what in the file is wrong.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"number table {path}: cannot be read: {error}") from error
    try:
        return _build(data)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"number table {path}: {error}") from error


def _build(data: Any) -> NumberTable:
    if not isinstance(data, dict) or not data.keys() <= _MEMBERS:
        raise ValueError(f"a JSON object with the members {', '.join(sorted(_MEMBERS))} is needed, and no others")
    prefixes = {_prefix(written): _carrier(name) for written, name in _mapping(data, "prefixes").items()}
    if not prefixes:
        raise ValueError("prefixes is empty: no number would be accepted")
    moved = {_prefix(old): _prefix(new) for old, new in _mapping(data, "moved_2018").items()}
    for old, new in moved.items():
        if len(old) != 4 or len(new) != 3 or new not in prefixes:
            raise ValueError(f"moved_2018 {old} -> {new}: four digits, and three that stand in prefixes, are needed")
    version = data.get("version")
    if not isinstance(version, str):
        raise TypeError("version is needed, a date such as 2026-11-01")
    return NumberTable(date.fromisoformat(version), prefixes, moved)


def _mapping(data: dict[str, Any], member: str) -> dict[str, Any]:
    value = data.get(member, {})
    if not isinstance(value, dict):
        raise TypeError(f"{member} has to be a JSON object")
    return value


def _prefix(written: object) -> str:
    if not isinstance(written, str) or not _PREFIX.fullmatch(written):
        raise ValueError(f"prefix {written!r}: a 0 and two to five more digits are needed, the first of them not 0")
    return written


def _carrier(name: object) -> Carrier | None:
    if name is None:
        return None
    try:
        return Carrier(str(name))
    except ValueError:
        raise ValueError(f"carrier {name!r} is none of {', '.join(Carrier)}; null means unknown") from None


VIETNAM: Final = load_table(Path(__file__).with_name("vietnam.json"))
"""The table that comes with Loa."""
