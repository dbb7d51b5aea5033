"""What was counted of new submissions and events, and from where to where: the same for both engines."""

from dataclasses import dataclass

from loa.domain.figures import Count


@dataclass(frozen=True, slots=True)
class Reckoning:
    """Counts that are to be written, and how far all is counted before and after.

    `due`: there is something to write. `more`: there is still more to count.

    Shapes: a position is the last submission and the last event that are counted; in a ledger that is shared the
    transaction and the event.
    """

    begin: tuple[int, int]
    end: tuple[int, int]
    counts: tuple[Count, ...]
    due: bool
    more: bool
