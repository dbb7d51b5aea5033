"""Reads the moving part of messages for the rules to decide on, and writes back what they changed.

A message is locked by its own row, always in the order of ids; its queue row is locked after it and without waiting:
who holds it is claiming the message this moment. A queued message without a queue row is on its way: it is `sending`,
and the number of its open attempt is one more than the attempts that ended.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from loa.domain.lifecycle import State
from loa.ledger.postgres.unit import Unit
from loa.ledger.working import Change, Working, event_row

_STATE, _ATTEMPTS = 5, 7


@dataclass(slots=True)
class Held(Working):
    """Messages under decision whose rows this transaction holds. `places`: submission and destination of each."""

    places: dict[int, tuple[int, int]] = field(default_factory=dict)


async def read(unit: Unit, ids: Iterable[tuple[int, int]], *, taken: Collection[int] = ()) -> Held:
    """Read messages, named by tenant and id, whole enough to decide on them, and lock them.

    `taken`: queued messages whose queue rows this transaction has deleted.
    """
    held = Held()
    # Days in their order and ids in theirs: everybody locks messages in the same order.
    rows = await unit.write_by_day("read_standings", ids, 1)
    waiting = [row[0] for row in rows if row[_STATE] == State.QUEUED and row[0] not in taken]
    queued = {row[0] for row in await unit.rows("lock_queued", waiting)} if waiting else set()
    for row in rows:
        values = list(row)
        if values[_STATE] == State.QUEUED and values[0] not in queued and values[0] not in taken:
            values[_STATE] = State.SENDING
            values[_ATTEMPTS] += 1
        held.add(values)
        held.places[values[0]] = (values[18], values[19])
    return held


async def write(unit: Unit, held: Held, now: int) -> None:
    """Write back changed messages and their events, their places in lanes, and what is unknown of them."""
    changes = held.take_changes()
    if not changes:
        return
    await unit.write_by_day("write_standings", [_row(change) for change in changes], 1, now)
    events = [event_row(event) for change in changes for event in change.events]
    if events:
        # Of the day they are written, not of the one they tell of: readers of the feed have gone on from that.
        await unit.shared.days.ensure([now])
        await unit.write("insert_events", events, now)
        unit.wakes = True
    await _move_lanes(unit, held, changes)
    await _note_unknown(unit, held, changes)
    await _note_silent(unit, changes)


def _row(change: Change) -> list[Any]:
    message = change.message
    # Nothing is ever stored as sending: its attempt is on record in the claim, and counted when it ends.
    claimed = message.state is State.SENDING
    return [
        message.tenant_id,
        message.id,
        message.channel_id,
        message.step,
        State.QUEUED if claimed else message.state,
        message.due_at,
        message.attempts - 1 if claimed else message.attempts,
        message.tries,
        message.sequence,
        message.flags,
        message.error,
    ]


async def _move_lanes(unit: Unit, held: Held, changes: list[Change]) -> None:
    moved = [change for change in changes if change.lane_before != change.lane_after]
    leaving = [change for change in moved if change.lane_before is not None]
    entering = [change for change in moved if change.lane_after is not None]
    if leaving:
        await unit.run("leave_lanes", [change.message.id for change in leaving])
    if entering:
        await unit.write("enter_lanes", [_queue_row(held, change) for change in entering])
        unit.wakes = True
    for change in leaving:
        assert change.lane_before is not None
        unit.moved(change.lane_before, change.traffic_class, -1)
    for change in entering:
        assert change.message.due_at is not None
        unit.moved(change.message.channel_id, change.traffic_class, 1)
        unit.shared.marks.lower((change.message.channel_id, change.traffic_class), change.message.due_at)


def _queue_row(held: Held, change: Change) -> list[Any]:
    message = change.message
    submission_id, destination = held.places[message.id]
    return [
        message.id,
        message.tenant_id,
        submission_id,
        destination,
        message.due_at,
        message.expires_at,
        message.channel_id,
        message.attempts,
        message.tries,
        message.flags,
        change.traffic_class,
    ]


async def _note_unknown(unit: Unit, held: Held, changes: list[Change]) -> None:
    unknown = [change.message for change in changes if change.message.state is State.UNKNOWN]
    if unknown:
        rows = [[m.id, m.tenant_id, m.channel_id, held.places[m.id][1], m.due_at] for m in unknown]
        await unit.write("note_unknown", rows)
    known = [c.message.id for c in changes if c.before is State.UNKNOWN and c.message.state is not State.UNKNOWN]
    if known:
        await unit.run("forget_unknown", known)


async def _note_silent(unit: Unit, changes: list[Change]) -> None:
    waiting = [[c.message.id, c.message.tenant_id, c.message.channel_id, c.message.due_at] for c in changes if c.waits]
    if waiting:
        await unit.write("note_silent", waiting)
    over = [c.message.id for c in changes if c.waited and not c.waits]
    if over:
        await unit.run("forget_silent", over)
