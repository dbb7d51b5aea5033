"""Reads the moving part of messages for the rules to decide on, and writes back what they changed."""

from collections.abc import Iterable
from typing import Any

from loa.ledger.sqlite.unit import Unit
from loa.ledger.working import Change, Working, event_row


def read(unit: Unit, ids: Iterable[int]) -> Working:
    """Read messages whole enough to decide on them."""
    working = Working()
    for row in unit.rows("read_standings", list(ids)):
        working.add(row)
    return working


def write(unit: Unit, working: Working, now: int) -> None:
    """Write back changed messages and their events, and keep the lane depths in step."""
    rows: list[Any] = []
    events: list[Any] = []
    for change in working.take_changes():
        message = change.message
        rows.append(
            [
                message.id,
                message.channel_id,
                message.step,
                message.state,
                message.due_at,
                message.tries,
                message.sequence,
                message.flags,
                message.error,
            ]
        )
        _count_lane(unit, change)
        for event in change.events:
            events.append([unit.next_event_id, *event_row(event)])
            unit.next_event_id += 1
    if rows:
        unit.run("write_standings", rows, now)
    if events:
        unit.run("insert_events", events)


def _count_lane(unit: Unit, change: Change) -> None:
    before, after = change.lane_before, change.lane_after
    if before == after:
        return
    if before is not None:
        unit.moved(before, change.traffic_class, -1)
    if after is not None:
        unit.moved(after, change.traffic_class, 1)
