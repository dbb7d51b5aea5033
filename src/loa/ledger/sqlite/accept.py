"""Writing submissions down and taking them back."""

import base64
import json
import os
from dataclasses import dataclass
from typing import Any

from loa.domain.lifecycle import State
from loa.ledger.sqlite import standings
from loa.ledger.sqlite.unit import Unit
from loa.ports.probe import Point
from loa.ports.records import AcceptResult, Clash, NewSubmission, Repeat, Stored


@dataclass(slots=True)
class _Rows:
    """The rows of one commit, by table."""

    submissions: list[Any]
    groups: list[Any]
    keys: list[Any]
    warnings: list[Any]


@dataclass(frozen=True, slots=True)
class _Known:
    fingerprint: str
    at: int
    referent_id: str
    token: str
    answer: str


_KnownKeys = dict[tuple[int, str], list[_Known]]


def accept(unit: Unit, submissions: list[NewSubmission]) -> list[AcceptResult]:
    """Write the submissions of one commit, or recognise repeats, also among themselves."""
    known = _find_known(unit, submissions)
    rows = _Rows([], [], [], [])
    results = [_place(unit, submission, known, rows) for submission in submissions]
    if rows.submissions:
        unit.run("insert_submissions", rows.submissions)
        unit.run("insert_messages", rows.groups)
    if rows.keys:
        unit.run("insert_request_keys", rows.keys)
    if rows.warnings:
        unit.run("insert_warnings", rows.warnings)
    unit.probe.reached(Point.LEDGER_IN_ACCEPT)
    return results


def _find_known(unit: Unit, submissions: list[NewSubmission]) -> _KnownKeys:
    wanted = {(s.tenant_id, s.request_id) for s in submissions if s.request_id and s.fingerprint}
    known: _KnownKeys = {}
    if wanted:
        for tenant_id, request_id, *rest in unit.rows("find_request_keys", [list(pair) for pair in wanted]):
            fingerprint, at, referent_id, token, answer = rest
            entry = _Known(fingerprint.lower(), at, referent_id, token, answer)
            known.setdefault((tenant_id, request_id), []).append(entry)
    return known


def _place(unit: Unit, new: NewSubmission, known: _KnownKeys, rows: _Rows) -> AcceptResult:
    reused = False
    if new.request_id and new.fingerprint:
        key = (new.tenant_id, new.request_id)
        fingerprint = new.fingerprint.hex()
        entries = [e for e in known.get(key, ()) if e.at > new.accepted_at - unit.request_keep_ms]
        for entry in entries:
            if entry.fingerprint == fingerprint:
                return Repeat(entry.referent_id, entry.token, json.loads(entry.answer))
        reused = bool(entries)
        if reused and new.strict:
            return Clash()
        rows.keys.append([new.tenant_id, new.request_id, fingerprint, unit.next_submission_id, new.accepted_at])
        entry = _Known(fingerprint, new.accepted_at, new.referent_id, new.token, json.dumps(dict(new.answer)))
        known.setdefault(key, []).append(entry)
    if reused:
        rows.warnings.append([new.tenant_id, new.accepted_at, "request_id_reused", new.request_id])
    _add(unit, new, rows)
    return Stored(reused)


def _add(unit: Unit, new: NewSubmission, rows: _Rows) -> None:
    endpoint_id = _endpoint(unit, new)
    every_step = endpoint_id is not None and _tells_every_step(unit, endpoint_id)
    first = unit.next_message_id
    for plan, destinations in new.plans:
        rows.groups.append(
            [
                unit.next_message_id,
                unit.next_submission_id,
                new.tenant_id,
                int(new.traffic_class),
                plan[0],
                ",".join(map(str, plan)),
                new.due_at,
                new.accepted_at,
                list(destinations),
            ]
        )
        unit.next_message_id += len(destinations)
        unit.moved(plan[0], int(new.traffic_class), len(destinations))
    rows.submissions.append(
        [
            unit.next_submission_id,
            new.tenant_id,
            new.referent_id,
            new.token,
            new.request_id,
            new.key_id,
            new.sender,
            new.text,
            new.encoding,
            new.segment_count,
            int(new.traffic_class),
            new.accepted_at,
            new.due_at,
            new.expires_at,
            int(new.scheduled),
            first,
            unit.next_message_id - first,
            endpoint_id,
            int(every_step),
            json.dumps(dict(new.ext), ensure_ascii=False) if new.ext else "{}",
            json.dumps(dict(new.answer), ensure_ascii=False) if new.answer else "{}",
        ]
    )
    unit.next_submission_id += 1


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
    secrets = connection.execute(
        "SELECT secrets FROM endpoint WHERE tenant_id = ? ORDER BY id = ? DESC, id LIMIT 1",
        (new.tenant_id, new.endpoint_id or 0),
    ).get
    fresh = json.dumps(["whsec_" + base64.b64encode(os.urandom(32)).decode()])
    connection.execute(
        "INSERT INTO endpoint (tenant_id, url, secrets) VALUES (?, ?, ?)",
        (new.tenant_id, new.callback_url, secrets or fresh),
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
