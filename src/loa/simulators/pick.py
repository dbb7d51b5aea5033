"""Which of many are meant: a part of every script."""

from dataclasses import dataclass

from pydantic import ConfigDict


@dataclass(frozen=True, slots=True)
class Pick:
    """Picks by number, counted from 1, and by destination; an empty one picks nothing.

    `first`: the first n. `every`: each n-th. `numbers`: these. `after`: all beyond n. Any of the four is enough.
    `destination`: only those whose destination ends with these digits; alone it picks each of them.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    first: int = 0
    every: int = 0
    numbers: tuple[int, ...] = ()
    after: int = 0
    destination: str = ""

    def __bool__(self) -> bool:
        """Say whether anything can be picked at all."""
        return self != NOTHING

    def picks(self, number: int, destination: str = "") -> bool:
        """Say whether this one is meant."""
        if self.destination and not destination.endswith(self.destination):
            return False
        if not (self.first or self.every or self.numbers or self.after):
            return bool(self.destination)
        return (
            number <= self.first
            or (self.every > 0 and number % self.every == 0)
            or number in self.numbers
            or 0 < self.after < number
        )


NOTHING = Pick()
ALL = Pick(every=1)
