"""Inbound events: stored once, told to their tenants in the feed and by callbacks."""

from collections.abc import Mapping, Sequence
from typing import Any

from loa.domain.lifecycle import State
from loa.ledger import hearing
from loa.ledger.hearing import Incoming
from loa.ledger.postgres.days import day_of
from loa.ledger.postgres.statements import IMPORTED
from loa.ledger.postgres.unit import Unit
from loa.ledger.sealing import open_secrets
from loa.ports.records import DueCallback, InboundEvent, NewInbound


async def take(unit: Unit, calls: list[Sequence[NewInbound]]) -> list[int]:
    """Store what is new of the events of one commit, and tell of it."""
    named = hearing.incoming(calls)
    events = {(each.event.channel_id, each.key): each for call in named for each in call}
    if events:
        await unit.shared.days.ensure(each.event.received_at for each in events.values())
        # In one order everywhere, so that two processes never wait for each other crosswise.
        rows = [[*key, events[key].event.received_at] for key in sorted(events)]
        new = {(row["channel_id"], row["key"]) for row in await unit.write("new_inbound_keys", rows)}
        await _store(unit, [each for key, each in events.items() if key in new])
    return hearing.counts(named)


async def _store(unit: Unit, fresh: list[Incoming]) -> None:
    if not fresh:
        return
    stored = await unit.write("insert_inbound", [[*hearing.row_of(each), each.event.raw] for each in fresh])
    for each, row in zip(fresh, stored, strict=True):
        each.id = row["id"]
    tenants = hearing.tenants_of(fresh)
    if not tenants:
        return
    wanted = await unit.rows("inbound_endpoints", tenants)
    rows = [
        [tenant_id, told_of, place, State.QUEUED, at, "", 0, channel_id, endpoint_id, due_at]
        for tenant_id, told_of, place, at, channel_id, endpoint_id, due_at in hearing.event_rows(fresh, wanted)
    ]
    await unit.write("insert_events", rows, max(each.event.received_at for each in fresh))
    unit.wakes = True


async def read_callbacks(unit: Unit, held: Sequence[Any]) -> list[DueCallback]:
    """Read claimed callbacks that tell of inbound events. Shapes: rows of `hold_callbacks`."""
    wanted = [(row["tenant_id"], -row["message_id"], row["event_id"]) for row in held]
    return [_callback(unit, row) for row in await unit.write_by_day("read_inbound_callbacks", wanted, 1)]


def _callback(unit: Unit, row: Any) -> DueCallback:
    return DueCallback(
        id=row["event_id"],
        tenant_id=row["tenant_id"],
        endpoint_id=row["endpoint_id"],
        url=row["url"],
        secrets=open_secrets(unit.shared.sealer, row["tenant_id"], row["url"], row["secrets"]),
        tries=row["tries"],
        sequence=row["sequence"],
        occurred_at=row["told_at"],
        inbound=read_told(row),
    )


def read_told(row: Mapping[str, Any]) -> InboundEvent:
    """Read an inbound event from a row that names its members."""
    names = ("id", "kind", "channel", "subject", "body", "raw", "received_at", "at")
    return hearing.read_inbound([row[name] for name in names])


async def purge(unit: Unit, limit: int, now: int, keep_ms: Mapping[str, int]) -> int:
    """Forget what events said, whom they were about, and of those that were imported that they were.

    Others go with their day.
    """
    numbers, history = now - keep_ms["numbers"], now - keep_ms["history"]
    # What an event says names whom it is about.
    gone = await _forget(unit, "forget_inbound_content", 2, max(now - keep_ms["content"], numbers), limit)
    gone += await _forget(unit, "forget_inbound_subjects", 1, numbers, limit)
    await unit.run("purge_inbound_keys", max(history, numbers), limit)
    return gone + len(await unit.rows("purge_imported_inbound", history, limit, day=IMPORTED))


async def _forget(unit: Unit, name: str, kept: int, before: int, limit: int) -> int:
    """Forget day by day; a day that is wholly past its time and has nothing left is not looked at again."""
    gone = 0
    for day, _, _ in await unit.rows("days_to_forget", name, day_of(before)):
        gone += len(await unit.rows(name, before, limit - gone, day=day))
        if gone >= limit:
            break
        if day < day_of(before) and not await unit.value("inbound_left", kept, day=day):
            await unit.run("note_forgotten", name, day, 0, 0, True)
    return gone
