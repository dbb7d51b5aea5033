"""Reading for people and programs. Rows cross as JSON, one value a query."""

import hmac
import json
from typing import Any

import apsw

from loa.domain.ids import REFERENT_DIGITS, REFERENT_PREFIX
from loa.domain.lifecycle import State
from loa.domain.receipt import stored_form
from loa.domain.standing import DEAD, POSSIBLE_DUPLICATE, SETTLED_UNKNOWN
from loa.domain.traffic import TrafficClass
from loa.ledger.sqlite.unit import QUERIES
from loa.ports.records import MessageFilter, Row

_STATES = {state.value: state.label for state in State}
_CLASSES = {c.value: c.label for c in TrafficClass}


def _one(connection: apsw.Connection, name: str, *values: Any) -> dict[str, Any] | None:
    found = connection.execute(QUERIES[name], values).get
    return None if found is None else json.loads(found)


def _many(connection: apsw.Connection, name: str, *values: Any) -> list[dict[str, Any]]:
    return json.loads(connection.execute(QUERIES[name], values).get)  # type: ignore[no-any-return]


def _message(row: dict[str, Any]) -> dict[str, Any]:
    flags = row.pop("flags")
    row["state"] = _STATES[row["state"]]
    row["class"] = _CLASSES[row["class"]]
    row["possible_duplicate"] = bool(flags & POSSIBLE_DUPLICATE)
    row["dead"] = bool(flags & DEAD)
    row["final_unknown"] = bool(flags & SETTLED_UNKNOWN)
    return row


def submission(connection: apsw.Connection, tenant_id: int | None, referent_id: str) -> Row | None:
    """Read one submission; without a tenant for the caller who holds its token."""
    row = _one(connection, "submission_of_tenant", referent_id, tenant_id)
    if row is not None:
        row["class"] = _CLASSES[row["class"]]
        row["scheduled"] = bool(row["scheduled"])
    return row


def submission_by_token(connection: apsw.Connection, token: str) -> Row | None:
    """Read a submission for whoever holds its token; the token begins with the sortable part of the referent id."""
    row = submission(connection, None, f"{REFERENT_PREFIX}{token[:REFERENT_DIGITS]}")
    return row if row is not None and hmac.compare_digest(row["token"].encode(), token.encode()) else None


def submission_messages(
    connection: apsw.Connection, tenant_id: int, referent_id: str, after: int, limit: int
) -> list[Row]:
    """Read a page of a submission's messages, after an id."""
    found = submission(connection, tenant_id, referent_id)
    if found is None:
        return []
    rows = _many(connection, "messages_in_span", found["first_message_id"], found["message_count"], after, limit)
    return [_message(row) for row in rows]


def message(connection: apsw.Connection, tenant_id: int, message_id: int) -> dict[str, Any] | None:
    """Read one message."""
    row = _one(connection, "one_message", message_id, tenant_id)
    return None if row is None else _message(row)


def timeline(connection: apsw.Connection, tenant_id: int, message_id: int) -> Row | None:
    """Read a message with everything that happened to it."""
    row = message(connection, tenant_id, message_id)
    if row is None:
        return None
    attempts = _many(connection, "attempts_of", message_id)
    refs = [[a["channel_id"], form] for a in attempts for _raw, form in a["refs"] if form]
    # Evidence by number and time names a reference that no answer carried.
    segments = _many(connection, "segments_of", message_id, json.dumps(refs))
    known = {(s["channel_id"], s["ref"], s["number"], s["segment"]): s for s in segments}
    for attempt in attempts:
        channel_id = attempt.pop("channel_id")
        attempt["segments"] = [
            _segment(raw, index, known.get((channel_id, form, attempt["number"], index)))
            for index, (raw, form) in enumerate(attempt.pop("refs"))
        ]
    receipts = _many(connection, "receipts_of", message_id, json.dumps(refs))
    if not receipts:
        receipts = _receipts_by_message(connection, row, attempts)
    for receipt in receipts:
        receipt["state"] = _STATES.get(receipt["state"])
    events = _many(connection, "events_of", message_id)
    row["attempts_made"] = row["attempts"]
    row["attempts"] = attempts
    row["receipts"] = sorted(receipts, key=lambda r: r["received_at"])
    row["callbacks"] = [_callback(e) for e in events if e["endpoint_id"] is not None]
    row["events"] = [
        {
            "id": e["id"],
            "sequence": e["sequence"],
            "state": _STATES[e["state"]],
            "at": e["at"],
            "error": e["error"],
            "channel": e["channel"],
        }
        for e in events
    ]
    return row


def _receipts_by_message(
    connection: apsw.Connection, row: dict[str, Any], attempts: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Find receipts that settled a message by evidence, without a reference of its own."""
    if not any(a["outcome"] == "unknown" for a in attempts):
        return []
    query = (
        "SELECT json_group_array(json_object('received_at', received_at, 'ref', ref, 'stat', stat, 'state', state,"
        " 'detail', detail, 'raw', hex(raw), 'result', result, 'repeats', repeats)) FROM receipt"
        " WHERE message_id = ?1 AND received_at >= ?2"
    )
    return json.loads(str(connection.execute(query, (row["id"], row["accepted_at"])).get))  # type: ignore[no-any-return]


def _segment(raw: str, index: int, found: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "segment": index,
        "provider_ref": raw,
        "stored_ref": stored_form(raw) if raw else "",
        "state": _STATES.get(found["state"]) if found else None,
        "at": found["at"] if found else None,
    }


def _callback(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": event["id"],
        "sequence": event["sequence"],
        "state": _STATES[event["state"]],
        "endpoint_id": event["endpoint_id"],
        "url": event["url"],
        "due_at": event["due_at"],
        "done_at": event["done_at"],
        "result": event["result"],
        "tries": sorted(event["tries"], key=lambda t: t["number"]),
    }


def messages(
    connection: apsw.Connection, tenant_id: int, wanted: MessageFilter, before: int | None, limit: int
) -> list[Row]:
    """List messages, newest first."""
    filters = ["m.tenant_id = :tenant"]
    values: dict[str, Any] = {"tenant": tenant_id, "limit": limit, "before": before}
    for name, condition, value in _conditions(wanted):
        filters.append(condition)
        values[name] = value
    if wanted.states:
        numbers = ", ".join(str(int(state)) for state in wanted.states)
        filters.append(f"m.state IN ({numbers})")
    if before is not None:
        filters.append("m.id < :before")
    if wanted.destination is not None:
        source = "message m INDEXED BY message_destination CROSS JOIN submission s ON s.id = m.submission_id"
        order = "m.id DESC"
    else:
        source = (
            "submission s INDEXED BY submission_tenant CROSS JOIN message m"
            " ON m.id >= s.first_message_id AND m.id < s.first_message_id + s.message_count"
        )
        filters.append("s.tenant_id = :tenant")
        if before is not None:
            filters.append("s.first_message_id < :before")
        order = "s.id DESC, m.id DESC"
    query = QUERIES["message_page"].format(source=source, filters=" AND ".join(filters), order=order)
    return [_message(row) for row in json.loads(connection.execute(query, values).get)]


def _conditions(wanted: MessageFilter) -> list[tuple[str, str, Any]]:
    """Give the conditions that are set: the name of the bound value, the constant text, the value."""
    traffic_class = None if wanted.traffic_class is None else int(wanted.traffic_class)
    dead = None if wanted.dead is None else DEAD * wanted.dead
    possible = [
        ("class", "m.class = :class", traffic_class),
        ("destination", "m.destination = :destination", wanted.destination),
        ("sender", "s.sender = :sender", wanted.sender or None),
        ("channel", "m.channel_id = (SELECT id FROM channel WHERE name = :channel)", wanted.channel or None),
        ("request_id", "s.request_id = :request_id", wanted.request_id or None),
        ("since", "s.accepted_at >= :since", wanted.since),
        ("until", "s.accepted_at < :until", wanted.until),
        ("dead", f"(m.flags & {DEAD}) = :dead", dead),
    ]
    return [condition for condition in possible if condition[2] is not None]


def events(connection: apsw.Connection, tenant_id: int, after: int, limit: int) -> list[Row]:
    """Read events after a cursor."""
    rows = _many(connection, "events_after", tenant_id, after, limit)
    for row in rows:
        row["state"] = _STATES[row["state"]]
        row["possible_duplicate"] = bool(row.pop("flags") & POSSIBLE_DUPLICATE)
    return list(rows)


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
                    "class": _CLASSES[traffic_class],
                    "count": count,
                    "oldest_due_at": oldest,
                }
            )
    return rows
