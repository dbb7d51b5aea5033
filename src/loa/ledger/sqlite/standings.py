"""Reads the moving part of messages for the rules to decide on, and writes back what they changed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from loa.domain.lifecycle import State
from loa.domain.standing import Event, Standing
from loa.ledger.sqlite.unit import Unit

_STATES = {state.value: state for state in State}
_QUEUED = State.QUEUED


@dataclass(slots=True)
class Working:
    """Messages under decision, with the lane each was queued in when read (None: it was not queued)."""

    messages: dict[int, Standing] = field(default_factory=dict)
    lanes: dict[int, int | None] = field(default_factory=dict)
    classes: dict[int, int] = field(default_factory=dict)

    def add(self, row: list[Any]) -> None:
        """Take a message up from its row, see the `standing` columns of the queries."""
        plan = row[3]
        state = _STATES[row[5]]
        message = Standing(
            row[0],
            row[1],
            row[2],
            (int(plan),) if "," not in plan else tuple(map(int, plan.split(","))),
            row[4],
            state,
            row[6],
            row[7],
            row[8],
            row[9],
            row[10],
            row[11],
            row[12],
            row[13],
            row[14],
            bool(row[15]),
        )
        self.messages[message.id] = message
        self.lanes[message.id] = message.channel_id if state is _QUEUED else None
        self.classes[message.id] = row[16]


def read(unit: Unit, ids: Iterable[int]) -> Working:
    """Read messages whole enough to decide on them."""
    working = Working()
    for row in unit.rows("read_standings", list(ids)):
        working.add(row)
    return working


def write(unit: Unit, working: Working, now: int) -> None:
    """Write back changed messages and their events, and keep the lane depths in step."""
    rows = []
    events: list[Event] = []
    for message in working.messages.values():
        if not message.changed:
            continue
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
        events += message.events
        _count_lane(unit, working, message)
        message.changed = False
        message.events = []
    if rows:
        unit.run("write_standings", rows, now)
    if events:
        _write_events(unit, events)


def _count_lane(unit: Unit, working: Working, message: Standing) -> None:
    before = working.lanes[message.id]
    after = message.channel_id if message.state is _QUEUED else None
    if before == after:
        return
    traffic_class = working.classes[message.id]
    if before is not None:
        unit.moved(before, traffic_class, -1)
    if after is not None:
        unit.moved(after, traffic_class, 1)
    working.lanes[message.id] = after


def _write_events(unit: Unit, events: list[Event]) -> None:
    rows = []
    for event in events:
        rows.append(
            [
                unit.next_event_id,
                event.tenant_id,
                event.message_id,
                event.sequence,
                event.state,
                event.at,
                event.error,
                event.flags,
                event.channel_id,
                event.endpoint_id,
                event.at if event.endpoint_id is not None else None,
            ]
        )
        unit.next_event_id += 1
    unit.run("insert_events", rows)
