"""Balance: what messages cost so far, what providers say is left, and plainly what nobody knows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from loa.console.formats import ZONE, field_time
from loa.console.pages import link, render
from loa.console.parts import Parts
from loa.console.place import Place, place_of
from loa.domain.figures import HOUR_MS, Kind
from loa.ports.records import ChannelRecord, Row

PATH: Final = "/console/balance"
PRICE: Final = "price"


@dataclass(slots=True)
class Spent:
    """What a channel and class came to: messages whose outcome was told, and what is owed in VND."""

    messages: int = 0
    owed: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A day or a month so far. `since`: as a filter of messages has it."""

    name: str
    since: str
    sums: dict[tuple[str, str], Spent]

    @property
    def owed(self) -> int:
        """All that is owed."""
        return sum(each.owed for each in self.sums.values())


async def balance(request: Request, parts: Parts) -> Response:
    """Show what is known of money."""
    place = await place_of(request, parts)
    channels = await parts.ledger.channels()
    states = parts.channel_states()
    names = {each.id: each.name for each in channels}
    quotas = [(each.name, states[each.id].quota_left) for each in channels if each.id in states]
    return render(
        request,
        "balance.html",
        **place.values(),
        here=PATH,
        back=link(PATH, tenant=place.named),
        spans=await _spans(parts, place),
        quotas=[(name, left) for name, left in quotas if left is not None],
        templates=[
            (names.get(each.channel_id, ""), each)
            for each in await parts.ledger.templates()
            if each.remaining_quota >= 0 and each.status == "enabled"
        ],
        unpriced=await _unpriced(parts, channels),
    )


async def _spans(parts: Parts, place: Place) -> list[Span]:
    now = parts.clock.now()
    spans = []
    for name, since in zip(("today", "month"), starts_of(now), strict=True):
        rows: Sequence[Row] = ()
        if place.tenant is not None:
            rows = await parts.ledger.figure_sums(place.tenant.id, HOUR_MS, since, now + 1)
        spans.append(Span(name, field_time(since), sums_of(rows)))
    return spans


async def _unpriced(parts: Parts, channels: Sequence[ChannelRecord]) -> list[str]:
    """Name the channels whose price nobody has said, of those that have one and reach handsets."""
    asking = {
        each["name"]
        for each in await parts.acts.read("channels.providers")
        if not each["simulated"] and any(one["name"] == PRICE for one in each["settings"])
    }
    return sorted(each.name for each in channels if each.provider in asking and not each.settings.get(PRICE))


def starts_of(now: int) -> tuple[int, int]:
    """Give when the day and the month began, in Vietnam. Units: milliseconds since the epoch."""
    at = datetime.fromtimestamp(now / 1000, ZONE)
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    first = day - timedelta(days=day.day - 1)
    return int(day.timestamp() * 1000), int(first.timestamp() * 1000)


def sums_of(rows: Iterable[Row]) -> dict[tuple[str, str], Spent]:
    """Add up figures by channel and class, dearest first."""
    sums: defaultdict[tuple[str, str], Spent] = defaultdict(Spent)
    for row in rows:
        spent = sums[row["channel"], row["class"]]
        if row["kind"] == Kind.SPEND:
            spent.owed += row["count"]
        elif row["kind"] == Kind.ENDED:
            spent.messages += row["count"]
    known = {which: spent for which, spent in sums.items() if which[0] and (spent.owed or spent.messages)}
    return dict(sorted(known.items(), key=lambda item: (-item[1].owed, item[0])))
