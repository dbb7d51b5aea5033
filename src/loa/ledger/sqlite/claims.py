"""Claims on due messages, and the record of what came of them."""

from collections.abc import Sequence

from loa.domain.standing import ARRIVED, FOLLOWED, Verdict, end_unclaimed, lose_track, settle
from loa.domain.traffic import TrafficClass
from loa.ledger.settling import CLAIM_OVER, FORMER_RUN, SegmentRef, notes_of, plain_accepts, verdict
from loa.ledger.sqlite import receipts, standings
from loa.ledger.sqlite.unit import CLASSES, Unit
from loa.ledger.working import Working
from loa.ports.channel import Attempt
from loa.ports.records import Settlement, UnknownPolicy

ClaimCall = tuple[int, Sequence[tuple[TrafficClass, int]], int, int, int, int | None]
STALE_PER_CALL = 5_000


def claim(unit: Unit, calls: list[ClaimCall]) -> list[list[Attempt]]:
    """Claim due messages for each caller."""
    return [_claim_lanes(unit, *call) for call in calls]


def _claim_lanes(
    unit: Unit,
    channel_id: int,
    wanted: Sequence[tuple[TrafficClass, int]],
    limit: int,
    now: int,
    until: int,
    waited_ms: int | None,
) -> list[Attempt]:
    due, flags = (now, 0) if waited_ms is None else (now - waited_ms, FOLLOWED)
    attempts: list[Attempt] = []
    late: list[int] = []
    for traffic_class, share in wanted:
        count = min(share, limit) - len(attempts)
        if count <= 0 or not unit.depths.get((channel_id, int(traffic_class))):
            continue
        rows = unit.rows("due_in_lane", channel_id, int(traffic_class), due, count, flags)
        contents = unit.content({row[1] for row in rows})
        in_time = [row for row in rows if contents[row[1]].expires_at > now and not row[4] & ARRIVED]
        if len(in_time) < len(rows):
            late += [row[0] for row in rows if contents[row[1]].expires_at <= now or row[4] & ARRIVED]
        attempts += [contents[row[1]].attempt(row, channel_id, traffic_class) for row in in_time]
        unit.moved(channel_id, int(traffic_class), -len(in_time))
    if late:
        _expire(unit, late, now)
    if attempts:
        ids = [attempt.message_id for attempt in attempts]
        unit.run("mark_sending", ids, now)
        unit.run("open_attempts", ids, unit.boot, now, until)
    return attempts


def _expire(unit: Unit, ids: list[int], now: int) -> None:
    working = standings.read(unit, ids)
    for message in working.messages.values():
        end_unclaimed(message, now)
    standings.write(unit, working, now)


def record(unit: Unit, calls: list[Sequence[Settlement]]) -> list[int]:
    """Record outcomes, the references of handed-over segments, and receipts that came before their response."""
    together = [settlement for call in calls for settlement in call]
    if not together:
        return [0] * len(calls)
    now = max(s.at for s in together)
    sent = _mark_sent(unit, together, now)
    rest = {s.message_id for s in together} - sent
    working = standings.read(unit, rest) if rest else Working()
    results = [
        sum(
            s.message_id in sent or settle(working.messages[s.message_id], s.number, s.outcome, verdict(s))
            for s in call
        )
        for call in calls
    ]
    notes = notes_of(together)
    closes = [
        [c.settlement.message_id, c.settlement.number, c.settlement.at, c.outcome, c.reason, c.refs]
        for c in notes.closes.values()
    ]
    unit.run("close_attempts", closes)
    standings.write(unit, working, now)
    if notes.segments:
        _keep_refs(unit, notes.segments, now)
    return results


def _keep_refs(unit: Unit, refs: list[SegmentRef], now: int) -> None:
    rows = [[r.settlement.channel_id, r.form, r.settlement.message_id, r.settlement.number, r.segment] for r in refs]
    unit.run("insert_segments", rows)
    if unit.has_parked:
        waiting = unit.rows("parked_for_refs", [row[:2] for row in rows])
        receipts.settle_parked(unit, waiting, now)


def _mark_sent(unit: Unit, settlements: list[Settlement], now: int) -> set[int]:
    """Settle the plain case at once: an accepted attempt that is the open one, of a message nobody is told of yet.

    What the rules would make of it is known; the rest is left to them.
    """
    numbers = {s.message_id: s.number for s in plain_accepts(settlements)}
    if not numbers:
        return set()
    rows = unit.rows("read_open", list(numbers))
    sent = [message_id for message_id, attempts in rows if numbers[message_id] == attempts]
    if sent:
        unit.run("mark_sent", sent, now)
    return set(sent)


def settle_stale(unit: Unit, calls: list[tuple[int, UnknownPolicy, bool]]) -> list[int]:
    """Turn attempts whose owner is gone or overdue into unknown: nobody can say whether their bytes left."""
    return [_settle_stale(unit, *call) for call in calls]


def _settle_stale(unit: Unit, now: int, policy: UnknownPolicy, former: bool) -> int:
    if former:
        unit.run("release_callbacks")
        rows = unit.rows("former_attempts", unit.boot, STALE_PER_CALL)
        reason = FORMER_RUN
    else:
        rows = unit.rows("stale_attempts", now, STALE_PER_CALL)
        reason = CLAIM_OVER
    if not rows:
        return 0
    working = standings.read(unit, {row[0] for row in rows})
    for message_id, number in rows:
        message = working.messages[message_id]
        if message.attempts == number and message.state.label == "sending":
            wait_ms, after = policy(message.tenant_id, CLASSES[working.classes[message_id]])
            lose_track(message, reason, Verdict(now, wait_until=now + wait_ms, after=after))
    unit.run("close_attempts", [[row[0], row[1], now, "unknown", reason, ""] for row in rows])
    standings.write(unit, working, now)
    return len(rows)


def next_due(unit: Unit, calls: list[tuple[int, int]]) -> list[int | None]:
    """Give when the next message of each channel is due."""
    results: list[int | None] = []
    for channel_id, now in calls:
        times = [unit.value("next_due_in_lane", channel_id, int(c), now) for c in TrafficClass]
        results.append(min((t for t in times if t is not None), default=None))
    return results
