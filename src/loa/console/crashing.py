"""What a crash left behind: counted in the ledger, and on the handsets that the world keeps for itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loa.console.parts import Parts
from loa.console.world import Crash, Sight
from loa.domain.ids import message_public_id
from loa.domain.lifecycle import State
from loa.ports.records import MessageFilter, Row, Tenant

SAMPLE: Final = 500
"""How many messages are counted where none were sent for the crash: the newest before it."""
DOUBTFUL_SHOWN: Final = 8
FIGURES: Final[Mapping[str, tuple[State, ...]]] = {
    "waiting": (State.QUEUED, State.SENDING, State.SENT),
    "delivered": (State.DELIVERED,),
    "unknown": (State.UNKNOWN,),
    "failed": (State.UNDELIVERED, State.REJECTED, State.EXPIRED, State.CANCELLED),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One figure, before the crash and now. `query`: the fields of the address of its list, where there is one."""

    name: str
    before: int
    now: int
    query: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What became of the messages that were accepted before a crash.

    `away_ms`: how long the gateway was gone, None while it is. `missing`: accepted before, and not in the ledger now.
    `doubtful`: public ids of those whose outcome was unknown, with whether they were sent once more; `repeated`: how
    many were. `twice`: texts that a handset got again, None where nothing was sent for the crash.
    """

    crash: Crash
    away_ms: int | None
    lines: tuple[Line, ...]
    missing: int
    doubtful: tuple[tuple[str, bool], ...]
    doubtful_count: int
    repeated: int
    twice: int | None


def request_id(run: str) -> str:
    """Give the request id of the messages that were sent for a crash."""
    return f"crash-{run}"


async def counted(parts: Parts, tenant: Tenant, run: str, newest: int) -> list[Row]:
    """Read the messages that a crash is about."""
    if run:
        return await parts.ledger.messages(tenant.id, MessageFilter(request_id=request_id(run)), None, SAMPLE)
    return await parts.ledger.messages(tenant.id, MessageFilter(), newest + 1, SAMPLE)


def figures(rows: Sequence[Row]) -> dict[str, int]:
    """Count messages by what became of them."""
    counts = Counter(row["state"] for row in rows)
    found = {name: sum(counts[state.label] for state in states) for name, states in FIGURES.items()}
    return {"accepted": len(rows), **found}


async def aftermath(parts: Parts, tenant: Tenant | None, sight: Sight) -> Aftermath | None:
    """Put together what the last crash left behind, None where there was none."""
    crash = sight.crash
    if crash is None or tenant is None:
        return None
    rows = await counted(parts, tenant, crash.run, crash.newest)
    now = figures(rows)
    doubtful = [row for row in rows if row["state"] == State.UNKNOWN.label or row["possible_duplicate"]]
    run = {"request_id": request_id(crash.run)} if crash.run else {}
    lines = [Line("accepted", crash.before["accepted"], now["accepted"], run)]
    for name, states in FIGURES.items():
        query = {**run, "state": [state.label for state in states]}
        lines.append(Line(name, crash.before[name], now[name], query))
    if crash.run:
        lines.append(Line("handsets", crash.reached_before.handsets, sight.reached.handsets))
    return Aftermath(
        crash,
        crash.back_at - crash.killed_at if crash.back_at else None,
        tuple(lines),
        crash.before["accepted"] - now["accepted"],
        tuple((message_public_id(row["id"]), bool(row["possible_duplicate"])) for row in doubtful[:DOUBTFUL_SHOWN]),
        len(doubtful),
        sum(1 for row in doubtful if row["possible_duplicate"]),
        sight.reached.texts - sight.reached.handsets if crash.run else None,
    )
