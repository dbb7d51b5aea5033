"""Figures: counted on a reading connection, written together with how far all is counted.

Ids are given out in the order of commits, so whatever has an id up to the last one seen is there.
"""

import json
from collections.abc import Sequence
from typing import Any

import apsw

from loa.domain.figures import GRAINS_MS, KEPT_MS, Bill, Count, spend
from loa.ledger import reading
from loa.ledger.reckoning import Reckoning
from loa.ledger.sqlite.unit import QUERIES, Unit
from loa.ports.records import Row


def _rows(connection: apsw.Connection, name: str, *values: int) -> list[Any]:
    return json.loads(connection.execute(QUERIES[name], values).get)  # type: ignore[no-any-return]


def reckon(connection: apsw.Connection, limit: int) -> Reckoning:
    """Count what follows where counting stands: at most so many submissions and events."""
    submission, event, last_submission, last_event = _rows(connection, "figured")
    end = (min(submission + limit, last_submission), min(event + limit, last_event))
    counts = []
    if end[0] > submission:
        counts += [Count(*row) for row in _rows(connection, "reckon_accepted", submission, end[0])]
    if end[1] > event:
        counts += [Count(*row) for row in _rows(connection, "reckon_ended", event, end[1])]
        counts += spend(Bill(*row) for row in _rows(connection, "reckon_bills", event, end[1]))
    # Where history is gone the last ids may lie before where counting stands.
    end = (max(end[0], submission), max(end[1], event))
    more = end[0] < last_submission or end[1] < last_event
    return Reckoning((submission, event), end, tuple(counts), due=end != (submission, event), more=more)


def keep(unit: Unit, calls: list[Reckoning]) -> list[bool]:
    """Write counts, unless counting has moved on from where they begin."""
    return [_keep(unit, call) for call in calls]


def _keep(unit: Unit, reckoning: Reckoning) -> bool:
    if not unit.changed("note_figured", *reckoning.begin, *reckoning.end):
        return False
    if reckoning.counts:
        unit.run("add_figures", [list(each) for each in reckoning.counts], list(GRAINS_MS))
    return True


def note_ages(unit: Unit, calls: list[Sequence[Count]]) -> list[None]:
    """Keep the highest age of each lane."""
    for counts in calls:
        unit.run("add_figures", [list(each) for each in counts], list(GRAINS_MS))
    return [None] * len(calls)


def purge(unit: Unit, limit: int, now: int, history_ms: int) -> int:
    """Forget spans past their time."""
    kept = {grain: KEPT_MS.get(grain, history_ms) for grain in GRAINS_MS}
    return sum(unit.changed("purge_figures", grain, now - keep_ms, limit) for grain, keep_ms in kept.items())


def series(connection: apsw.Connection, tenant_id: int, grain_ms: int, since: int, until: int) -> list[Row]:
    """Read figures span by span."""
    return [reading.figure(row) for row in _rows(connection, "figure_series", tenant_id, grain_ms, since, until)]


def sums(connection: apsw.Connection, tenant_id: int, grain_ms: int, since: int, until: int) -> list[Row]:
    """Read figures over the whole time."""
    return [reading.figure(row) for row in _rows(connection, "figure_sums", tenant_id, grain_ms, since, until)]
