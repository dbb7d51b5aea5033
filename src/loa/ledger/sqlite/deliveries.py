"""Reading callbacks with what came of them."""

import json
from typing import Any

import apsw

from loa.ledger.delivering import HIGHEST, LOOK, SLACK_MS, Place, by_time, lay_out, merged, of_message, page
from loa.ledger.sqlite import callbacks as posting
from loa.ledger.sqlite.unit import QUERIES
from loa.ports.records import CallbackFilter, CallbackPage, Row
from loa.seal.sealer import Sealer


def _many(connection: apsw.Connection, name: str, *values: Any) -> list[Any]:
    sent = tuple(json.dumps(each) if isinstance(each, list) else each for each in values)
    return json.loads(connection.execute(QUERIES[name], sent).get)  # type: ignore[no-any-return]


def callbacks(
    connection: apsw.Connection, tenant_id: int, wanted: CallbackFilter, after: Place | None, limit: int
) -> CallbackPage:
    """List callbacks; see ports.watching.Deliveries."""
    if wanted.message_id is not None:
        ids = _many(connection, "callbacks_of_message", tenant_id, wanted.message_id)
        return of_message(_rows(connection, tenant_id, ids), wanted, after, limit)
    if wanted.result in ("due", "failed"):
        return _by_time(connection, tenant_id, wanted, after, limit)
    return _newest(connection, tenant_id, wanted, after, limit)


def _rows(connection: apsw.Connection, tenant_id: int, ids: list[int]) -> list[Any]:
    return _many(connection, "callback_rows", tenant_id, ids)


def _by_time(
    connection: apsw.Connection, tenant_id: int, wanted: CallbackFilter, after: Place | None, limit: int
) -> CallbackPage:
    query = "SELECT id FROM endpoint WHERE tenant_id = ?1 AND (?2 IS NULL OR id = ?2)"
    endpoints = [row[0] for row in connection.execute(query, (tenant_id, wanted.endpoint_id))]
    name, latest_first = f"{wanted.result}_of_endpoints", wanted.result == "failed"
    found = _many(connection, name, endpoints, *by_time(wanted, after), limit)
    places = merged(found, limit, latest_first=latest_first)
    ids = [number for _, number in places]
    return page(_rows(connection, tenant_id, ids), ids, places[-1] if len(places) == limit else None)


def _newest(
    connection: apsw.Connection, tenant_id: int, wanted: CallbackFilter, after: Place | None, limit: int
) -> CallbackPage:
    low, high = 0, HIGHEST if after is None else after[1]
    if wanted.since is not None:
        low = _position(connection, tenant_id, wanted.since - SLACK_MS)
    if wanted.until is not None:
        high = min(high, _position(connection, tenant_id, wanted.until + SLACK_MS))
    span = (tenant_id, high, low, LOOK)
    window = (wanted.since or 0, HIGHEST if wanted.until is None else wanted.until)
    ids = _many(connection, "newest_callbacks", *span, wanted.endpoint_id, wanted.result, *window, limit)
    last = ids[-1] if len(ids) == limit else connection.execute(QUERIES["last_looked_at"], span).get
    return page(_rows(connection, tenant_id, ids), ids, None if last is None else (0, last))


def _position(connection: apsw.Connection, tenant_id: int, at: int) -> int:
    """Find the first event from a time on, by halves: events are written in about the order of their times."""
    low, high = 0, (connection.execute(QUERIES["newest_event"], (tenant_id,)).get or 0) + 1
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(QUERIES["event_from"], (tenant_id, middle)).get
        number, time = json.loads(found) if found else (high, at)
        low, high = (low, middle) if time >= at else (number + 1, high)
    return low


def callback(connection: apsw.Connection, sealer: Sealer, tenant_id: int, callback_id: int) -> Row | None:
    """Read one callback; see ports.watching.Deliveries."""
    rows = _rows(connection, tenant_id, [callback_id])
    if not rows:
        return None
    told = posting.read(connection, sealer, [callback_id])
    return {**lay_out(rows[0]), "tries": _many(connection, "tries_of", callback_id), "told": told[0] if told else None}


def count_failed(connection: apsw.Connection, tenant_id: int, endpoint_id: int, since: int, limit: int) -> int:
    """Count what failed for good; see ports.watching.Deliveries."""
    return int(connection.execute(QUERIES["count_failed"], (tenant_id, endpoint_id, since, limit)).get)
