"""Inbound events: stored once, told to their tenants in the feed and by callbacks."""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import Any

import apsw

from loa.ledger import hearing
from loa.ledger.hearing import Incoming
from loa.ledger.sqlite.unit import QUERIES, Unit
from loa.ports.records import DueCallback, InboundEvent, NewInbound


def take(unit: Unit, calls: list[Sequence[NewInbound]]) -> list[int]:
    """Store what is new of the events of one commit, and tell of it."""
    named = hearing.incoming(calls)
    events = [each for call in named for each in call]
    if events:
        wanted = [[index, each.event.channel_id, each.key] for index, each in enumerate(events)]
        known = set(unit.rows("known_inbound", wanted))
        _store(unit, [each for index, each in enumerate(events) if index not in known])
    return hearing.counts(named)


def _store(unit: Unit, fresh: list[Incoming]) -> None:
    if not fresh:
        return
    for each in fresh:
        each.id = unit.next_inbound_id
        unit.next_inbound_id += 1
    unit.run("insert_inbound", [[each.id, *hearing.row_of(each), each.event.raw.hex()] for each in fresh])
    tenants = hearing.tenants_of(fresh)
    if not tenants:
        return
    rows = []
    for row in hearing.event_rows(fresh, unit.rows("inbound_endpoints", tenants)):
        rows.append([unit.next_event_id, *row])
        unit.next_event_id += 1
    unit.run("insert_inbound_events", rows)


def read_callbacks(
    connection: apsw.Connection, ids: list[int], endpoint: Callable[[int], tuple[str, tuple[str, ...]]]
) -> list[DueCallback]:
    """Read callbacks that tell of inbound events; others are left out."""
    rows = json.loads(connection.execute(QUERIES["read_inbound_callbacks"], (json.dumps(ids),)).get)
    return [_callback(row, *endpoint(row[2])) for row in rows]


def _callback(row: Sequence[Any], url: str, secrets: tuple[str, ...]) -> DueCallback:
    number, tenant_id, endpoint_id, tries, sequence, at, *told = row
    return DueCallback(
        id=number,
        tenant_id=tenant_id,
        endpoint_id=endpoint_id,
        url=url,
        secrets=secrets,
        tries=tries,
        sequence=sequence,
        occurred_at=at,
        inbound=read_told(told),
    )


def read_told(row: Sequence[Any]) -> InboundEvent:
    """Read an inbound event, see `hearing.read_inbound`; what came crosses in hexadecimal digits."""
    return hearing.read_inbound([*row[:5], bytes.fromhex(row[5]), *row[6:]])


def purge(unit: Unit, limit: int, now: int, keep_ms: Mapping[str, int]) -> int:
    """Forget what events said, whom they were about, and in the end that they were."""
    numbers = now - keep_ms["numbers"]
    # What an event says names whom it is about.
    gone = unit.changed("forget_inbound_content", max(now - keep_ms["content"], numbers), limit)
    gone += unit.changed("forget_inbound_subjects", numbers, limit)
    before = now - keep_ms["history"]
    old = [row[0] for row in takewhile(lambda row: row[1] < before, unit.rows("first_inbound", limit))]
    if old:
        first, last = old[0], old[-1]
        for name in ("purge_tries", "purge_events"):
            gone += unit.changed(name, -last, last - first + 1)
        gone += unit.changed("purge_inbound", first, last)
    return gone
