"""Inbound events on their way into a ledger: recognised, cleaned, laid out; and read back. Shared by the engines."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loa.ports.records import InboundEvent, NewInbound

KEY_MAX: Final = 200
"""A longer key is known by its digest: an index takes no value of any length."""
EMPTY: Final = "{}"
NOBODY: Final[Sequence[int | None]] = (None,)


@dataclass(slots=True, eq=False)
class Incoming:
    """One event of a commit, the first with its key there. `id`: its row, 0 until it is known to be new."""

    event: NewInbound
    key: str
    id: int = 0


def incoming(calls: Iterable[Sequence[NewInbound]]) -> list[list[Incoming]]:
    """Name the events of each call, without those that repeat one before them."""
    seen: set[tuple[int, str]] = set()
    named = []
    for call in calls:
        own = []
        for event in call:
            key = stored_key(event.key)
            if (event.channel_id, key) not in seen:
                seen.add((event.channel_id, key))
                own.append(Incoming(event, key))
        named.append(own)
    return named


def counts(named: Iterable[Iterable[Incoming]]) -> list[int]:
    """Count what is new, for each call."""
    return [sum(each.id > 0 for each in call) for call in named]


def stored_key(key: str) -> str:
    """Give a key as it is stored."""
    cleaned = _clean(key)
    return cleaned if len(cleaned) <= KEY_MAX else hashlib.sha256(cleaned.encode()).hexdigest()


def _clean(text: str) -> str:
    """Replace what no ledger can hold: providers pass on what people and their telephones wrote."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def row_of(found: Incoming) -> list[Any]:
    """Lay out a new event: tenant, subject, its two times, channel, kind, key and body; `raw` crosses by itself."""
    event = found.event
    return [
        event.tenant_id or 0,
        event.subject,
        event.at,
        event.received_at,
        event.channel_id,
        _clean(event.kind),
        found.key,
        _body_text(event.body),
    ]


def _body_text(body: Mapping[str, Any]) -> str:
    return json.dumps(dict(body), ensure_ascii=False).encode("utf-8", "replace").decode() if body else EMPTY


def tenants_of(fresh: Iterable[Incoming]) -> list[int]:
    """Name the tenants who are to be told."""
    return sorted({each.event.tenant_id for each in fresh if each.event.tenant_id})


def event_rows(fresh: Iterable[Incoming], endpoints: Iterable[Sequence[int]]) -> list[list[Any]]:
    """Lay out what tenants are told: tenant, id below 0, place, time, channel, endpoint, due time.

    The first of an event's rows is its entry in the feed; the others are there for further endpoints.
    Shapes: an endpoint as tenant, id.
    """
    told: dict[int, list[int]] = {}
    for owner, wanted in endpoints:
        told.setdefault(owner, []).append(wanted)
    rows: list[list[Any]] = []
    for each in fresh:
        event = each.event
        if not event.tenant_id:
            continue
        for place, endpoint_id in enumerate(told.get(event.tenant_id) or NOBODY, start=1):
            due_at = None if endpoint_id is None else event.received_at
            rows.append([event.tenant_id, -each.id, place, event.received_at, event.channel_id, endpoint_id, due_at])
    return rows


def read_inbound(row: Sequence[Any]) -> InboundEvent:
    """Read an event: id, kind, channel's name, subject, body, raw, and the times it came and happened."""
    number, kind, channel, subject, body, raw, received_at, at = row
    return InboundEvent(number, kind, channel, subject, json.loads(body), raw, received_at, at)
