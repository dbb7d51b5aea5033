"""Writing submissions down and taking them back."""

import base64
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from loa.domain.ids import REFERENT_PREFIX, referent_time
from loa.domain.lifecycle import State
from loa.domain.routes import plan_text
from loa.ledger.contents import Content
from loa.ledger.placing import Placing, wanted_keys
from loa.ledger.postgres import standings
from loa.ledger.postgres.days import day_of, first_id, submission_id
from loa.ledger.postgres.statements import columns, part_of_id
from loa.ledger.postgres.unit import Unit
from loa.ledger.rows import submission_values
from loa.ledger.sealing import open_secrets, seal_secrets
from loa.ports.probe import Point
from loa.ports.records import AcceptResult, NewSubmission

EVERY_STEP_KEPT_S = 1.0
NUMBERS_AHEAD = 256
NUMBERS_KEPT_S = 1.0
CONTENTS_AT_ONCE = 1_000


class QuickerElsewhere(Exception):
    """Another process stored the same request id meanwhile: the transaction is done again and will find it."""


def weigh(submission: NewSubmission) -> int:
    """Say how many rows a submission is worth."""
    return 1 + sum(len(destinations) for _, destinations in submission.plans)


async def accept(unit: Unit, submissions: list[NewSubmission]) -> list[AcceptResult]:
    """Write the submissions of one commit, or recognise repeats, also among themselves."""
    placing = Placing(unit.shared.request_keep_ms)
    wanted = sorted(wanted_keys(submissions))
    if wanted:
        strict = sorted(wanted_keys(s for s in submissions if s.strict))
        if strict:
            await unit.write("lock_request_ids", strict)
        known = await unit.write("find_request_keys", wanted)
        placing.know(await unit.write_by_day("first_answers", known, 1))
    results = [placing.place(new) for new in submissions]
    if placing.fresh:
        await _add(unit, placing)
    if placing.warnings:
        await unit.write("insert_warnings", placing.warnings)
    unit.shared.probe.reached(Point.LEDGER_IN_ACCEPT)
    return results


@dataclass(slots=True)
class _Rows:
    """What one commit writes: submissions, groups of messages, and all destinations in one row."""

    submissions: list[Any] = field(default_factory=list)
    groups: list[Any] = field(default_factory=list)
    destinations: list[int] = field(default_factory=list)
    moves: Counter[tuple[int, int]] = field(default_factory=Counter)
    ids: dict[int, int] = field(default_factory=dict)

    def add(self, new: NewSubmission, first: int, endpoint_id: int | None, every_step: bool) -> None:
        """Lay out one submission; its id is that of its first message."""
        self.ids[id(new)] = following = first
        for plan, destinations in new.plans:
            low = len(self.destinations) + 1
            self.destinations += destinations
            shared = [new.tenant_id, following, first, int(new.traffic_class), plan[0].channel_id, plan_text(plan)]
            times = [new.due_at, new.accepted_at, new.expires_at]
            self.groups.append([*shared, *times, every_step, low, len(self.destinations)])
            following += len(destinations)
            self.moves[plan[0].channel_id, int(new.traffic_class)] += len(destinations)
        values = submission_values(new, first, following - first, endpoint_id, every_step)
        self.submissions.append([new.tenant_id, first, *values])


async def _add(unit: Unit, placing: Placing) -> None:
    """Write new submissions with their messages and request ids."""
    rows = _Rows()
    for new, number in zip(placing.fresh, await _numbers(unit, len(placing.fresh)), strict=True):
        endpoint_id = await _endpoint(unit, new)
        every_step = endpoint_id is not None and await _tells_every_step(unit, new.tenant_id, endpoint_id)
        rows.add(new, submission_id(new.accepted_at, number), endpoint_id, every_step)
        for plan, _ in new.plans:
            unit.shared.marks.lower((plan[0].channel_id, int(new.traffic_class)), new.due_at)
    moves = [[*lane, count] for lane, count in rows.moves.items()]
    # In one order everywhere, so that two processes never wait for each other crosswise.
    keys = sorted([s.tenant_id, s.request_id, s.fingerprint, rows.ids[id(s)], s.accepted_at] for s in placing.keyed)
    (written,) = await unit.rows(
        "write_submissions",
        *columns(rows.submissions),
        *columns(rows.groups),
        rows.destinations,
        *columns(moves),
        *(columns(keys) if keys else [[]] * 5),
        unit.shared.request_keep_ms,
    )
    if written["kept"] < len(keys):
        raise QuickerElsewhere
    unit.xid, unit.wakes = written["xid"], True
    unit.after.append(lambda: _keep_contents(unit, placing.fresh, rows.ids))


async def _numbers(unit: Unit, count: int) -> list[int]:
    """Give numbers that nobody else has: from a stock, which is not kept for long, so that ids follow the time."""
    shared = unit.shared
    moment = time.monotonic()
    if len(shared.numbers) < count or moment - shared.numbers_at > NUMBERS_KEPT_S:
        shared.numbers.clear()
        fetched = await unit.rows("submission_numbers", max(count, NUMBERS_AHEAD))
        shared.numbers.extend(row[0] for row in fetched)
        shared.numbers_at = moment
    return [shared.numbers.popleft() for _ in range(count)]


async def _keep_contents(unit: Unit, fresh: list[NewSubmission], ids: dict[int, int]) -> None:
    """Have what was just accepted at hand for the claim that follows."""
    for new in fresh[-CONTENTS_AT_ONCE:]:
        unit.shared.contents.put(
            ids[id(new)],
            Content(
                new.sender,
                new.text,
                new.encoding,
                new.segment_count,
                new.expires_at,
                new.referent_id,
                dict(new.ext),
                {str(channel_id): content for channel_id, content in new.rich.items()},
                new.brandname,
            ),
        )


async def _endpoint(unit: Unit, new: NewSubmission) -> int | None:
    """Give the endpoint of a submission; a callback URL of its own becomes an endpoint with the tenant's secret."""
    if not new.callback_url:
        return new.endpoint_id
    found = await unit.value("endpoint_of_url", new.tenant_id, new.callback_url)
    if found is None:
        sealer = unit.shared.sealer
        rows = await unit.rows("secrets_for", new.tenant_id, new.endpoint_id or 0)
        secrets = open_secrets(sealer, new.tenant_id, *rows[0]) if rows else ()
        fresh = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        sealed = seal_secrets(sealer, new.tenant_id, new.callback_url, secrets or (fresh,))
        found = await unit.value("insert_endpoint", new.tenant_id, new.callback_url, sealed)
        await unit.run("bump_revision")
    return int(found)


async def _tells_every_step(unit: Unit, tenant_id: int, endpoint_id: int) -> bool:
    """Tell whether an endpoint is told of every step; another process's change is seen within a second."""
    read_at, known = unit.shared.every_step.get(endpoint_id, (-EVERY_STEP_KEPT_S, False))
    moment = time.monotonic()
    if moment - read_at >= EVERY_STEP_KEPT_S:
        known = bool(await unit.value("tells_every_step", tenant_id, endpoint_id))
        unit.shared.every_step[endpoint_id] = (moment, known)
    return known


def days_around(referent_id: str) -> tuple[int, int]:
    """Give the ids between which a submission lies, by the time its public id begins with; a day of slack each way."""
    at = referent_time(referent_id) if referent_id.startswith(REFERENT_PREFIX) else None
    if at is None:
        return 0, 0
    day = day_of(at)
    return first_id(max(day - 1, 0)), first_id(day + 2)


async def cancel(unit: Unit, calls: list[tuple[int, str, int]]) -> list[int | None]:
    """Cancel what is still queued of whole submissions."""
    return [await _cancel_submission(unit, *call) for call in calls]


async def _cancel_submission(unit: Unit, tenant_id: int, referent_id: str, now: int) -> int | None:
    spans = await unit.rows("submission_span", referent_id, tenant_id, *days_around(referent_id))
    if not spans:
        return None
    queued = await unit.rows("queued_in_span", tenant_id, *spans[0], day=part_of_id(spans[0][0]))
    return await _cancel(unit, [(tenant_id, row[0]) for row in queued], now)


async def cancel_message(unit: Unit, calls: list[tuple[int, int, int]]) -> list[bool | None]:
    """Cancel single messages that are still queued."""
    results: list[bool | None] = []
    for tenant_id, message_id, now in calls:
        day = part_of_id(message_id)
        known = await unit.keeps(day)
        state = await unit.value("message_of_tenant", tenant_id, message_id, day=day) if known else None
        queued = state == State.QUEUED and await _cancel(unit, [(tenant_id, message_id)], now) == 1
        results.append(None if state is None else queued)
    return results


async def _cancel(unit: Unit, ids: list[tuple[int, int]], now: int) -> int:
    """Cancel those that are queued once they are locked: a claim may have been quicker."""
    working = await standings.read(unit, ids)
    queued = [message for message in working.messages.values() if message.state is State.QUEUED]
    for message in queued:
        message.move(State.CANCELLED, now)
    await standings.write(unit, working, now)
    return len(queued)
