"""Waiting until counters say so, without polling: for tests and for the command line."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Seen = TypeVar("Seen")


class Waits(Generic[Seen]):
    """Wakes those who wait for a condition on one value; `changed` must be called after each change of it."""

    __slots__ = ("_seen", "_waiting")

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._waiting: list[tuple[Callable[[Seen], bool], asyncio.Future[None]]] = []

    async def until(self, condition: Callable[[Seen], bool]) -> None:
        """Return once the condition holds."""
        if condition(self._seen):
            return
        entry = (condition, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        try:
            await entry[1]
        finally:
            self._waiting.remove(entry)

    def changed(self) -> None:
        """Let those go whose condition holds now."""
        if self._waiting:
            for condition, future in self._waiting:
                if not future.done() and condition(self._seen):
                    future.set_result(None)
