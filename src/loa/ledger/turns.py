"""Taking turns: one of each in turn, so that none waits for another's backlog."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def round_robin(lists: Sequence[Sequence[T]]) -> list[T]:
    """Take one of each list in turn until all are empty."""
    if len(lists) == 1:
        return list(lists[0])
    longest = max(map(len, lists), default=0)
    return [found[i] for i in range(longest) for found in lists if i < len(found)]
