"""Days: ids carry theirs, history has a partition for each."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from loa.errors import StorageUnavailable

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


def day_start(message_id: int) -> int:
    """Give the lowest id of what can have happened to a message: nothing of it is older than its day."""
    return first_id(day_of_id(message_id))


def submission_id(accepted_at: int, number: int) -> int:
    """Give the id of the `number`-th submission; its messages have the ids that follow."""
    return first_id(day_of(accepted_at)) | (number << INDEX_BITS)


def _hear(making: "asyncio.Task[None]") -> None:
    """Take note of how a making ended, for it may be that nobody waits for it any more."""
    if not making.cancelled():
        making.exception()


class Days:
    """The days whose partitions are known to be there. `make` makes those of one day, or finds them made.

    `wait_s`: how long a caller waits for that; it goes on without him.
    """

    def __init__(self, make: Callable[[int], Awaitable[None]], known: Iterable[int] = (), wait_s: float = 1.0) -> None:
        self._make = make
        self._wait_s = wait_s
        self._known: set[int] = set(known)
        self._making: dict[int, asyncio.Task[None]] = {}

    async def ensure(self, times: Iterable[int]) -> None:
        """Have a partition for the day of each time. Errors: StorageError. Units: milliseconds."""
        for day in {day_of(at) for at in times} - self._known:
            # All who wait for a day wait for one making of it, and where that fails it fails for all of them.
            making = self._making.get(day)
            if making is None:
                making = self._making[day] = asyncio.create_task(self._make_one(day))
                making.add_done_callback(_hear)
            try:
                await asyncio.wait_for(asyncio.shield(making), self._wait_s)
            except TimeoutError:
                raise StorageUnavailable("the tables of the day are still being made") from None

    async def _make_one(self, day: int) -> None:
        try:
            await self._make(day)
            self._known.add(day)
        finally:
            del self._making[day]

    def knows(self, day: int) -> bool:
        """Tell whether a day is known to be there."""
        return day in self._known

    def note(self, day: int) -> None:
        """Note that a day was found to be there."""
        self._known.add(day)

    def forget(self) -> None:
        """Forget what is known: days were dropped, here or by another process."""
        self._known.clear()
