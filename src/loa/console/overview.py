"""The first screen: how messages fare, how channels stand, what waits and what goes wrong."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from loa.console import figures
from loa.console.channels import Card, cards
from loa.console.figures import ENDS, RANGES, STANDARD, WAITING, Span
from loa.console.formats import field_time
from loa.console.pages import render
from loa.console.parts import Parts
from loa.console.place import Place, place_of
from loa.domain.figures import HOUSE
from loa.ports.records import MessageFilter, Row

UNKNOWN_AT_MOST: Final = 1_000
"""How many messages that wait for evidence are counted one by one."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One number, with the list behind it. `value`: what it counts; `before`: the same in the time compared with.

    `shown`: how it is written: count, share (of what ended), money or age.
    """

    name: str
    value: int
    states: tuple[str, ...] = ()
    tone: str = "plain"
    shown: str = "count"
    share: float | None = None
    before: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the checklist of a new installation."""

    name: str
    done: bool
    command: str


async def overview(request: Request, parts: Parts) -> Response:
    """Show the overview of a tenant; of one that has sent nothing yet, what is left to do."""
    place = await place_of(request, parts)
    channels = await parts.ledger.channels()
    names = {each.id: each.name for each in channels}
    now = parts.clock.now()
    chosen = RANGES.get(request.query_params.get("range", ""), RANGES[STANDARD])
    span = Span.up_to(chosen, now)
    lanes = await _lanes(parts, names, now)
    read = await _read(parts, place, span)
    return render(
        request,
        "overview.html",
        **place.values(),
        period=span,
        since=field_time(span.since),
        ranges=RANGES,
        tiles=tiles(read, max((lane["age"] for lane in lanes), default=0)),
        charts=figures.charts(read.series, read.ages, names, span),
        rows=_linked(figures.table(read.series, span)),
        latencies=figures.latencies(read.series),
        ends={name: [state.label for state in states] for name, states in ENDS.items()},
        errors=figures.top_errors(read.sums),
        lanes=lanes,
        cards=_with_figures(cards(channels, parts.channel_states()), figures.by_channel(read.sums)),
        tasks=[] if read.any_message else await _tasks(parts, place),
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """What was read. `before`: the sums of the time compared with, empty where nothing is known of it."""

    series: Sequence[Row] = ()
    sums: Sequence[Row] = ()
    before: Sequence[Row] = ()
    ages: Sequence[Row] = ()
    waiting_unknown: int = 0
    any_message: bool = False


async def _read(parts: Parts, place: Place, span: Span) -> Figures:
    if place.tenant is None:
        return Figures()
    ledger, tenant_id, grain_ms = parts.ledger, place.tenant.id, span.chosen.grain_ms
    earlier = span.since - span.chosen.back_ms
    return Figures(
        series=await ledger.figure_series(tenant_id, grain_ms, span.since, span.until),
        sums=await ledger.figure_sums(tenant_id, grain_ms, span.since, span.until),
        before=await ledger.figure_sums(tenant_id, grain_ms, earlier, span.until - span.chosen.back_ms),
        ages=await ledger.figure_series(HOUSE, grain_ms, span.since, span.until),
        waiting_unknown=await ledger.unknown_waiting(tenant_id, span.since, UNKNOWN_AT_MOST),
        any_message=bool(await ledger.messages(tenant_id, MessageFilter(), None, 1)),
    )


def tiles(read: Figures, oldest_ms: int) -> list[Tile]:
    """Lay out the tiles: what was accepted and what it came to, each beside the same time before."""
    now, then = figures.sums(read.sums), figures.sums(read.before)
    unknown = now["unknown"] + read.waiting_unknown
    waiting = max(0, now["accepted"] - now["ended"] - read.waiting_unknown)
    known = bool(read.before)

    def before(value: float) -> float | None:
        return value if known else None

    return [
        Tile("accepted", now["accepted"], before=before(then["accepted"])),
        Tile(
            "delivered",
            now["delivered"],
            _labels("delivered"),
            "good" if now["delivered"] else "plain",
            "share",
            _share(now),
            before=_share(then) if known else None,
        ),
        Tile("waiting", waiting, tuple(state.label for state in WAITING)),
        Tile("unknown", unknown, _labels("unknown"), "warn" if unknown else "plain", before=before(then["unknown"])),
        Tile(
            "failed",
            now["failed"],
            _labels("failed"),
            "bad" if now["failed"] else "plain",
            before=before(then["failed"]),
        ),
        Tile("age", oldest_ms, ("queued",), shown="age"),
        Tile("spend", now["spend"], shown="money", before=before(then["spend"])),
    ]


def _labels(name: str) -> tuple[str, ...]:
    return tuple(state.label for state in ENDS[name])


def _share(counts: Counter[str]) -> float | None:
    """Give how much of what ended was delivered; what the tenant took back counts for neither."""
    ended = counts["ended"] - counts["cancelled"]
    return 100 * counts["delivered"] / ended if ended > 0 else None


def _linked(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "from": field_time(row["since"]), "to": field_time(row["until"])} for row in rows]


def _with_figures(
    made: Sequence[Card], counts: Mapping[str, Counter[str]]
) -> list[tuple[Card, Counter[str], float | None]]:
    found = [(card, counts.get(card.name, Counter())) for card in made]
    return [(card, each, _share(each)) for card, each in found]


async def _lanes(parts: Parts, names: Mapping[int, str], now: int) -> list[dict[str, Any]]:
    rows = [
        {
            "channel": names.get(row["channel_id"], str(row["channel_id"])),
            "class": row["class"],
            "count": row["count"],
            "age": max(0, now - row["oldest_due_at"]) if row["oldest_due_at"] else 0,
        }
        for row in await parts.ledger.depths()
    ]
    return sorted(rows, key=lambda row: -row["age"])


async def _tasks(parts: Parts, place: Place) -> list[Task]:
    ledger, tenant = parts.ledger, place.tenant
    owner = None if tenant is None else tenant.id
    return [
        Task("channel", bool(await ledger.channels()), "loa channels add"),
        Task("sender", any(each.tenant_id == owner for each in await ledger.senders()), "loa senders add"),
        Task("route", any(each.tenant_id == owner for each in await ledger.routes()), "loa routes add"),
        Task("key", any(each.tenant_id == owner for each in await ledger.keys()), "loa keys create"),
        Task("message", False, "loa send"),
    ]
