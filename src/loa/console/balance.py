"""Balance: what messages cost so far, what providers say is left, and plainly what nobody knows."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from loa.console.formats import ZONE
from loa.console.pages import link, render
from loa.console.parts import Parts
from loa.console.place import Place, place_of
from loa.ports.records import ChannelRecord, MessageFilter, Row

PATH: Final = "/console/balance"
SAMPLE: Final = 200
"""How many messages are counted: the newest of the month. The cost of each follows from all its attempts."""
AT_ONCE: Final = 8
PRICE: Final = "price"


@dataclass(slots=True)
class Spent:
    """What a channel and class came to. Units: VND. `open`: not owed, as far as is known."""

    messages: set[int] = field(default_factory=set)
    owed: int = 0
    open: int = 0


Sums = dict[tuple[str, str], Spent]


async def balance(request: Request, parts: Parts) -> Response:
    """Show what is known of money."""
    place, now = await place_of(request, parts), parts.clock.now()
    today, month = starts_of(now)
    rows = await _sample(parts, place, month)
    months, days = sums_of(rows), sums_of([row for row in rows if row["accepted_at"] >= today])
    channels = await parts.ledger.channels()
    states = parts.channel_states()
    quotas = [(each.name, states[each.id].quota_left) for each in channels if each.id in states]
    names = {each.id: each.name for each in channels}
    templates = [
        (names.get(each.channel_id, ""), each)
        for each in await parts.ledger.templates()
        if each.remaining_quota >= 0 and each.status == "enabled"
    ]
    return render(
        request,
        "balance.html",
        **place.values(),
        here=PATH,
        back=link(PATH, tenant=place.named),
        spans=[("today", days, today), ("month", months, month)],
        counted=len(rows),
        capped=len(rows) == SAMPLE,
        since=min((row["accepted_at"] for row in rows), default=month),
        quotas=[(name, left) for name, left in quotas if left is not None],
        templates=templates,
        unpriced=await _unpriced(parts, channels),
    )


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


def sums_of(rows: list[Row]) -> Sums:
    """Add up what attempts were charged, by channel and class."""
    sums: defaultdict[tuple[str, str], Spent] = defaultdict(Spent)
    for row in rows:
        for attempt in row["attempts"]:
            spent = sums[attempt["channel"], row["class"]]
            spent.messages.add(row["id"])
            if attempt["charged"]:
                spent.owed += attempt["price"]
            else:
                spent.open += attempt["price"]
    return dict(sorted(sums.items(), key=lambda item: -item[1].owed))


async def _sample(parts: Parts, place: Place, since: int) -> list[Row]:
    if place.tenant is None:
        return []
    owner = place.tenant.id
    rows = await parts.ledger.messages(owner, MessageFilter(since=since), None, SAMPLE)
    gate = asyncio.Semaphore(AT_ONCE)

    async def whole(row: Row) -> Row | None:
        async with gate:
            return await parts.ledger.timeline(owner, row["id"])

    found: list[Any] = await asyncio.gather(*(whole(row) for row in rows))
    return [row for row in found if row is not None]
