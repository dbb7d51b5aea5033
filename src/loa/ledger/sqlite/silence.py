"""Steps that stay silent: which messages they hold, going on without them, and how long receipts usually take."""

import json
from collections.abc import Mapping, Sequence

import apsw

from loa.domain.latency import KEPT_MAX, Wait
from loa.domain.standing import go_on
from loa.ledger.questions import question
from loa.ledger.sqlite import standings
from loa.ledger.sqlite.unit import QUERIES, Unit
from loa.ports.channel import Question


def silent(connection: apsw.Connection, channel_id: int, limit: int, now: int) -> list[Question]:
    """Read what a channel's provider may be asked about."""
    rows = json.loads(connection.execute(QUERIES["silent_on"], (channel_id, now, limit)).get)
    return [question(row) for row in rows]


def silent_channels(connection: apsw.Connection, now: int) -> list[int]:
    """Read which channels have such messages."""
    return list(json.loads(connection.execute(QUERIES["silent_channels"], (now,)).get))


def usual_waits(connection: apsw.Connection) -> dict[Wait, int]:
    """Read how long receipts took."""
    rows = json.loads(connection.execute(QUERIES["read_waits"]).get)
    return {Wait(channel_id, traffic_class, span): count for channel_id, traffic_class, span, count in rows}


def go_on_with(unit: Unit, calls: list[tuple[Sequence[Question], int]]) -> list[int]:
    """Begin the next step of messages that are still silent."""
    results = []
    for questions, now in calls:
        working = standings.read(unit, [each.message_id for each in questions])
        results.append(sum(go_on(message, now) for message in working.messages.values()))
        standings.write(unit, working, now)
    return results


def learn(unit: Unit, calls: list[Mapping[Wait, int]]) -> list[None]:
    """Count how long receipts took."""
    for waits in calls:
        unit.run("add_waits", [[*wait, count] for wait, count in waits.items()])
    unit.run("halve_waits", KEPT_MAX)
    return [None] * len(calls)
