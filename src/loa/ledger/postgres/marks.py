"""Low watermarks: from which due time on a lane is worth looking at.

A claim deletes queue rows from the front of a lane, and until vacuum comes every later claim would step over all of
them again; where somebody holds a snapshot open, vacuum cannot come. So a claim starts where the last one ended. What
may come in below that, by another process, is found by a sweep of the whole lane, which is made rarer the longer it
takes.
"""

from dataclasses import dataclass
from typing import Final

LOOK_BACK_MS: Final = 2_000
"""How far behind the present a mark stays: clocks differ, and a row becomes visible after its due time."""
SWEEP_S: Final = 1.0
SWEEP_SHARE: Final = 20
"""A sweep may take one part in so many of the time."""


@dataclass(slots=True)
class _Lane:
    low: int = 0
    sweep_at: float = 0.0


class Marks:
    """The marks of one process. Units: due times in milliseconds, moments in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[int, int], _Lane] = {}

    def start(self, channel_id: int, traffic_class: int, moment: float) -> int:
        """Give the due time from which to look; 0 where a sweep is due."""
        lane = self._lanes.setdefault((channel_id, traffic_class), _Lane())
        return 0 if moment >= lane.sweep_at else lane.low

    def swept(self, channel_id: int, traffic_class: int, moment: float, took_s: float) -> None:
        """Note that a lane was looked through from its beginning."""
        lane = self._lanes.setdefault((channel_id, traffic_class), _Lane())
        lane.sweep_at = moment + max(SWEEP_S, SWEEP_SHARE * took_s)

    def reached(self, channel_id: int, traffic_class: int, due_at: int | None, now: int) -> None:
        """Note up to which due time a claim took everything; None: up to now."""
        lane = self._lanes.setdefault((channel_id, traffic_class), _Lane())
        limit = now - LOOK_BACK_MS
        lane.low = limit if due_at is None else min(due_at, limit)

    def lower(self, channel_id: int, traffic_class: int, due_at: int) -> None:
        """Note that a row came in that is due earlier than where the next claim would start."""
        lane = self._lanes.get((channel_id, traffic_class))
        if lane is not None and due_at < lane.low:
            lane.low = due_at
