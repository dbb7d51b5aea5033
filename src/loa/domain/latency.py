"""How long receipts of a channel and class usually take: counted in a few spans, so that old days fade. Pure."""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Final, NamedTuple

from loa.domain.traffic import TrafficClass

SPANS_S: Final = (1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200, 300, 450, 700, 1_000, 1_500, 2_300, 3_600)
"""The ends of the spans; what took longer counts to the last."""
SHARE: Final = 0.95
"""So many of the receipts that come at all have come when a step is given up."""
SAMPLES_MIN: Final = 50
KEPT_MAX: Final = 5_000
"""Counts of a channel and class are halved when they come to more, so that yesterday weighs less than today."""


class Wait(NamedTuple):
    """One kind of wait: from hand-over to the receipt that proves delivery. `span`: index into SPANS_S."""

    channel_id: int
    traffic_class: int
    span: int


def span_of(waited_ms: int) -> int:
    """Give the span that a time falls in."""
    return min(bisect_left(SPANS_S, waited_ms / 1000), len(SPANS_S) - 1)


def usual_s(counts: Mapping[int, int]) -> int | None:
    """Give within how many seconds receipts usually came, None where too few are known. Shapes: counts by span."""
    total = sum(counts.values())
    if total < SAMPLES_MIN:
        return None
    seen = 0
    for span in sorted(counts):
        seen += counts[span]
        if seen >= total * SHARE:
            return SPANS_S[span]
    return SPANS_S[-1]


def learned(waits: Mapping[Wait, int]) -> dict[tuple[int, TrafficClass], int]:
    """Give the usual time of each channel and class that is known well enough. Units: seconds."""
    grouped: dict[tuple[int, int], dict[int, int]] = {}
    for wait, count in waits.items():
        grouped.setdefault((wait.channel_id, wait.traffic_class), {})[wait.span] = count
    found = {key: usual_s(counts) for key, counts in grouped.items()}
    return {(channel, TrafficClass(number)): usual for (channel, number), usual in found.items() if usual is not None}
