"""A secret: it prints as stars everywhere, and gives its value only when asked by name."""

from typing import Final

STARS: Final = "********"


class Secret:
    """A value that logs, tracebacks, f-strings and configuration dumps show as stars.

    False when empty, so that `if secret` tells whether one was set.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the value; the one place where it leaves."""
        return self._value

    def __repr__(self) -> str:
        return STARS if self._value else "(not set)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))
