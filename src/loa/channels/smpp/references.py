"""Reference numbers that join the segments of a long message: a counter per destination.

A handset joins segments by sender and reference, so two long messages to one destination must not share one. The
counters are bounded; a destination that was forgotten starts at a random place.
"""

import random
from collections import OrderedDict
from typing import Final

KEPT: Final = 65_536


class References:
    """The counters of one channel."""

    __slots__ = ("_kept", "_last")

    def __init__(self, kept: int = KEPT) -> None:
        self._last: OrderedDict[int, int] = OrderedDict()
        self._kept = kept

    def next(self, destination: int) -> int:
        """Give the next reference for a destination. Shapes: 0..65535; an 8-bit header takes the low octet."""
        last = self._last.pop(destination, None)
        reference = random.randrange(65_536) if last is None else (last + 1) & 0xFFFF
        self._last[destination] = reference
        if len(self._last) > self._kept:
            self._last.popitem(last=False)
        return reference
