"""How lists of callbacks are read, where both engines do alike: places, bounds, and which walk a filter takes."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from loa.ledger.reading import STATE_LABELS
from loa.ports.records import CallbackFilter, CallbackPage

LOOK: Final = 2_000
"""How many events one page looks through at most, where no index leads to what is wanted."""
SLACK_MS: Final = 3_600_000
"""How far the time of an event may lie from those written beside it: a receipt may have waited."""
HIGHEST: Final = 2**63 - 1
Place = tuple[int, int]
"""Where a page ends: a time and an id; of pages in the order of ids, the id alone counts."""


def lay_out(row: dict[str, Any]) -> dict[str, Any]:
    """Lay out a callback. `result`: due, delivered or failed."""
    row["result"] = "due" if row["due_at"] is not None else row["result"]
    row["state"] = "" if row["message_id"] < 0 else STATE_LABELS[row["state"]]
    return row


def merged(found: Iterable[Sequence[Sequence[int]]], limit: int, *, latest_first: bool) -> list[Place]:
    """Bring what was found for each endpoint into one order, and take the first of it."""
    places = sorted(((each[0], each[1]) for one in found for each in one), reverse=latest_first)
    return places[:limit]


def by_time(wanted: CallbackFilter, after: Place | None) -> tuple[int, int, int]:
    """Give where a walk by time begins, (time, id), and its other end: up for due callbacks, down for failed ones."""
    since = wanted.since or 0
    until = HIGHEST if wanted.until is None else wanted.until
    if wanted.result == "due":
        return (*(after or (since, 0)), until)
    return (*(after or (until, 0)), since)


def page(rows: Iterable[dict[str, Any]], order: Sequence[int], further: Place | None) -> CallbackPage:
    """Put rows into the order of their ids as it was found."""
    places = {number: place for place, number in enumerate(order)}
    return CallbackPage(sorted(map(lay_out, rows), key=lambda row: places[row["id"]]), further)


def of_message(rows: Iterable[dict[str, Any]], wanted: CallbackFilter, after: Place | None, limit: int) -> CallbackPage:
    """Narrow the callbacks of one message, which are few."""
    laid_out = sorted(map(lay_out, rows), key=lambda row: -row["id"])
    kept = [row for row in laid_out if _is_wanted(row, wanted) and (after is None or row["id"] < after[1])]
    shown = kept[:limit]
    return CallbackPage(shown, (0, shown[-1]["id"]) if len(kept) > limit else None)


def _is_wanted(row: dict[str, Any], wanted: CallbackFilter) -> bool:
    time = row["due_at"] if wanted.result == "due" else row["at"]
    return (
        wanted.endpoint_id in (None, row["endpoint_id"])
        and wanted.result in ("", row["result"])
        and (wanted.since is None or time is None or time >= wanted.since)
        and (wanted.until is None or time is None or time < wanted.until)
    )
