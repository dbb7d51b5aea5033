"""Callbacks that are due: claimed for a while, read whole, and what came of each try."""

import json
from collections.abc import Sequence
from typing import Any

import apsw

from loa.domain.cost import read_bill
from loa.domain.lifecycle import State
from loa.domain.standing import POSSIBLE_DUPLICATE
from loa.ledger.sealing import open_secrets
from loa.ledger.sqlite import inbound
from loa.ledger.sqlite.costs import costs_of
from loa.ledger.sqlite.unit import QUERIES, Unit
from loa.ledger.turns import round_robin
from loa.ports.records import CallbackTry, DueCallback
from loa.seal.sealer import Sealer

DueCall = tuple[int, int, int, int, Sequence[int]]
HealthCall = tuple[int, int | None, int | None, str]
ReplayCall = tuple[int, Sequence[int], int | None, int, int]
STATES = {s.value: s for s in State}


def claim_due(unit: Unit, calls: list[DueCall]) -> list[list[DueCallback]]:
    """Claim due callbacks for each caller."""
    return [_claim_due(unit, *call) for call in calls]


def _claim_due(
    unit: Unit, limit: int, per_endpoint: int, now: int, until: int, skip: Sequence[int]
) -> list[DueCallback]:
    endpoints = unit.rows("endpoints_with_due", now, list(skip))
    if not endpoints:
        return []
    share = max(1, min(per_endpoint, limit // len(endpoints)))
    found: list[list[int]] = unit.rows("due_callbacks", endpoints, now, share)
    ids = round_robin(found)[:limit]
    unit.run("hold_callbacks", ids, until)
    return read(unit.connection, unit.sealer, ids)


def read(connection: apsw.Connection, sealer: Sealer, ids: list[int]) -> list[DueCallback]:
    """Read callbacks as they are posted, in the order of their ids; one whose message is forgotten is left out."""
    endpoints: dict[int, tuple[str, tuple[str, ...]]] = {}

    def endpoint(endpoint_id: int) -> tuple[str, tuple[str, ...]]:
        if endpoint_id not in endpoints:
            endpoints[endpoint_id] = _endpoint(connection, sealer, endpoint_id)
        return endpoints[endpoint_id]

    rows = json.loads(connection.execute(QUERIES["read_callbacks"], (json.dumps(ids),)).get)
    bills = {row[4]: read_bill(row[18]) for row in rows if row[18]}
    costs = costs_of(connection, bills) if bills else {}
    callbacks = []
    for row in rows:
        endpoint_id, message_id, bill = row[2], row[4], row[18]
        url, secrets = endpoint(endpoint_id)
        callbacks.append(
            DueCallback(
                id=row[0],
                tenant_id=row[1],
                endpoint_id=endpoint_id,
                url=url,
                secrets=secrets,
                tries=row[3],
                message_id=message_id,
                sequence=row[5],
                state=STATES[row[6]],
                error=row[7],
                occurred_at=row[8],
                possible_duplicate=bool(row[9] & POSSIBLE_DUPLICATE),
                double_reach=bills[message_id].double_reach if bill else False,
                cost=costs[message_id] if bill else 0,
                destination=row[10],
                channel=row[11],
                segment_count=row[12],
                referent_id=row[13],
                request_id=row[14],
                sent_at=row[15],
                handed_over_at=row[16],
                metadata=row[17],
            )
        )
    if len(callbacks) == len(ids):
        return callbacks
    order = {number: place for place, number in enumerate(ids)}
    told = inbound.read_callbacks(connection, ids, endpoint)
    return sorted([*callbacks, *told], key=lambda callback: order[callback.id])


def _endpoint(connection: apsw.Connection, sealer: Sealer, endpoint_id: int) -> tuple[str, tuple[str, ...]]:
    query = "SELECT tenant_id, url, secrets FROM endpoint WHERE id = ?"
    row: Any = connection.execute(query, (endpoint_id,)).fetchall()[0]
    tenant_id, url, secrets = row
    return url, open_secrets(sealer, tenant_id, url, secrets)


def record_tries(unit: Unit, calls: list[Sequence[CallbackTry]]) -> list[None]:
    """Record tries of callbacks."""
    tries = [one for call in calls for one in call]
    if tries:
        unit.run(
            "insert_tries",
            [[t.callback_id, t.number, t.at, t.status, t.error, t.excerpt, t.elapsed_ms] for t in tries],
        )
        unit.run("close_callbacks", [_close(t) for t in tries])
    return [None] * len(calls)


def _close(t: CallbackTry) -> list[Any]:
    over = t.next_at is None
    result = "delivered" if t.delivered else "failed" if over else ""
    return [t.callback_id, t.number, t.next_at, t.at if over else None, result]


def next_callback_due(unit: Unit, calls: list[None]) -> list[int | None]:
    """Give when the next callback is due."""
    due = unit.value("next_callback_due")
    return [due] * len(calls)


def set_endpoint_health(unit: Unit, calls: list[HealthCall]) -> list[None]:
    """Note how endpoints do."""
    for endpoint_id, failing_since, disabled_at, reason in calls:
        unit.run("set_endpoint_health", endpoint_id, failing_since, disabled_at, reason)
        unit.connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'revision'")
    return [None] * len(calls)


def replay(unit: Unit, calls: list[ReplayCall]) -> list[int]:
    """Make callbacks due again."""
    counts = []
    for tenant_id, ids, endpoint_id, since, now in calls:
        count = unit.changed("replay_callbacks", list(ids), now, tenant_id) if ids else 0
        if endpoint_id is not None:
            count += unit.changed("replay_failed", endpoint_id, now, since, tenant_id)
        counts.append(count)
    return counts
