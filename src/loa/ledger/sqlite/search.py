"""Reading for people and programs. Rows cross as JSON, one value a query."""

import json
from typing import Any

import apsw

from loa.domain.cost import read_bill
from loa.domain.lifecycle import State
from loa.domain.receipt import stored_form
from loa.ledger import reading
from loa.ledger.contents import handed_over
from loa.ledger.reading import CLASS_LABELS
from loa.ledger.sqlite.costs import costs_of, tried_of
from loa.ledger.sqlite.inbound import read_told
from loa.ledger.sqlite.unit import QUERIES
from loa.ports.channel import Attempt
from loa.ports.records import Found, MessageFilter, Row


def _one(connection: apsw.Connection, name: str, *values: Any) -> dict[str, Any] | None:
    found = connection.execute(QUERIES[name], values).get
    return None if found is None else json.loads(found)


def _many(connection: apsw.Connection, name: str, *values: Any) -> list[dict[str, Any]]:
    return json.loads(connection.execute(QUERIES[name], values).get)  # type: ignore[no-any-return]


def submission(connection: apsw.Connection, tenant_id: int | None, referent_id: str) -> Row | None:
    """Read one submission; without a tenant for the caller who holds its token."""
    row = _one(connection, "submission_of_tenant", referent_id, tenant_id)
    return None if row is None else reading.submission(row)


def submission_by_token(connection: apsw.Connection, token: str) -> Row | None:
    """Read a submission for whoever holds its token; the token begins with the sortable part of the referent id."""
    row = _one(connection, "submission_of_tenant", reading.referent_of(token), None)
    return reading.submission(row) if row is not None and reading.holds(row, token) else None


def submission_messages(
    connection: apsw.Connection, tenant_id: int, referent_id: str, after: int, limit: int
) -> list[Row]:
    """Read a page of a submission's messages, after an id."""
    found = submission(connection, tenant_id, referent_id)
    if found is None:
        return []
    rows = _many(connection, "messages_in_span", found["first_message_id"], found["message_count"], after, limit)
    return [reading.message(row) for row in rows]


def message(connection: apsw.Connection, tenant_id: int, message_id: int) -> dict[str, Any] | None:
    """Read one message."""
    row = _one(connection, "one_message", message_id, tenant_id)
    return None if row is None else reading.message(row)


def timeline(connection: apsw.Connection, tenant_id: int, message_id: int) -> Row | None:
    """Read a message with everything that happened to it."""
    row = message(connection, tenant_id, message_id)
    if row is None:
        return None
    attempts = _many(connection, "attempts_of", message_id)
    refs = json.dumps(reading.refs_of(attempts))
    segments = _many(connection, "segments_of", message_id, refs)
    # Evidence by number and time names a reference that no answer carried.
    in_doubt = any(a["outcome"] == "unknown" for a in attempts)
    receipts = _receipts_by_message(connection, row) if in_doubt else _many(connection, "receipts_of", message_id, refs)
    rulings = _many(connection, "rulings_of", message_id)
    events = _many(connection, "events_of", message_id)
    tried = tried_of(connection, [message_id]) if reading.arrived_before(row) else []
    return reading.timeline(row, attempts, segments, receipts, rulings, events, tried)


def _receipts_by_message(connection: apsw.Connection, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Find the receipts of a message also where no reference of its own leads to them."""
    query = (
        "SELECT json_group_array(json_object('received_at', received_at, 'ref', ref, 'stat', stat, 'state', state,"
        " 'detail', detail, 'raw', hex(raw), 'result', result, 'repeats', repeats)) FROM receipt"
        " WHERE message_id = ?1 AND received_at >= ?2"
    )
    return json.loads(str(connection.execute(query, (row["id"], row["accepted_at"])).get))  # type: ignore[no-any-return]


def attempt(connection: apsw.Connection, tenant_id: int, message_id: int, number: int) -> Attempt | None:
    """Read one attempt as its channel was handed it."""
    found = connection.execute(QUERIES["handed_over"], (tenant_id, message_id, number)).get
    return None if found is None else handed_over(*json.loads(found))


def messages_by_ref(connection: apsw.Connection, tenant_id: int, ref: str, limit: int) -> list[int]:
    """Find messages by what a provider calls a segment of theirs."""
    found = connection.execute(QUERIES["messages_by_ref"], (tenant_id, stored_form(ref), limit)).get
    return json.loads(found)  # type: ignore[no-any-return]


def unknown_by_channel(connection: apsw.Connection, tenant_id: int) -> list[Row]:
    """Count unknown messages by channel."""
    return list(_many(connection, "unknown_by_channel", tenant_id))


def messages(
    connection: apsw.Connection, tenant_id: int, wanted: MessageFilter, before: int | None, limit: int
) -> list[Row]:
    """List messages, newest first."""
    return _page(connection, tenant_id, wanted, before, limit, _span(connection, wanted, before))


def find(
    connection: apsw.Connection, tenant_id: int, wanted: MessageFilter, before: int | None, limit: int, reach: int
) -> Found:
    """List messages, newest first, looking at about `reach` of them where no index leads to them."""
    low, high = _span(connection, wanted, before)
    if _index_for(wanted) or not reading.is_narrow(wanted):
        return Found(_page(connection, tenant_id, wanted, before, limit, (low, high)))
    floor = _reached(connection, (tenant_id, low, high), reach)
    rows = _page(connection, tenant_id, wanted, before, limit, (low if floor is None else floor[0], high))
    return Found(rows, None if floor is None or len(rows) == limit else floor[1])


def _reached(connection: apsw.Connection, span: tuple[int, int, int], reach: int) -> list[int] | None:
    """Give the submission where a look ends, and its first message; few are counted where each has many messages."""
    for submissions in (reach // 50, reach // 5, reach):
        found = connection.execute(QUERIES["reached"], (*span, reach, submissions)).get
        if found is not None:
            return list(json.loads(found))
    return None


def _page(
    connection: apsw.Connection,
    tenant_id: int,
    wanted: MessageFilter,
    before: int | None,
    limit: int,
    span: tuple[int, int],
) -> list[Row]:
    values: dict[str, Any] = {"tenant": tenant_id, "limit": limit, "before": before, "low": span[0], "high": span[1]}

    def bind(name: str, value: Any) -> str:
        values[name] = value
        return f":{name}"

    filters = ["m.tenant_id = :tenant", *reading.conditions(wanted, bind)]
    if wanted.states == (State.UNKNOWN,):
        filters.append("m.state = 3")
    elif wanted.states:
        numbers = ", ".join(str(int(state)) for state in wanted.states)
        filters.append(f"m.state IN ({numbers})")
    if before is not None:
        filters.append("m.id < :before")
    index = _index_for(wanted)
    if index:
        source = f"message m INDEXED BY {index} CROSS JOIN submission s ON s.id = m.submission_id"
        order = "m.id DESC"
    else:
        source = (
            "submission s INDEXED BY submission_tenant CROSS JOIN message m"
            " ON m.id >= s.first_message_id AND m.id < s.first_message_id + s.message_count"
        )
        filters.append("s.tenant_id = :tenant AND s.id >= :low AND s.id <= :high")
        order = "s.id DESC, m.id DESC"
    query = QUERIES["message_page"].format(source=source, filters=" AND ".join(filters), order=order)
    return [reading.message(row) for row in json.loads(connection.execute(query, values).get)]


def _index_for(wanted: MessageFilter) -> str:
    """Name the index that leads straight to what is wanted, "" where only the order of time does."""
    if wanted.destination is not None:
        return "message_destination"
    if wanted.dead:
        return "message_dead"
    return "message_unknown" if wanted.states == (State.UNKNOWN,) else ""


def _span(connection: apsw.Connection, wanted: MessageFilter, before: int | None) -> tuple[int, int]:
    """Give the first and last submission that a list may speak of: what lies outside is not even looked at."""
    lowest, highest = json.loads(connection.execute(QUERIES["submission_ends"]).get)
    low, high = lowest, highest
    if before is not None:
        high = connection.execute(QUERIES["submission_before"], (before,)).get or 0
    if highest - lowest >= reading.BISECT_FROM:
        if wanted.since is not None:
            low = _first_since(connection, wanted.since - reading.DISORDER_MS, lowest, highest)
        if wanted.until is not None:
            high = min(high, _first_since(connection, wanted.until + reading.DISORDER_MS, lowest, highest))
    return low, high


def _first_since(connection: apsw.Connection, at: int, low: int, high: int) -> int:
    """Find the first submission that was accepted since then; the last one where none was."""
    while low < high:
        middle = (low + high) // 2
        if connection.execute(QUERIES["accepted_at_or_after"], (middle,)).get < at:
            low = middle + 1
        else:
            high = middle
    return low


def unknown_waiting(connection: apsw.Connection, tenant_id: int, since: int, limit: int) -> int:
    """Count unknown messages that wait for evidence."""
    return int(connection.execute(QUERIES["unknown_waiting"], (tenant_id, since, limit)).get)


def events(connection: apsw.Connection, tenant_id: int, after: int, limit: int) -> list[Row]:
    """Read events after a cursor."""
    rows = _many(connection, "events_after", tenant_id, after, limit)
    bills = {row["message_id"]: read_bill(row["bill"]) for row in rows if row["bill"]}
    costs = costs_of(connection, bills)
    return [
        reading.event(row, costs) if row["inbound"] is None else reading.inbound_event(row, read_told(row["inbound"]))
        for row in rows
    ]


def last_event(connection: apsw.Connection, tenant_id: int) -> int:
    """Give the cursor behind the last event."""
    return int(connection.execute(QUERIES["last_event"], (tenant_id,)).get)


def warnings(connection: apsw.Connection, tenant_id: int, limit: int) -> list[Row]:
    """Read a tenant's latest warnings."""
    return list(_many(connection, "warnings_of", tenant_id, limit))


def orphans(connection: apsw.Connection) -> list[Row]:
    """Read what is parked, by channel."""
    return list(_many(connection, "orphans"))


def depths(connection: apsw.Connection, lanes: dict[tuple[int, int], int]) -> list[Row]:
    """Give the kept depth of each lane that is not empty, with its first due time."""
    rows: list[Row] = []
    for (channel_id, traffic_class), count in lanes.items():
        if count > 0:
            oldest = connection.execute(QUERIES["oldest_in_lane"], (channel_id, traffic_class)).get
            rows.append(
                {
                    "channel_id": channel_id,
                    "class": CLASS_LABELS[traffic_class],
                    "count": count,
                    "oldest_due_at": oldest,
                }
            )
    return rows
