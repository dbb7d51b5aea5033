"""The first screen: how messages fare, how channels stand, what waits and what goes wrong."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from loa.console.channels import cards
from loa.console.formats import field_time
from loa.console.pages import render
from loa.console.parts import Parts
from loa.console.place import Place, place_of
from loa.domain.lifecycle import State
from loa.ports.records import MessageFilter, Row, Tenant

SAMPLE: Final = 500
"""How many messages the figures are made from: the newest of the last day. Nothing counts all of them."""
SPAN_MS: Final = 86_400_000
ERRORS_SHOWN: Final = 5
FIGURES: Final = (
    ("delivered", (State.DELIVERED,), "good"),
    ("waiting", (State.QUEUED, State.SENDING, State.SENT), "plain"),
    ("unknown", (State.UNKNOWN,), "warn"),
    ("failed", (State.UNDELIVERED, State.REJECTED, State.EXPIRED), "bad"),
)
"""What is shown of the sample: a name, the states that it counts, and how it is coloured where it is not 0."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, with the states of the list behind it."""

    name: str
    count: int
    states: tuple[str, ...]
    tone: str


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the checklist of a new installation."""

    name: str
    done: bool
    command: str


async def overview(request: Request, parts: Parts) -> Response:
    """Show the overview of a tenant; of a new one, what is left to do."""
    place = await place_of(request, parts)
    sample, since = await _sample(parts, place.tenant)
    channels = await parts.ledger.channels()
    names = {each.id: each.name for each in channels}
    now = parts.clock.now()
    return render(
        request,
        "overview.html",
        **place.values(),
        since=field_time(since),
        sampled=len(sample),
        capped=len(sample) == SAMPLE,
        figures=figures(sample),
        errors=top_errors(sample),
        lanes=await _lanes(parts, names, now),
        cards=cards(channels, parts.channel_states()),
        tasks=[] if sample else await _tasks(parts, place),
    )


def figures(sample: Sequence[Row]) -> list[Figure]:
    """Count a sample by what became of the messages."""
    counts = Counter(row["state"] for row in sample)
    return [
        Figure(name, count, tuple(state.label for state in states), tone if count else "plain")
        for name, states, tone in FIGURES
        for count in (sum(counts[state.label] for state in states),)
    ]


def top_errors(sample: Sequence[Row]) -> list[tuple[str, str, str, int]]:
    """Give the commonest errors of a sample: code, channel, state, count."""
    counts = Counter((row["error"], row["channel"], row["state"]) for row in sample if row["error"])
    return [(*which, count) for which, count in counts.most_common(ERRORS_SHOWN)]


async def _sample(parts: Parts, tenant: Tenant | None) -> tuple[list[Row], int]:
    since = parts.clock.now() - SPAN_MS
    if tenant is None:
        return [], since
    return await parts.ledger.messages(tenant.id, MessageFilter(since=since), None, SAMPLE), since


async def _lanes(parts: Parts, names: dict[int, str], now: int) -> list[dict[str, Any]]:
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
