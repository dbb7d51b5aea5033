"""Callbacks that are due: claimed for a while, read whole, and what came of each try."""

import json
import time
from collections.abc import Sequence
from typing import Any

from loa.domain.cost import costs_at_once, costs_by_attempts, read_bill
from loa.domain.lifecycle import State
from loa.domain.standing import POSSIBLE_DUPLICATE
from loa.ledger.postgres import inbound
from loa.ledger.postgres.days import day_start
from loa.ledger.postgres.marks import CALLBACKS
from loa.ledger.postgres.statements import by_day, columns
from loa.ledger.postgres.unit import Unit
from loa.ledger.sealing import open_secrets
from loa.ledger.turns import round_robin
from loa.ports.records import CallbackTry, DueCallback
from loa.seal.sealer import Sealer

DueCall = tuple[int, int, int, int, Sequence[int]]
HealthCall = tuple[int, int | None, int | None, str]
ReplayCall = tuple[int, Sequence[int], int | None, int, int]


async def claim_due(unit: Unit, calls: list[DueCall]) -> list[list[DueCallback]]:
    """Claim due callbacks for each caller."""
    return [await _claim_due(unit, *call) for call in calls]


async def _claim_due(
    unit: Unit, limit: int, per_endpoint: int, now: int, until: int, skip: Sequence[int]
) -> list[DueCallback]:
    held = await _hold(unit, limit, per_endpoint, now, until, skip)
    if not held:
        return []
    of_messages = [tuple(row)[:3] for row in held if row["message_id"] > 0]
    rows = await unit.write_by_day("read_callbacks", of_messages, 1)
    costs = await _costs(unit, rows)
    read = [_callback(row, unit.shared.sealer, costs.get(row["message_id"], 0)) for row in rows]
    if len(of_messages) < len(held):
        read += await inbound.read_callbacks(unit, [row for row in held if row["message_id"] < 0])
    found: dict[int, list[DueCallback]] = {}
    for callback in sorted(read, key=lambda c: (c.occurred_at, c.id)):
        found.setdefault(callback.endpoint_id, []).append(callback)
    return round_robin(list(found.values()))


async def _hold(unit: Unit, limit: int, per_endpoint: int, now: int, until: int, skip: Sequence[int]) -> list[Any]:
    """Claim the rows, from the marks of the endpoints on."""
    marks, moment = unit.shared.marks, time.monotonic()
    endpoints = marks.of(CALLBACKS)
    starts = [marks.start((endpoint_id, CALLBACKS), moment) for endpoint_id in endpoints]
    values = (now, list(skip), 1, per_endpoint, limit, until, unit.shared.node.boot, endpoints, starts)
    held = await unit.rows("hold_callbacks", *values)
    took = time.monotonic() - moment
    for endpoint_id, start in zip(endpoints, starts, strict=True):
        if start == 0 and endpoint_id not in skip:
            marks.swept((endpoint_id, CALLBACKS), moment, took)
    reached: dict[int, int] = {}
    for row in held:
        reached[row["endpoint_id"]] = max(row["due_at"], reached.get(row["endpoint_id"], 0))
    for endpoint_id, due_at in reached.items():
        marks.reached((endpoint_id, CALLBACKS), due_at, now)
    return held


async def _costs(unit: Unit, rows: list[Any]) -> dict[int, int]:
    """Give what messages cost, by their ids; attempts are read only of those for which it takes them."""
    bills = {row["message_id"]: read_bill(row["bill"]) for row in rows if row["bill"]}
    costs = costs_at_once(bills)
    if len(costs) < len(bills):
        places = {(row["tenant_id"], row["message_id"]) for row in rows if row["bill"]}
        unclear = [place for place in places if place[1] not in costs]
        since = day_start(min(message_id for _tenant, message_id in unclear))
        costs |= costs_by_attempts(bills, map(tuple, await unit.write_by_day("tried_of", unclear, 1, since)))
    return costs


def _callback(row: Any, sealer: Sealer, cost: int) -> DueCallback:
    return DueCallback(
        id=row["id"],
        tenant_id=row["tenant_id"],
        endpoint_id=row["endpoint_id"],
        url=row["url"],
        secrets=open_secrets(sealer, row["tenant_id"], row["url"], row["secrets"]),
        tries=row["tries"],
        message_id=row["message_id"],
        sequence=row["sequence"],
        state=State(row["state"]),
        error=row["error"],
        occurred_at=row["at"],
        possible_duplicate=bool(row["flags"] & POSSIBLE_DUPLICATE),
        double_reach=read_bill(row["bill"]).double_reach if row["bill"] else False,
        cost=cost,
        destination=row["destination"],
        channel=row["channel"],
        segment_count=row["segment_count"],
        referent_id=row["referent_id"],
        request_id=row["request_id"],
        sent_at=row["sent_at"],
        handed_over_at=row["handed_over_at"],
        metadata=None if row["metadata"] is None else json.loads(row["metadata"]),
    )


async def record_tries(unit: Unit, calls: list[Sequence[CallbackTry]]) -> list[None]:
    """Record tries of callbacks, in one statement."""
    tries = sorted((one for call in calls for one in call), key=lambda t: t.callback_id)
    if tries:
        rows = [[t.callback_id, t.number, t.at, t.status, t.error, t.excerpt, t.elapsed_ms] for t in tries]
        taken = [t.callback_id for t in tries if t.delivered]
        failed = [_put_off(t) for t in tries if not t.delivered]
        await unit.run("record_tries", *columns(rows), taken, *(columns(failed) if failed else [[]] * 5))
    return [None] * len(calls)


def _put_off(t: CallbackTry) -> list[Any]:
    over = t.next_at is None
    return [t.callback_id, t.number, t.next_at, t.at if over else None, "failed" if over else ""]


async def next_callback_due(unit: Unit, calls: list[None]) -> list[int | None]:
    """Give when the next callback is due."""
    marks, moment = unit.shared.marks, time.monotonic()
    endpoints = marks.of(CALLBACKS)
    starts = [marks.start((endpoint_id, CALLBACKS), moment) for endpoint_id in endpoints]
    due = await unit.value("next_callback_due", endpoints, starts)
    return [due] * len(calls)


async def set_endpoint_health(unit: Unit, calls: list[HealthCall]) -> list[None]:
    """Note how endpoints do."""
    for call in calls:
        await unit.run("set_endpoint_health", *call)
    await unit.run("bump_revision")
    return [None] * len(calls)


async def replay(unit: Unit, calls: list[ReplayCall]) -> list[int]:
    """Make callbacks due again."""
    counts = []
    for tenant_id, ids, endpoint_id, since, now in calls:
        count = 0
        for day, group in by_day(ids, int):
            if await unit.keeps(day):
                count += len(await unit.rows("replay_callbacks", tenant_id, group, now, day=day))
        if endpoint_id is not None:
            count += len(await unit.rows("replay_failed", tenant_id, endpoint_id, since, now))
        counts.append(count)
    unit.wakes = True
    return counts
