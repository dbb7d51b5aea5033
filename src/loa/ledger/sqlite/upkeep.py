"""What time brings about: lifetimes end, waits for evidence end, old rows go."""

from collections.abc import Mapping

from loa.domain.standing import end_wait, expire
from loa.domain.traffic import TrafficClass
from loa.ledger.sqlite import batches, inbound, standings
from loa.ledger.sqlite.unit import Unit

_SPAN = ("purge_tries", "purge_events", "purge_rulings", "purge_segments", "purge_attempts", "purge_messages")


def expire_queued(unit: Unit, calls: list[tuple[int, int]]) -> list[int]:
    """Expire queued messages whose lifetime is over, going through each lane a page a call."""
    return [_expire(unit, limit, now) for limit, now in calls]


def _expire(unit: Unit, limit: int, now: int) -> int:
    late: list[int] = []
    for lane, depth in list(unit.depths.items()):
        if depth <= 0:
            continue
        after = unit.expire_after.get(lane, (-1, -1))
        page = unit.rows("lane_page", *lane, *after, limit)
        unit.expire_after[lane] = (page[-1][1], page[-1][0]) if len(page) == limit else (-1, -1)
        late += [row[0] for row in page if row[2] <= now]
    if late:
        working = standings.read(unit, late)
        for message in working.messages.values():
            expire(message, now)
        standings.write(unit, working, now)
    return len(late)


def settle_unknown(unit: Unit, calls: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """End the wait of unknown messages."""
    results = []
    for limit, now in calls:
        working = standings.read(unit, unit.rows("waits_over", now, limit))
        resent = sum(end_wait(message, now) for message in working.messages.values())
        standings.write(unit, working, now)
        results.append((resent, len(working.messages) - resent))
    return results


def purge(unit: Unit, calls: list[tuple[int, int, Mapping[str, int]]]) -> list[int]:
    """Delete what is past its time, a bounded number of rows of each kind a call."""
    return [_purge(unit, *call) for call in calls]


def _purge(unit: Unit, limit: int, now: int, keep_ms: Mapping[str, int]) -> int:
    gone = unit.changed("purge_request_keys", now - keep_ms["request_ids"], limit)
    if unit.has_parked:
        gone += unit.changed("purge_parked", now - keep_ms["parked"], limit)
        unit.has_parked = bool(unit.value("any_parked"))
    for traffic_class in TrafficClass:
        keep = keep_ms["content_otp" if traffic_class is TrafficClass.OTP else "content"]
        cleared = unit.changed("purge_texts", int(traffic_class), now - keep, limit)
        gone += cleared
        if cleared:
            unit.contents.clear()
    gone += unit.changed("purge_receipts", now - keep_ms["receipts"], limit)
    gone += unit.changed("purge_warnings", now - keep_ms["history"], limit)
    gone += _forget_numbers(unit, now - keep_ms["numbers"], max(1, limit // 100))
    gone += inbound.purge(unit, limit, now, keep_ms)
    gone += batches.purge(unit, limit, now, keep_ms)
    for submission_id, first, count in unit.rows("old_submissions", now - keep_ms["history"], max(1, limit // 100)):
        for name in _SPAN:
            gone += unit.changed(name, first, count)
        gone += unit.changed("purge_submission", submission_id)
    return gone


def _forget_numbers(unit: Unit, before: int, limit: int) -> int:
    """Forget destinations past their time; states, counts and days stay for statistics."""
    page = unit.rows("submissions_with_numbers", unit.value("numbers_forgotten"), before, limit)
    gone = sum(unit.changed("forget_numbers", first, count) for _, first, count in page)
    if page:
        unit.run("note_numbers_forgotten", page[-1][0])
    return gone
