"""What the overview shows of the figures: ranges of time, tiles, charts with their tables. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loa.domain.figures import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS, Kind, floor_ms, quantile
from loa.domain.lifecycle import State
from loa.ports.records import Row

ENDS: Final[Mapping[str, tuple[State, ...]]] = {
    "delivered": (State.DELIVERED,),
    "failed": (State.UNDELIVERED, State.REJECTED, State.EXPIRED),
    "unknown": (State.UNKNOWN,),
    "cancelled": (State.CANCELLED,),
}
"""What messages come to, each with the states of the list behind it."""
WAITING: Final = (State.QUEUED, State.SENDING, State.SENT)
_END_OF: Final = {state: name for name, states in ENDS.items() for state in states}
TONES: Final = {"delivered": "good", "failed": "bad", "unknown": "warn", "cancelled": "soft", "waiting": "edge"}
CLASS_TONES: Final = {"otp": "accent", "transactional": "good", "advertising": "warn"}
LANE_TONES: Final = ("accent", "good", "warn", "bad", "soft", "edge")
ERRORS_SHOWN: Final = 5
_P50, _P95 = 0.5, 0.95


@dataclass(frozen=True, slots=True)
class Range:
    """A range of time that can be chosen. `back_ms`: how far before it that is compared with; `rows`: of its tables."""

    name: str
    grain_ms: int
    spans: int
    back_ms: int
    compared: str
    rows: int


RANGES: Final = {
    each.name: each
    for each in (
        Range("1h", MINUTE_MS, 60, DAY_MS, "day", 12),
        Range("24h", QUARTER_MS, 96, DAY_MS, "day", 12),
        Range("7d", HOUR_MS, 168, 7 * DAY_MS, "week", 7),
    )
}
STANDARD: Final = "24h"


@dataclass(frozen=True, slots=True)
class Span:
    """A range as it lies now: whole spans, the last of which goes on. Units: milliseconds since the epoch."""

    chosen: Range
    since: int
    until: int

    @classmethod
    def up_to(cls, chosen: Range, now: int) -> "Span":
        """Give the range that ends with the span of now."""
        until = floor_ms(now, chosen.grain_ms) + chosen.grain_ms
        return cls(chosen, until - chosen.spans * chosen.grain_ms, until)

    @property
    def times(self) -> range:
        """When its spans begin."""
        return range(self.since, self.until, self.chosen.grain_ms)

    @property
    def parts(self) -> list[tuple[int, int]]:
        """The spans of a table: fewer and longer."""
        step = (self.until - self.since) // self.chosen.rows
        return [(at, at + step) for at in range(self.since, self.until, step)]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart. `key`: of its name; `more`: the key of what follows it; `named`: what stands before it."""

    key: str
    tone: str
    values: Sequence[int | None]
    dashed: bool = False
    more: str = ""
    named: str = ""

    @property
    def written(self) -> str:
        """The values as they stand in the page; empty where there is none."""
        return " ".join("-" if value is None else str(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. `kind`: how it is drawn; `ms`: whether its values are times."""

    name: str
    kind: str
    lines: Sequence[Line]
    ms: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value for line in self.lines for value in line.values)


def sums(rows: Iterable[Row]) -> Counter[str]:
    """Add up what messages came to: by the names of ENDS, `accepted`, `spend`, and `ended` for all that ended."""
    counts: Counter[str] = Counter()
    for row in rows:
        if row["kind"] == Kind.ENDED:
            counts[_END_OF[State(row["code"])]] += row["count"] if row["code"] != State.SENT else 0
        elif row["kind"] == Kind.ACCEPTED:
            counts["accepted"] += row["count"]
        elif row["kind"] == Kind.SPEND:
            counts["spend"] += row["count"]
    counts["ended"] = sum(counts[name] for name in ENDS)
    return counts


def top_errors(rows: Iterable[Row]) -> list[tuple[str, str, str, int]]:
    """Give the commonest errors: code, channel, state, count."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        if row["kind"] == Kind.ENDED and row["error"]:
            counts[row["error"], row["channel"], State(row["code"]).label] += row["count"]
    return [(*which, count) for which, count in counts.most_common(ERRORS_SHOWN) if count > 0]


def by_channel(rows: Iterable[Row]) -> dict[str, Counter[str]]:
    """Add up what messages came to, by the channel of the end."""
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["kind"] == Kind.ENDED:
            grouped[row["channel"]].append(row)
    return {name: sums(each) for name, each in grouped.items()}


def counts_at(rows: Iterable[Row], times: Sequence[int]) -> dict[str, list[int]]:
    """Give what was accepted and what it came to, span by span; `waiting` is what has not ended."""
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["at"]].append(row)
    found: dict[str, list[int]] = {name: [] for name in ("accepted", *ENDS, "waiting")}
    for at in times:
        added = sums(grouped[at])
        added["waiting"] = added["accepted"] - added["ended"]
        for name, values in found.items():
            values.append(max(0, added[name]))
    return found


def charts(rows: Sequence[Row], ages: Iterable[Row], names: Mapping[int, str], span: Span) -> list[Chart]:
    """Lay out the charts of a range. `ages`: figures of queue ages; `names`: of channels."""
    times = span.times
    counts = counts_at(rows, times)
    stacked = [Line(f"figure.{name}", tone, counts[name]) for name, tone in TONES.items() if any(counts[name])]
    return [
        Chart("accepted", "bars", [Line("figure.accepted", "accent", counts["accepted"])]),
        Chart("outcomes", "stack", stacked),
        Chart("latency", "lines", latency_lines(rows, times), ms=True),
        Chart("ages", "lines", age_lines(ages, names, times), ms=True),
    ]


def latency_lines(rows: Iterable[Row], times: Sequence[int]) -> list[Line]:
    """Give how long delivery took of each class: what half and what 95 of 100 did not exceed."""
    waits: dict[str, dict[int, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        if row["kind"] == Kind.DELIVERED:
            waits[row["class"]][row["at"]][row["code"]] = row["count"]
    return [
        Line(
            f"class.{name}",
            CLASS_TONES[name],
            [quantile(waits[name].get(at, {}), share) for at in times],
            dashed=share == _P95,
            more=f"latency.{'p95' if share == _P95 else 'p50'}",
        )
        for name in CLASS_TONES
        if name in waits
        for share in (_P50, _P95)
    ]


def latencies(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Give the waits of each class over the whole range: until handed over, until delivered."""
    waits: dict[tuple[str, int], Counter[int]] = defaultdict(Counter)
    for row in rows:
        if row["kind"] in {Kind.HANDED_OVER, Kind.DELIVERED}:
            waits[row["class"], row["kind"]][row["code"]] += row["count"]
    return [
        {
            "class": name,
            "handed_over": [quantile(waits[name, Kind.HANDED_OVER], share) for share in (_P50, _P95)],
            "delivered": [quantile(waits[name, Kind.DELIVERED], share) for share in (_P50, _P95)],
        }
        for name in CLASS_TONES
        if waits[name, Kind.HANDED_OVER] or waits[name, Kind.DELIVERED]
    ]


def age_lines(rows: Iterable[Row], names: Mapping[int, str], times: Sequence[int]) -> list[Line]:
    """Give the longest wait in each lane, those that waited longest first; a lane without messages waits for none."""
    found: dict[tuple[int, str], dict[int, int]] = defaultdict(dict)
    for row in rows:
        if row["kind"] == Kind.QUEUE_AGE:
            found[row["channel_id"], row["class"]][row["at"]] = row["count"]
    worst = sorted(found, key=lambda lane: -max(found[lane].values()))[: len(LANE_TONES)]
    return [
        Line(
            f"class.{lane[1]}",
            tone,
            [found[lane].get(at, 0) for at in times],
            named=names.get(lane[0], str(lane[0])),
        )
        for lane, tone in zip(worst, LANE_TONES, strict=False)
    ]


def table(rows: Sequence[Row], span: Span) -> list[dict[str, Any]]:
    """Give the counts in fewer and longer spans, newest first."""
    counts = counts_at(rows, span.times)
    width = len(span.times) // span.chosen.rows
    made = [
        {"since": since, "until": until}
        | {name: sum(each[n * width : (n + 1) * width]) for name, each in counts.items()}
        for n, (since, until) in enumerate(span.parts)
    ]
    return made[::-1]
