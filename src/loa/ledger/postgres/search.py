"""Reading for people and programs."""

import json
from typing import Any

from loa.ledger import reading
from loa.ledger.postgres.accept import days_around
from loa.ledger.postgres.days import IMPORTED_END, day_of_id, first_id
from loa.ledger.postgres.unit import QUERIES
from loa.ledger.reading import Read
from loa.ports.records import MessageFilter, Row


async def _many(connection: Any, name: str, *values: Any) -> list[Read]:
    return [dict(row) for row in await connection.fetch(QUERIES[name], *values)]


async def _one(connection: Any, name: str, *values: Any) -> Read | None:
    row = await connection.fetchrow(QUERIES[name], *values)
    return None if row is None else dict(row)


async def submission(connection: Any, tenant_id: int | None, referent_id: str) -> Read | None:
    """Read one submission; without a tenant for the caller who holds its token."""
    row = await _one(connection, "submission_of_tenant", referent_id, tenant_id, *days_around(referent_id))
    if row is None:
        return None
    row["ext"], row["answer"] = json.loads(row["ext"]), json.loads(row["answer"])
    return reading.submission(row)


async def submission_by_token(connection: Any, token: str) -> Row | None:
    """Read a submission for whoever holds its token; the token begins with the sortable part of the referent id."""
    row = await submission(connection, None, reading.referent_of(token))
    return row if reading.holds(row, token) else None


async def submission_messages(connection: Any, tenant_id: int, referent_id: str, after: int, limit: int) -> list[Row]:
    """Read a page of a submission's messages, after an id."""
    found = await submission(connection, tenant_id, referent_id)
    if found is None:
        return []
    span = (found["first_message_id"], found["message_count"])
    return [reading.message(row) for row in await _many(connection, "messages_in_span", tenant_id, *span, after, limit)]


async def message(connection: Any, tenant_id: int, message_id: int) -> Read | None:
    """Read one message."""
    row = await _one(connection, "one_message", tenant_id, message_id)
    return None if row is None else reading.message(row)


async def timeline(connection: Any, tenant_id: int, message_id: int) -> Row | None:
    """Read a message with everything that happened to it."""
    row = await message(connection, tenant_id, message_id)
    if row is None:
        return None
    attempts = await _many(connection, "attempts_of", tenant_id, message_id)
    if row["attempts"] > len(attempts):
        attempts += await _many(connection, "open_attempt_of", message_id, row["attempts"])
    for attempt in attempts:
        attempt["refs"] = json.loads(attempt["refs"] or "[]")
    refs = reading.refs_of(attempts)
    pairs = ([channel_id for channel_id, _ in refs], [ref for _, ref in refs])
    segments = await _many(connection, "segments_of", message_id, *pairs)
    receipts = await _many(connection, "receipts_of", message_id, *pairs)
    if not receipts and any(a["outcome"] == "unknown" for a in attempts):
        receipts = await _many(connection, "receipts_of_evidence", message_id, _day_start(message_id))
    events = await _many(connection, "events_of", tenant_id, message_id, _day_start(message_id))
    for event in events:
        event["tries"] = json.loads(event["tries"])
    return reading.timeline(row, attempts, segments, receipts, events)


def _day_start(message_id: int) -> int:
    """Give the lowest id of what can have happened to a message: nothing of it is older than its day."""
    return first_id(day_of_id(message_id)) if message_id >= IMPORTED_END else 0


async def messages(connection: Any, tenant_id: int, wanted: MessageFilter, before: int | None, limit: int) -> list[Row]:
    """List messages, newest first."""
    values: list[Any] = [limit]

    def bind(_name: str, value: Any) -> str:
        values.append(value)
        return f"${len(values)}"

    filters = [f"m.tenant_id = {bind('tenant', tenant_id)}", *reading.conditions(wanted, bind)]
    if before is not None:
        filters.append(f"m.id < {bind('before', before)}")
    numbers = ", ".join(str(int(state)) for state in wanted.states)
    states = f"x.state IN ({numbers})" if numbers else "true"
    query = QUERIES["message_page"].format(filters=" AND ".join(filters), states=states)
    return [reading.message(dict(row)) for row in await connection.fetch(query, *values)]


async def events(connection: Any, tenant_id: int, after: int, limit: int) -> list[Row]:
    """Read events after a cursor, which is the id of the last one read."""
    xid = await connection.fetchval(QUERIES["feed_position"], tenant_id, after) if after else None
    # Where that one is gone with its day, all that is left of the feed comes after it.
    position = (0, 0) if xid is None else (xid, after)
    lowest = 0 if after < IMPORTED_END else first_id(day_of_id(after) - 1)
    rows = await _many(connection, "events_after", tenant_id, *position, lowest, limit)
    for row in rows:
        row["metadata"] = None if row["metadata"] is None else json.loads(row["metadata"])
    return [reading.event(row) for row in rows]


async def warnings(connection: Any, tenant_id: int, limit: int) -> list[Row]:
    """Read a tenant's latest warnings."""
    return list(await _many(connection, "warnings_of", tenant_id, limit))


async def orphans(connection: Any) -> list[Row]:
    """Read what is parked, by channel."""
    return list(await _many(connection, "orphans"))


async def depths(connection: Any) -> list[Row]:
    """Give the kept depth of each lane that is not empty, with its first due time."""
    rows = await _many(connection, "lane_depths")
    for row in rows:
        row["class"] = reading.CLASS_LABELS[row["class"]]
    return list(rows)
