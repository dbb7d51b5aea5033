"""What time brings about: lifetimes end, waits for evidence end, old days go."""

from collections.abc import Mapping
from typing import Final

from loa.domain.lifecycle import State
from loa.domain.standing import end_wait, expire
from loa.domain.traffic import TrafficClass
from loa.ledger.arrivals import EVIDENCE_MS
from loa.ledger.postgres import batches, inbound, standings
from loa.ledger.postgres.days import AHEAD, DAY_MS, day_of, day_of_id, first_id
from loa.ledger.postgres.statements import IMPORTED
from loa.ledger.postgres.unit import Unit

HISTORY: Final = ("callback_try", "event", "inbound", "attempt", "message", "submission")
NUMBERS: Final = "numbers"
_SPAN: Final = ("tries", "callbacks", "unknown", "rulings", "events", "attempts")


async def expire_queued(unit: Unit, calls: list[tuple[int, int]]) -> list[int]:
    """Expire queued messages whose lifetime is over, a page a call."""
    return [await _expire(unit, limit, now) for limit, now in calls]


async def _expire(unit: Unit, limit: int, now: int) -> int:
    await unit.run("sum_up_lanes")
    late = await unit.rows("lifetimes_over", now, limit)
    if not late:
        return 0
    held = await standings.read(unit, [tuple(row) for row in late])
    queued = [message for message in held.messages.values() if message.state is State.QUEUED]
    for message in queued:
        expire(message, now)
    await standings.write(unit, held, now)
    return len(queued)


async def settle_unknown(unit: Unit, calls: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """End the wait of unknown messages."""
    results = []
    for limit, now in calls:
        over = await unit.rows("waits_over", now, limit)
        held = await standings.read(unit, [tuple(row) for row in over])
        # Another process may have ended the wait since.
        waiting = [
            message
            for message in held.messages.values()
            if message.state is State.UNKNOWN and message.due_at is not None and message.due_at <= now
        ]
        resent = sum(end_wait(message, now) for message in waiting)
        await standings.write(unit, held, now)
        results.append((resent, len(waiting) - resent))
    return results


async def purge(unit: Unit, calls: list[tuple[int, int, Mapping[str, int]]]) -> list[int]:
    """Delete what is past its time: days as a whole, the rest a bounded number of rows of each kind a call."""
    return [await _purge(unit, *call) for call in calls]


async def _purge(unit: Unit, limit: int, now: int, keep_ms: Mapping[str, int]) -> int:
    await unit.shared.days.ensure(now + ahead * DAY_MS for ahead in range(AHEAD + 1))
    await unit.run("forget_dead")
    gone = len(await unit.rows("purge_request_keys", now - keep_ms["request_ids"], limit))
    gone += len(await unit.rows("purge_parked", now - keep_ms["parked"], limit))
    await unit.run("purge_unknown", first_id(max(0, day_of(now - EVIDENCE_MS) - 366)), limit)
    gone += await _purge_texts(unit, limit, now, keep_ms)
    gone += len(await unit.rows("purge_imported_receipts", now - keep_ms["receipts"], limit))
    gone += len(await unit.rows("purge_warnings", now - keep_ms["history"], limit))
    gone += await _forget_numbers(unit, now - keep_ms["numbers"], limit)
    gone += await inbound.purge(unit, limit, now, keep_ms)
    gone += await batches.purge(unit, limit, now, keep_ms)
    return gone + await _purge_imported(unit, now - keep_ms["history"], max(1, limit // 100))


async def _purge_texts(unit: Unit, limit: int, now: int, keep_ms: Mapping[str, int]) -> int:
    gone = 0
    for traffic_class in TrafficClass:
        before = now - keep_ms["content_otp" if traffic_class is TrafficClass.OTP else "content"]
        gone += await _purge_texts_of(unit, int(traffic_class), before, limit)
    if gone:
        unit.shared.contents.clear()
    return gone


async def _purge_texts_of(unit: Unit, traffic_class: int, before: int, limit: int) -> int:
    """Forget texts day by day; a day that is wholly past its time and has none left is not looked at again."""
    what, gone = f"texts of {traffic_class}", 0
    for day, _, _ in await unit.rows("days_to_forget", what, day_of(before)):
        gone += len(await unit.rows("purge_texts", traffic_class, before, limit - gone, day=day))
        if gone >= limit:
            break
        if day < day_of(before) and not await unit.value("texts_left", traffic_class, day=day):
            await unit.run("note_forgotten", what, day, 0, 0, True)
    return gone


async def drop_days(unit: Unit, calls: list[tuple[int, Mapping[str, int]]]) -> list[int]:
    """Drop the days that are past their time, a table at a time."""
    return [await _drop_days(unit, now, keep_ms) for now, keep_ms in calls]


async def _drop_days(unit: Unit, now: int, keep_ms: Mapping[str, int]) -> int:
    last = day_of(now - keep_ms["receipts"])
    gone = int(await unit.value("drop_days", "receipt", last))
    await unit.value("drop_days", "segment", last)
    return gone + await _purge_history(unit, now - keep_ms["history"])


async def _forget_numbers(unit: Unit, before: int, limit: int) -> int:
    """Forget the destinations of days past their time; states, counts and days stay for statistics."""
    for day, tenant_id, number in await unit.rows("days_to_forget", NUMBERS, day_of(before) - 1):
        if day == IMPORTED:
            # Imported ids say no day: their numbers stay until their history goes.
            continue
        page = await unit.rows("numbers_of_day", tenant_id, number, limit, day=day)
        if page:
            last = tuple(page[-1])
            gone = await unit.write("forget_numbers", sorted({tuple(row) for row in page}), day=day)
            await unit.run("note_forgotten", NUMBERS, day, *last, len(page) < limit)
            return len(gone)
        await unit.run("note_forgotten", NUMBERS, day, tenant_id, number, True)
    return 0


async def _purge_history(unit: Unit, before: int) -> int:
    """Drop the days that are past their time and hold nothing that is still on its way."""
    last = day_of(before)
    oldest = await unit.value("oldest_open")
    if oldest is not None:
        last = min(last, day_of_id(oldest))
    gone = 0
    for table in HISTORY:
        gone += int(await unit.value("drop_days", table, last))
    if gone:
        await unit.run("forget_callbacks", first_id(last))
        await unit.run("forget_unknown_before", first_id(last))
        await unit.run("forget_rulings", first_id(last))
        await unit.run("forget_days", last)
        unit.shared.days.forget()
    return gone


async def _purge_imported(unit: Unit, before: int, limit: int) -> int:
    """Delete history that was copied from an embedded ledger; its ids carry no day, so it goes row by row."""
    gone = 0
    for tenant_id, submission_id, first, count in await unit.rows("imported_ended", before, limit, day=IMPORTED):
        for kind in _SPAN:
            await unit.run(f"purge_imported_{kind}", tenant_id, first, count, day=IMPORTED)
        gone += len(await unit.rows("purge_imported_messages", tenant_id, first, count, day=IMPORTED))
        gone += len(await unit.rows("purge_imported_submission", tenant_id, submission_id, day=IMPORTED))
    return gone
