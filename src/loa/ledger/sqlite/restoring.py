"""A file that is a backup: the mark it carries, and the end of what waits in it.

The mark is the row `backup_at` of `meta`. Only the copy has it, never the ledger that was copied.
"""

from collections import Counter
from typing import Final

import apsw

from loa.domain.standing import IN_DOUBT, end_in_doubt
from loa.domain.traffic import TrafficClass
from loa.ledger.settling import RESTORED
from loa.ledger.sqlite import standings
from loa.ledger.sqlite.unit import CLASSES, Unit

_META: Final = "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'"


def mark(connection: apsw.Connection, at: int) -> None:
    """Say of a copy that it is one, and since when; a copy of a copy is as old as that."""
    if connection.execute(_META).get:
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('backup_at', ?)", (at,))


def backup_at(connection: apsw.Connection) -> int | None:
    """Give when the copy was made that a file is, None when it is none."""
    if not connection.execute(_META).get:
        return None
    found = connection.execute("SELECT value FROM meta WHERE name = 'backup_at'").get
    return None if found is None else int(found)


def release(connection: apsw.Connection) -> None:
    """Take the mark away."""
    connection.execute("DELETE FROM meta WHERE name = 'backup_at'")


def hold(unit: Unit, calls: list[tuple[int, int]]) -> list[dict[TrafficClass, int]]:
    """End messages that may have been sent by the original: on their way, queued, waiting as unknown, in this order."""
    return [_hold(unit, limit, now) for limit, now in calls]


def _hold(unit: Unit, limit: int, now: int) -> dict[TrafficClass, int]:
    # The original may have spent the refresh tokens too.
    unit.run("doubt_grants", now)
    # And it may have gone on with its batches, or started those that were not.
    unit.run("stop_batches", now)
    ended: Counter[TrafficClass] = Counter()
    attempts = unit.rows("former_attempts", unit.boot, limit)
    if attempts:
        unit.run("close_attempts", [[row[0], row[1], now, "unknown", RESTORED, ""] for row in attempts])
    ids = {row[0] for row in attempts}
    for query in ("queued_anywhere", "waiting_unknown"):
        if len(ids) < limit:
            ids |= set(unit.rows(query, limit - len(ids)))
    working = standings.read(unit, ids)
    for message in working.messages.values():
        if message.state in IN_DOUBT:
            end_in_doubt(message, RESTORED, now)
            ended[CLASSES[working.classes[message.id]]] += 1
    standings.write(unit, working, now)
    return dict(ended)
