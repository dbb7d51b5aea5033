"""How what is read from a ledger is laid out for people and programs; shared by the engines."""

import hmac
from collections.abc import Callable, Collection, Iterable
from typing import Any

from loa.domain.cost import charge_of
from loa.domain.ids import REFERENT_DIGITS, REFERENT_PREFIX
from loa.domain.lifecycle import State
from loa.domain.receipt import stored_form
from loa.domain.routes import read_plan
from loa.domain.standing import DEAD, DOUBLE_REACH, POSSIBLE_DUPLICATE, SETTLED_UNKNOWN
from loa.domain.traffic import TrafficClass
from loa.ports.records import InboundEvent, MessageFilter

Read = dict[str, Any]

STATE_LABELS = {state.value: state.label for state in State}
CLASS_LABELS = {c.value: c.label for c in TrafficClass}


def submission(row: Read) -> Read:
    """Lay out a submission."""
    row["class"] = CLASS_LABELS[row["class"]]
    row["scheduled"] = bool(row["scheduled"])
    return row


def referent_of(token: str) -> str:
    """Give the referent id that a token begins with."""
    return f"{REFERENT_PREFIX}{token[:REFERENT_DIGITS]}"


def holds(row: Read | None, token: str) -> bool:
    """Tell whether a submission was found and the token is its own, in the same time for every wrong one."""
    return row is not None and hmac.compare_digest(row["token"].encode(), token.encode())


def message(row: Read) -> Read:
    """Lay out a message."""
    flags = row.pop("flags")
    row["state"] = STATE_LABELS[row["state"]]
    row["class"] = CLASS_LABELS[row["class"]]
    row["possible_duplicate"] = bool(flags & POSSIBLE_DUPLICATE)
    row["double_reach"] = bool(flags & DOUBLE_REACH)
    row["dead"] = bool(flags & DEAD)
    row["final_unknown"] = bool(flags & SETTLED_UNKNOWN)
    return row


def event(row: Read) -> Read:
    """Lay out an event of the feed."""
    row["state"] = STATE_LABELS[row["state"]]
    row["possible_duplicate"] = bool(row.pop("flags") & POSSIBLE_DUPLICATE)
    row["inbound"] = None
    return row


def inbound_event(row: Read, told: InboundEvent) -> Read:
    """Lay out an event of the feed that tells of an inbound event."""
    return {"id": row["id"], "at": row["at"], "inbound": told}


def refs_of(attempts: Iterable[Read]) -> list[tuple[int, str]]:
    """Name the (channel, reference) pairs of attempts."""
    return [(a["channel_id"], form) for a in attempts for _raw, form in a["refs"] if form]


def timeline(
    row: Read, attempts: list[Read], segments: Iterable[Read], receipts: Collection[Read], events: list[Read]
) -> Read:
    """Lay out a message with everything that happened to it."""
    known = {(s["channel_id"], s["ref"], s["number"], s["segment"]): s for s in segments}
    plan = read_plan(row.pop("plan"))
    row["cost"] = 0
    for attempt in attempts:
        channel_id = attempt.pop("channel_id")
        arrived = _arrived(attempt["refs"], receipts)
        price, due = charge_of(plan, channel_id, attempt["outcome"], delivered=arrived)
        attempt["price"], attempt["charged"] = price, due
        row["cost"] += price if due else 0
        attempt["segments"] = [
            _segment(raw, index, known.get((channel_id, form, attempt["number"], index)))
            for index, (raw, form) in enumerate(attempt.pop("refs"))
        ]
    for receipt in receipts:
        receipt["state"] = STATE_LABELS.get(receipt["state"])
    row["attempts_made"] = row["attempts"]
    row["attempts"] = attempts
    row["receipts"] = sorted(receipts, key=lambda r: r["received_at"])
    row["callbacks"] = [_callback(e) for e in events if e["endpoint_id"] is not None]
    shown = ("id", "sequence", "state", "at", "error", "channel")
    row["events"] = [{**{name: e[name] for name in shown}, "state": STATE_LABELS[e["state"]]} for e in events]
    return row


def _arrived(refs: Iterable[tuple[str, str]], receipts: Iterable[Read]) -> bool:
    """Tell whether a receipt proves that an attempt with these references was delivered."""
    forms = {form for _raw, form in refs if form}
    return any(receipt["state"] == State.DELIVERED and receipt["ref"] in forms for receipt in receipts)


def _segment(raw: str, index: int, found: Read | None) -> Read:
    return {
        "segment": index,
        "provider_ref": raw,
        "stored_ref": stored_form(raw) if raw else "",
        "state": STATE_LABELS.get(found["state"]) if found else None,
        "at": found["at"] if found else None,
    }


def _callback(event: Read) -> Read:
    return {
        "id": event["id"],
        "sequence": event["sequence"],
        "state": STATE_LABELS[event["state"]],
        "endpoint_id": event["endpoint_id"],
        "url": event["url"],
        "due_at": event["due_at"],
        "done_at": event["done_at"],
        "result": event["result"],
        "tries": sorted(event["tries"], key=lambda t: t["number"]),
    }


Spelling = Callable[[str, Any], str]
"""Binds a value under a name and gives how the query spells it."""


def conditions(wanted: MessageFilter, bind: Spelling) -> list[str]:
    """Give the conditions of a list of messages, made of constants and bound values only."""
    traffic_class = None if wanted.traffic_class is None else int(wanted.traffic_class)
    dead = None if wanted.dead is None else DEAD * wanted.dead
    possible = [
        ("class", "m.class = {}", traffic_class),
        ("destination", "m.destination = {}", wanted.destination),
        ("sender", "s.sender = {}", wanted.sender or None),
        ("channel", "m.channel_id = (SELECT id FROM channel WHERE name = {})", wanted.channel or None),
        ("request_id", "s.request_id = {}", wanted.request_id or None),
        ("since", "s.accepted_at >= {}", wanted.since),
        ("until", "s.accepted_at < {}", wanted.until),
        ("dead", f"(m.flags & {DEAD}) = {{}}", dead),
    ]
    return [text.format(bind(name, value)) for name, text, value in possible if value is not None]
