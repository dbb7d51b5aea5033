"""What the statements of one transaction share: the connection, counters and small caches of the writing thread.

Rows cross between Python and SQLite as one JSON value a statement. The driver gives up and takes back the interpreter
lock at every step; with a busy event loop beside it, a statement a row wrote 1,700 rows a second where a statement a
commit wrote 226,000 (docs/internals/ledger.md).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import apsw

from loa.domain.traffic import TrafficClass
from loa.ledger.contents import Content, Contents
from loa.ledger.queries import load
from loa.ports.probe import Probe
from loa.seal.sealer import Sealer

QUERIES = load("loa.ledger.sqlite")

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


@dataclass(slots=True)
class Unit:
    """One writing connection with its counters. Lives in the writing thread; anyone may read `depths`."""

    connection: apsw.Connection
    probe: Probe
    boot: int
    request_keep_ms: int
    next_submission_id: int
    next_message_id: int
    next_event_id: int
    next_receipt_id: int
    next_inbound_id: int
    depths: dict[tuple[int, int], int]
    has_parked: bool
    sealer: Sealer
    contents: Contents = field(default_factory=Contents)
    every_step: dict[int, bool] = field(default_factory=dict)
    deltas: list[tuple[int, int, int]] = field(default_factory=list)
    rematch_after: int = 0
    expire_after: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def run(self, name: str, *values: Any) -> None:
        """Run a statement; lists go in as JSON."""
        self.connection.execute(QUERIES[name], tuple(_encode(v) if isinstance(v, list) else v for v in values))

    def changed(self, name: str, *values: Any) -> int:
        """Run a statement and give how many rows it changed."""
        self.run(name, *values)
        return self.connection.changes()

    def value(self, name: str, *values: Any) -> Any:
        """Give the one value of a query."""
        return self.connection.execute(
            QUERIES[name], tuple(_encode(v) if isinstance(v, list) else v for v in values)
        ).get

    def rows(self, name: str, *values: Any) -> list[Any]:
        """Give the rows of a query that joins them into one JSON array."""
        return json.loads(self.value(name, *values))  # type: ignore[no-any-return]

    def moved(self, channel_id: int, traffic_class: int, count: int) -> None:
        """Note that a lane grew or shrank; it counts once the transaction is committed."""
        self.deltas.append((channel_id, traffic_class, count))

    def commit_depths(self) -> None:
        """Apply the noted changes of lane depths."""
        for channel_id, traffic_class, count in self.deltas:
            key = (channel_id, traffic_class)
            self.depths[key] = self.depths.get(key, 0) + count
        self.deltas.clear()

    def forget(self) -> None:
        """Drop what a transaction taught that is rolled back; ids it used stay used."""
        self.deltas.clear()
        self.contents.clear()
        self.every_step.clear()
        self.has_parked = True

    def content(self, ids: set[int]) -> dict[int, Content]:
        """Give the contents of submissions, from the cache where it has them."""
        missing = self.contents.missing(ids)
        if missing:
            self.contents.keep(self.rows("read_contents", missing))
        return self.contents.take(ids)


def open_unit(connection: apsw.Connection, probe: Probe, request_keep_ms: int, sealer: Sealer) -> Unit:
    """Read the counters of a file and start a new boot."""
    with connection:
        connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'boot'")
    one: Any = connection.execute(
        "SELECT (SELECT value FROM meta WHERE name = 'boot'), (SELECT coalesce(max(id), 0) FROM submission),"
        " (SELECT coalesce(max(id), 0) FROM message), (SELECT coalesce(max(id), 0) FROM event),"
        " (SELECT coalesce(max(id), 0) FROM receipt), (SELECT coalesce(max(id), 0) FROM inbound)"
    ).fetchall()[0]
    # Where history is gone, numbers that figures were counted up to are not given out again.
    figured = json.loads(str(connection.execute(QUERIES["figured"]).get))
    depths = json.loads(str(connection.execute(QUERIES["lane_depths"]).get))
    return Unit(
        connection=connection,
        probe=probe,
        boot=one[0],
        request_keep_ms=request_keep_ms,
        next_submission_id=max(one[1], figured[0]) + 1,
        next_message_id=one[2] + 1,
        next_event_id=max(one[3], figured[1]) + 1,
        next_receipt_id=one[4] + 1,
        next_inbound_id=one[5] + 1,
        depths={(channel, traffic_class): count for channel, traffic_class, count in depths},
        has_parked=bool(connection.execute(QUERIES["any_parked"]).get),
        sealer=sealer,
    )


Handler = Callable[[Unit, list[Any]], list[Any]]
"""Does the work of several calls of one kind in the open transaction; gives one result a call."""

CLASSES = {c.value: c for c in TrafficClass}
