"""A callback as it goes over the wire, composed again by what posts it."""

from dataclasses import dataclass
from typing import Protocol

from loa.ports.records import DueCallback


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request: its first line, its headers in order, its body, and one signature for each secret, current first.

    Where no secret opens there is no signature, and no header of one.
    """

    line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    number: str
    timestamp: int
    signatures: tuple[str, ...]


class Exchanges(Protocol):
    """Composes requests."""

    def composed(self, told: DueCallback, at: int) -> Exchange:
        """Compose what is posted of a callback at a time; `told.tries` counts the tries before it."""
        ...
