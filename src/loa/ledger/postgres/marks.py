"""Low watermarks: from which due time on a lane, or the callbacks of an endpoint, are worth looking at.

A claim deletes queue rows from the front of a lane, and until vacuum comes every later claim would step over all of
them again; where somebody holds a snapshot open, vacuum cannot come. So a claim starts where the last one ended. What
may come in below that, by another process, is found by a sweep of the whole lane, which is made rarer the longer it
takes.
"""

from dataclasses import dataclass
from typing import Final

LOOK_BACK_MS: Final = 300
"""How far behind the present a mark stays: clocks differ, and a row becomes visible after its due time."""
SWEEP_S: Final = 1.0
SWEEP_SHARE: Final = 20
"""A sweep may take one part in so many of the time."""


CALLBACKS: Final = -1
"""What stands in the place of the class for the callbacks of an endpoint."""

Key = tuple[int, int]
"""A lane: channel and class; or an endpoint and CALLBACKS."""


@dataclass(slots=True)
class _Mark:
    low: int = 0
    sweep_at: float = 0.0


class Marks:
    """The marks of one process. Units: due times in milliseconds, moments in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._marks: dict[Key, _Mark] = {}

    def start(self, key: Key, moment: float) -> int:
        """Give the due time from which to look; 0 where a sweep is due."""
        mark = self._marks.setdefault(key, _Mark())
        return 0 if moment >= mark.sweep_at else mark.low

    def swept(self, key: Key, moment: float, took_s: float) -> None:
        """Note that everything was looked through from its beginning."""
        self._marks.setdefault(key, _Mark()).sweep_at = moment + max(SWEEP_S, SWEEP_SHARE * took_s)

    def reached(self, key: Key, due_at: int | None, now: int) -> None:
        """Note up to which due time a claim took everything; None: up to now."""
        limit = now - LOOK_BACK_MS
        self._marks.setdefault(key, _Mark()).low = limit if due_at is None else min(due_at, limit)

    def lower(self, key: Key, due_at: int) -> None:
        """Note that a row came in that is due earlier than where the next claim would start."""
        mark = self._marks.get(key)
        if mark is not None and due_at < mark.low:
            mark.low = due_at

    def of(self, kind: int) -> list[int]:
        """Name the channels or endpoints that have a mark of a kind."""
        return [number for number, known in self._marks if known == kind]
