"""Message ids and the ways SMSCs spell the same one."""

from collections.abc import Callable
from typing import Final

from loa.simulators.smsc.script import IdStyle

_SPELLINGS: Final[dict[IdStyle, Callable[[int], str]]] = {
    "decimal": str,
    "hex": lambda number: f"{number:x}",
    "hex_upper": lambda number: f"{number:X}",
    "padded": lambda number: f"{number:020d}",
    "hex_padded": lambda number: f"{number:016x}",
    "opaque": lambda number: f"m{number:x}-q",
}


def spell(number: int, style: IdStyle) -> str:
    """Spell an id."""
    return _SPELLINGS[style](number)


def first_number(now: int) -> int:
    """Give a first id that no earlier run below 100,000 submits a second has used. Units: now in milliseconds."""
    return now // 1000 * 100_000
