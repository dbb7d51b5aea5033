"""How what is read from a ledger is laid out for people and programs; shared by the engines."""

import hmac
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from loa.domain.cost import Attempted, Tried, charges_of, read_bill, total
from loa.domain.ids import REFERENT_DIGITS, REFERENT_PREFIX
from loa.domain.lifecycle import State
from loa.domain.receipt import stored_form
from loa.domain.standing import (
    ARRIVED,
    DEAD,
    DEALT_WITH,
    DOUBLE_REACH,
    GO_ON_WANTED,
    POSSIBLE_DUPLICATE,
    RESEND_WANTED,
    SETTLED_BY_HAND,
    SETTLED_UNKNOWN,
)
from loa.domain.traffic import OnUnknown, TrafficClass
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
    flags = row["flags"]
    row["state"] = STATE_LABELS[row["state"]]
    row["class"] = CLASS_LABELS[row["class"]]
    row["possible_duplicate"] = bool(flags & POSSIBLE_DUPLICATE)
    row["double_reach"] = bool(flags & DOUBLE_REACH)
    row["dead"] = bool(flags & DEAD)
    row["final_unknown"] = bool(flags & SETTLED_UNKNOWN)
    row["settled_by_hand"] = bool(flags & SETTLED_BY_HAND)
    row["dealt_with"] = bool(flags & DEALT_WITH)
    row["after_wait"] = _after_wait(flags).value
    return row


def _after_wait(flags: int) -> OnUnknown:
    if flags & RESEND_WANTED:
        return OnUnknown.RESEND_ONCE
    return OnUnknown.NEXT_STEP if flags & GO_ON_WANTED else OnUnknown.NEVER


def figure(row: Read) -> Read:
    """Lay out a figure."""
    row["class"] = CLASS_LABELS[row["class"]]
    return row


def event(row: Read, costs: Mapping[int, int]) -> Read:
    """Lay out an event of the feed; `costs`: of messages as they stand now, 0 where there is none."""
    row["state"] = STATE_LABELS[row["state"]]
    row["possible_duplicate"] = bool(row.pop("flags") & POSSIBLE_DUPLICATE)
    bill = row.pop("bill")
    row["double_reach"] = read_bill(bill).double_reach if bill else False
    row["cost"] = costs.get(row["message_id"], 0)
    row["inbound"] = None
    return row


def inbound_event(row: Read, told: InboundEvent) -> Read:
    """Lay out an event of the feed that tells of an inbound event."""
    return {"id": row["id"], "at": row["at"], "inbound": told}


def refs_of(attempts: Iterable[Read]) -> list[tuple[int, str]]:
    """Name the (channel, reference) pairs of attempts."""
    return [(a["channel_id"], form) for a in attempts for _raw, form in a["refs"] if form]


def arrived_before(row: Read) -> bool:
    """Tell whether an attempt before the last one of a message arrived."""
    return bool(row["flags"] & ARRIVED)


def timeline(
    row: Read,
    attempts: list[Read],
    segments: Iterable[Read],
    receipts: Collection[Read],
    rulings: list[Read],
    events: list[Read],
    tried: Iterable[Attempted],
) -> Read:
    """Lay out a message with everything that happened to it; `tried` is asked for where `arrived_before` says so."""
    known = {(s["channel_id"], s["ref"], s["number"], s["segment"]): s for s in segments}
    _charge(row, attempts, {number for _id, number, _channel, _outcome, proven in tried if proven})
    for attempt in attempts:
        channel_id = attempt.pop("channel_id")
        attempt["segments"] = [
            _segment(raw, index, known.get((channel_id, form, attempt["number"], index)))
            for index, (raw, form) in enumerate(attempt.pop("refs"))
        ]
    for receipt in receipts:
        receipt["state"] = STATE_LABELS.get(receipt["state"])
    row["attempts_made"] = row["attempts"]
    row["attempts"] = attempts
    row["receipts"] = sorted(receipts, key=lambda r: r["received_at"])
    row["rulings"] = rulings
    row["callbacks"] = [_callback(e) for e in events if e["endpoint_id"] is not None]
    shown = ("id", "sequence", "state", "at", "error", "channel")
    row["events"] = [{**{name: e[name] for name in shown}, "state": STATE_LABELS[e["state"]]} for e in events]
    return row


def _charge(row: Read, attempts: Iterable[Read], proven: Collection[int]) -> None:
    """Say what each attempt costs, and the whole."""
    tried = [Tried(each["channel_id"], each["outcome"], each["number"] in proven) for each in attempts]
    charges = charges_of(row.pop("plan"), State[row["state"].upper()], row["flags"], tried)
    row["cost"] = total(charges)
    for attempt, charge in zip(attempts, charges, strict=True):
        attempt["price"], attempt["charged"] = charge


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


IS_DEAD: Final = f"m.flags & {DEAD} <> 0"
"""As the index of dead letters has it, so that it serves."""
DISORDER_MS: Final = 3_600_000
"""How far apart two submissions may have been accepted in another order than their ids have."""
BISECT_FROM: Final = 10_000
"""A span of fewer submissions is read through instead of being bisected."""


def is_narrow(wanted: MessageFilter) -> bool:
    """Tell whether a filter leaves out messages that no index leaves out."""
    return bool(
        wanted.states
        or wanted.traffic_class is not None
        or wanted.dead is not None
        or any((wanted.sender, wanted.channel, wanted.request_id, wanted.error))
    )


Spelling = Callable[[str, Any], str]
"""Binds a value under a name and gives how the query spells it."""


def conditions(wanted: MessageFilter, bind: Spelling) -> list[str]:
    """Give the conditions of a list of messages, made of constants and bound values only."""
    traffic_class = None if wanted.traffic_class is None else int(wanted.traffic_class)
    dead = None if wanted.dead is None else DEAD * wanted.dead
    dealt_with = None if wanted.dealt_with is None else DEALT_WITH * wanted.dealt_with
    possible = [
        ("class", "m.class = {}", traffic_class),
        ("destination", "m.destination = {}", wanted.destination),
        ("sender", "s.sender = {}", wanted.sender or None),
        ("channel", "m.channel_id = (SELECT id FROM channel WHERE name = {})", wanted.channel or None),
        ("request_id", "s.request_id = {}", wanted.request_id or None),
        ("error", "m.error = {}", wanted.error or None),
        ("since", "s.accepted_at >= {}", wanted.since),
        ("until", "s.accepted_at < {}", wanted.until),
        ("dead", f"(m.flags & {DEAD}) = {{}}", dead),
        ("dealt_with", f"(m.flags & {DEALT_WITH}) = {{}}", dealt_with),
    ]
    bound = [text.format(bind(name, value)) for name, text, value in possible if value is not None]
    return [*bound, IS_DEAD] if wanted.dead else bound
