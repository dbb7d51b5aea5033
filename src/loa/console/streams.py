"""How many streams each user has open: one who opens more and more must not take the server for themselves."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

AT_MOST: Final = 6
"""Streams of one user. Browsers open no more to one host over HTTP/1.1."""


def _never() -> bool:
    return False


class Streams:
    """The open streams of this process. `ending`: whether it stops, for which it must not wait for a page left open."""

    def __init__(self, ending: Callable[[], bool] = _never) -> None:
        self.ending = ending
        self._open: Counter[int] = Counter()

    def full(self, user_id: int) -> bool:
        """Tell whether a user has as many as may be."""
        return self._open[user_id] >= AT_MOST

    @contextmanager
    def held(self, user_id: int) -> Iterator[bool]:
        """Count one as open until the block ends; False where there are too many."""
        free = not self.full(user_id)
        self._open[user_id] += free
        try:
            yield free
        finally:
            self._open[user_id] -= free
