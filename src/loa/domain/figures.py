"""Figures: what became of messages, counted in spans of time, and what can be told from the counts. Pure.

Everything is counted at the time its message was accepted, so that a figure and the list of the messages that make it
up are the same ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

from loa.domain.cost import Tried, charges_of, total
from loa.domain.standing import ARRIVED

MINUTE_MS: Final = 60_000
QUARTER_MS: Final = 15 * MINUTE_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
GRAINS_MS: Final = (MINUTE_MS, QUARTER_MS, HOUR_MS)
"""How long the spans are that are counted in. Every count stands once in each grain."""
KEPT_MS: Final[Mapping[int, int]] = {MINUTE_MS: 2 * DAY_MS, QUARTER_MS: 9 * DAY_MS}
"""How long the spans of a grain are kept: the range it is shown for, and as much before it as that is compared with.
Those of an hour are kept as long as the history they count."""


class Kind(IntEnum):
    """What is counted. The numbers are stored; never renumber.

    ACCEPTED: messages. ENDED: messages whose last told state is `code`, with its error. HANDED_OVER, DELIVERED:
    messages whose time from when they were due to then falls in the span that begins at `code`. SPEND: VND.
    QUEUE_AGE: the longest wait seen in a lane, in milliseconds.
    """

    ACCEPTED = 0
    ENDED = 1
    HANDED_OVER = 2
    DELIVERED = 3
    SPEND = 4
    QUEUE_AGE = 5


HOUSE: Final = 0
"""Whose figures those are that belong to no tenant: queue ages."""


class Count(NamedTuple):
    """One count, as it is written. Units: `at` milliseconds since the epoch."""

    tenant_id: int
    at: int
    kind: int
    traffic_class: int
    channel_id: int
    code: int
    error: str
    amount: int


class Bill(NamedTuple):
    """What messages in one minute cost that all have the same plan, state, flags and attempts.

    `former_state`: what was told of them before, None for nothing. `tried`: channel and outcome of each attempt, as
    `1 accepted,2 unknown`.
    """

    tenant_id: int
    at: int
    traffic_class: int
    channel_id: int
    plan: str
    state: int
    flags: int
    former_state: int | None
    former_flags: int | None
    tried: str | None
    messages: int


def spend(bills: Iterable[Bill]) -> list[Count]:
    """Give what bills come to; where something was told of the messages before, by how much more that is."""
    counts = []
    for bill in bills:
        cost = _cost(bill.plan, bill.state, bill.flags, bill.tried or "")
        if bill.former_state is not None:
            cost -= _cost(bill.plan, bill.former_state, bill.former_flags or 0, bill.tried or "")
        if cost:
            amount = cost * bill.messages
            counts.append(
                Count(bill.tenant_id, bill.at, Kind.SPEND, bill.traffic_class, bill.channel_id, 0, "", amount)
            )
    return counts


@lru_cache(maxsize=4_096)
def _cost(plan: str, state: int, flags: int, tried: str) -> int:
    """Give the cost; where an attempt before the last one arrived, all before it count as arrived."""
    pairs = [each.split(" ") for each in tried.split(",")] if tried else []
    last = len(pairs) - 1
    attempts = [
        Tried(int(channel_id), outcome, bool(flags & ARRIVED) and place < last)
        for place, (channel_id, outcome) in enumerate(pairs)
    ]
    return total(charges_of(plan, state, flags, attempts))


def floor_ms(at: int, grain_ms: int) -> int:
    """Give the beginning of the span that a time falls in."""
    return at // grain_ms * grain_ms


def width_ms(code: int) -> int:
    """Give how long the span of waits is that begins at `code`: waits are counted by their first digit."""
    return int(10 ** (len(str(code)) - 1))


def quantile(counts: Mapping[int, int], share: float) -> int | None:
    """Give the wait that a share of all did not exceed, None where nothing was counted. Units: milliseconds.

    Within a span waits are taken to lie evenly.
    """
    spans: Sequence[tuple[int, int]] = [(code, n) for code, n in sorted(counts.items()) if n > 0]
    wanted = share * sum(n for _, n in spans)
    if not wanted:
        return None
    for code, n in spans:
        if n >= wanted:
            return round(code + width_ms(code) * wanted / n)
        wanted -= n
    code, _ = spans[-1]
    return code + width_ms(code)
