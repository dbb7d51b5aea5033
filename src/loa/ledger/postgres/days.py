"""Days: ids carry theirs, history has a partition for each."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

DAY_MS: Final = 86_400_000
SHIFT: Final = 48
INDEX_BITS: Final = 17
"""Room for the messages of one submission in the lower bits of its id: 131,072 destinations."""
IMPORTED_END: Final = 1 << SHIFT
"""Ids below it came from an embedded ledger and carry no day."""
AHEAD: Final = 3


def day_of(at: int) -> int:
    """Give the day of a time, in days since 1970. Units: milliseconds."""
    return at // DAY_MS


def day_of_id(number: int) -> int:
    """Give the day an id carries."""
    return number >> SHIFT


def first_id(day: int) -> int:
    """Give the lowest id of a day."""
    return day << SHIFT


def submission_id(accepted_at: int, number: int) -> int:
    """Give the id of the `number`-th submission; its messages have the ids that follow."""
    return first_id(day_of(accepted_at)) | (number << INDEX_BITS)


class Days:
    """The days whose partitions are known to be there. `make` makes those of one day, or finds them made."""

    def __init__(self, make: Callable[[int], Awaitable[None]], known: Iterable[int] = ()) -> None:
        self._make = make
        self._known: set[int] = set(known)
        self._turn = asyncio.Lock()

    async def ensure(self, times: Iterable[int]) -> None:
        """Have a partition for the day of each time. Errors: StorageError. Units: milliseconds."""
        missing = {day_of(at) for at in times} - self._known
        if not missing:
            return
        async with self._turn:
            for day in missing - self._known:
                await self._make(day)
                self._known.add(day)

    def knows(self, day: int) -> bool:
        """Tell whether a day is known to be there."""
        return day in self._known

    def note(self, day: int) -> None:
        """Note that a day was found to be there."""
        self._known.add(day)

    def forget(self) -> None:
        """Forget what is known: days were dropped, here or by another process."""
        self._known.clear()
