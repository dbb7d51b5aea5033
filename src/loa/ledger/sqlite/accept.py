"""Writing submissions down and taking them back."""

import base64
import os
from collections.abc import Sequence
from typing import Any

from loa.domain.lifecycle import State
from loa.domain.routes import RoutePlan, plan_text
from loa.ledger.placing import Placing, wanted_keys
from loa.ledger.rows import submission_values
from loa.ledger.sealing import open_secrets, seal_secrets
from loa.ledger.sqlite import standings
from loa.ledger.sqlite.unit import Unit
from loa.ports.probe import Point
from loa.ports.records import AcceptResult, NewSubmission


def accept(unit: Unit, submissions: list[NewSubmission]) -> list[AcceptResult]:
    """Write the submissions of one commit, or recognise repeats, also among themselves."""
    placing = Placing(unit.request_keep_ms)
    wanted = wanted_keys(submissions)
    if wanted:
        placing.know(unit.rows("find_request_keys", [list(pair) for pair in wanted]))
    results = [placing.place(new) for new in submissions]
    ids = _add(unit, placing.fresh)
    if placing.keyed:
        keys = [[s.tenant_id, s.request_id, s.fingerprint.hex(), ids[id(s)], s.accepted_at] for s in placing.keyed]
        unit.run("insert_request_keys", keys)
    if placing.warnings:
        unit.run("insert_warnings", placing.warnings)
    unit.probe.reached(Point.LEDGER_IN_ACCEPT)
    return results


def _add(unit: Unit, fresh: list[NewSubmission]) -> dict[int, int]:
    """Write new submissions with their messages; give the id of each, by the identity of its record."""
    ids: dict[int, int] = {}
    rows: list[Any] = []
    groups: list[Any] = []
    for new in fresh:
        first = unit.next_message_id
        for plan, destinations in new.plans:
            groups.append(_group(unit, new, plan, destinations))
            unit.next_message_id += len(destinations)
            unit.moved(plan[0].channel_id, int(new.traffic_class), len(destinations))
        rows.append(_row(unit, new, first))
        ids[id(new)] = unit.next_submission_id
        unit.next_submission_id += 1
    if rows:
        unit.run("insert_submissions", rows)
        unit.run("insert_messages", groups)
    return ids


def _group(unit: Unit, new: NewSubmission, plan: RoutePlan, destinations: Sequence[int]) -> list[Any]:
    return [
        unit.next_message_id,
        unit.next_submission_id,
        new.tenant_id,
        int(new.traffic_class),
        plan[0].channel_id,
        plan_text(plan),
        new.due_at,
        new.accepted_at,
        list(destinations),
    ]


def _row(unit: Unit, new: NewSubmission, first: int) -> list[Any]:
    endpoint_id = _endpoint(unit, new)
    every_step = endpoint_id is not None and _tells_every_step(unit, endpoint_id)
    values = submission_values(new, first, unit.next_message_id - first, endpoint_id, every_step)
    return [unit.next_submission_id, new.tenant_id, *values]


def _endpoint(unit: Unit, new: NewSubmission) -> int | None:
    """Give the endpoint of a submission; a callback URL of its own becomes an endpoint with the tenant's secret."""
    if not new.callback_url:
        return new.endpoint_id
    connection = unit.connection
    found = connection.execute(
        "SELECT id FROM endpoint WHERE tenant_id = ? AND url = ?", (new.tenant_id, new.callback_url)
    ).get
    if found is not None:
        return int(found)
    rows: Any = connection.execute(
        "SELECT url, secrets FROM endpoint WHERE tenant_id = ? ORDER BY id = ? DESC, id LIMIT 1",
        (new.tenant_id, new.endpoint_id or 0),
    ).fetchall()
    secrets = open_secrets(unit.sealer, new.tenant_id, *rows[0]) if rows else ()
    fresh = "whsec_" + base64.b64encode(os.urandom(32)).decode()
    connection.execute(
        "INSERT INTO endpoint (tenant_id, url, secrets) VALUES (?, ?, ?)",
        (
            new.tenant_id,
            new.callback_url,
            seal_secrets(unit.sealer, new.tenant_id, new.callback_url, secrets or (fresh,)),
        ),
    )
    connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'revision'")
    return connection.last_insert_rowid()


def _tells_every_step(unit: Unit, endpoint_id: int) -> bool:
    known = unit.every_step.get(endpoint_id)
    if known is None:
        known = bool(unit.connection.execute("SELECT every_step FROM endpoint WHERE id = ?", (endpoint_id,)).get)
        unit.every_step[endpoint_id] = known
    return known


def cancel(unit: Unit, calls: list[tuple[int, str, int]]) -> list[int | None]:
    """Cancel what is still queued of whole submissions."""
    return [_cancel_submission(unit, *call) for call in calls]


def _cancel_submission(unit: Unit, tenant_id: int, referent_id: str, now: int) -> int | None:
    span = unit.value("submission_span", referent_id, tenant_id)
    if span is None:
        return None
    queued = unit.rows("queued_in_span", *span)
    _cancel(unit, queued, now)
    return len(queued)


def cancel_message(unit: Unit, calls: list[tuple[int, int, int]]) -> list[bool | None]:
    """Cancel single messages that are still queued."""
    results: list[bool | None] = []
    for tenant_id, message_id, now in calls:
        state = unit.value("message_of_tenant", message_id, tenant_id)
        if state is None:
            results.append(None)
            continue
        if state == State.QUEUED:
            _cancel(unit, [message_id], now)
        results.append(state == State.QUEUED)
    return results


def _cancel(unit: Unit, ids: list[int], now: int) -> None:
    working = standings.read(unit, ids)
    for message in working.messages.values():
        message.move(State.CANCELLED, now)
    standings.write(unit, working, now)
