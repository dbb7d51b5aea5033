"""Receipts: stored raw, matched to the segment they speak of, applied; parked until their segment is known.

A receipt and the response that carries its reference may be written down by two processes at the same moment, each not
seeing the other's. So both look again once they are committed: whoever is later finds what the other wrote.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from loa.domain.latency import Wait, span_of
from loa.domain.lifecycle import State
from loa.domain.receipt import Receipt
from loa.domain.standing import APPLIED
from loa.ledger import arrivals as arriving
from loa.ledger.arrivals import Arrival, Match, SegmentStates
from loa.ledger.postgres import standings
from loa.ledger.postgres.days import DAY_MS, day_of, first_id
from loa.ledger.postgres.statements import part_of_id
from loa.ledger.postgres.unit import Unit
from loa.ledger.working import Working
from loa.ports.records import ReceiptCounts

RECENT_DAYS: Final = 1
"""Segments of today and yesterday are looked at first; nearly every receipt speaks of one of them."""
REPEAT_DAYS: Final = 2
"""For how many days a receipt that comes again is counted as a repeat; later it is kept, and changes as little."""
FAR: Final = 2**31 - 1


async def store(unit: Unit, calls: list[Sequence[Receipt]]) -> list[ReceiptCounts]:
    """Store the receipts of one commit, count repeats, apply what is new, park what matches nothing yet."""
    arrivals = [arriving.arrival(receipt) for call in calls for receipt in call]
    if arrivals:
        await unit.shared.days.ensure(a.received_at for a in arrivals)
        await _match(unit, arrivals)
        await _deliver_plain(unit, arrivals)
    rest = [a for a in arrivals if a.result == arriving.PARKED]
    repeated = await _store_rest(unit, rest) if rest else set()
    return arriving.count_calls(calls, arrivals, repeated)


async def _deliver_plain(unit: Unit, arrivals: Sequence[Arrival]) -> None:
    """Settle the plain case at once: what the rules would make of it is known; the rest is left to them."""
    seen = Counter(a.segment for a in arrivals)
    rows = [
        _plain_row(place, a, a.segment)
        for place, a in enumerate(arrivals)
        if a.segment and a.state is State.DELIVERED and a.ref == a.forms[0] and seen[a.segment] == 1
    ]
    if rows:
        days = [day_of(a.received_at) for a in arrivals]
        span = (first_id(max(0, min(days) - REPEAT_DAYS)), first_id(max(days) + 1))
        for place, since, traffic_class in await unit.write_by_day("deliver_plain", rows, 2, *span):
            found = arrivals[place]
            found.result = APPLIED
            found.wait = Wait(found.channel_id, traffic_class, span_of(found.received_at - since))
            unit.wakes = True


def _plain_row(place: int, a: Arrival, segment: tuple[int, int, int]) -> list[Any]:
    return [
        place,
        a.tenant_id,
        segment[0],
        segment[1],
        a.channel_id,
        a.ref,
        a.stat,
        a.destination,
        a.detail,
        a.raw,
        a.received_at,
        a.done_at,
    ]


async def _store_rest(unit: Unit, arrivals: list[Arrival]) -> set[int]:
    """Store what takes no short way; give the repeats among it, by identity."""
    times = [a.received_at for a in arrivals]
    since = first_id(max(0, day_of(min(times)) - REPEAT_DAYS))
    known = await unit.write("known_receipts", [[i, *a.key] for i, a in enumerate(arrivals)], since)
    told = arriving.tell_apart(arrivals, dict(known))
    if told.again:
        await unit.write("count_repeats", sorted(told.again.items()))
    if told.fresh:
        await _find_evidence(unit, told.fresh)
        await _apply(unit, told.fresh, max(times))
        await _insert(unit, told.fresh, max(times))
        _look_beside(unit, told.fresh, max(times))
    return told.repeated


async def _match(unit: Unit, arrivals: Sequence[Arrival]) -> None:
    wanted = arriving.forms_of(arrivals)
    if not wanted:
        return
    recent = day_of(max(a.received_at for a in arrivals)) - RECENT_DAYS
    matches = [Match(*row) for row in await unit.write("match_segments", wanted, recent, FAR)]
    arriving.take_matches(arrivals, await _still_here(unit, matches))
    rest = [row for row in wanted if arrivals[row[0]].segment is None]
    if rest:
        older = [Match(*row) for row in await unit.write("match_segments", rest, 0, recent - 1)]
        arriving.take_matches(arrivals, await _still_here(unit, older))


async def _still_here(unit: Unit, matches: list[Match]) -> list[Match]:
    """Leave out segments of messages whose day is gone."""
    kept = {day for day in {part_of_id(m.message_id) for m in matches} if await unit.keeps(day)}
    return [m for m in matches if part_of_id(m.message_id) in kept]


async def _find_evidence(unit: Unit, arrivals: Sequence[Arrival]) -> None:
    candidates = arriving.without_match(arrivals)
    if not candidates:
        return
    wanted = sorted({(a.channel_id, a.destination) for a in candidates})
    unknown = await unit.write_by_day("unknown_for", await unit.write("unknown_of_numbers", wanted), 1)
    matched = arriving.take_evidence(candidates, unknown)
    if matched:
        day = day_of(max(a.received_at for a in matched))
        await unit.shared.days.ensure([day * DAY_MS])
        rows = [
            [a.channel_id, a.ref, a.tenant_id, a.segment[0], a.destination, *a.segment[1:], day]
            for a in matched
            if a.segment
        ]
        await unit.write("insert_segments", rows)
        await _match(unit, arriving.beside(arrivals, matched))


async def _apply(unit: Unit, arrivals: Sequence[Arrival], now: int) -> None:
    """Apply matched receipts to their messages and segments."""
    proving = arriving.proving(arrivals)
    if not proving:
        return
    held = await standings.read(unit, {(a.tenant_id, a.segment[0]) for a in proving if a.segment})
    marks = arriving.apply_all(proving, held, await _known_segments(unit, held, proving))
    # Of a message of one segment the receipt itself says all there is to know.
    rows = [
        [a.channel_id, a.ref, *a.segment, a.state, a.received_at]
        for a in marks
        if a.segment and held.messages[a.segment[0]].segment_count > 1
    ]
    if rows:
        await unit.write("mark_segments", sorted(rows))
    await standings.write(unit, held, now)


async def _known_segments(unit: Unit, working: Working, arrivals: Iterable[Arrival]) -> SegmentStates:
    known: SegmentStates = {}
    wanted = {
        (a.tenant_id, *a.segment[:2])
        for a in arrivals
        if a.segment and working.messages[a.segment[0]].segment_count > 1
    }
    if wanted:
        for message_id, number, segment, state in await unit.write_by_day("segments_of_attempts", wanted, 1):
            states = known.setdefault((message_id, number), {})
            states[segment] = None if state is None else State(state)
    return known


async def _insert(unit: Unit, arrivals: Sequence[Arrival], now: int) -> None:
    rows = [
        [
            a.channel_id,
            a.ref,
            a.stat,
            a.destination,
            a.state,
            a.detail,
            a.raw,
            a.received_at,
            a.done_at,
            a.segment[0] if a.segment else None,
            a.result,
            a.by_evidence,
        ]
        for a in arrivals
    ]
    for found, stored in zip(arrivals, await unit.write("insert_receipts", rows), strict=True):
        found.row = stored["id"]
    parked = arriving.parked_rows(arrivals)
    if parked:
        await unit.write("park", parked)
        look_again(unit, [(row[0], row[1]) for row in parked], now)


def look_again(unit: Unit, refs: list[tuple[int, str]], now: int) -> None:
    """Once this transaction is committed, settle parked receipts that wait for these references."""

    async def look() -> None:
        waiting = await unit.write("parked_for_refs", refs)
        if waiting:
            later = Unit(unit.connection, unit.shared)
            async with unit.connection.transaction():
                await settle_parked(later, [row[0] for row in waiting], now)
                await later.finish()

    unit.after.append(look)


async def settle_parked(unit: Unit, ids: list[int], now: int) -> ReceiptCounts:
    """Try parked receipts again, in the order in which they came. Units: now in milliseconds."""
    arrivals = await _read_parked(unit, ids) if ids else []
    if not arrivals:
        return ReceiptCounts()
    await _match(unit, arrivals)
    await _find_evidence(unit, arrivals)
    for found in arrivals:
        found.received_at = max(found.received_at, 0) or now
    await _apply(unit, arrivals, now)
    matched = [a for a in arrivals if a.segment is not None]
    if matched:
        rows = [[a.row, a.ref, a.segment[0], a.result, a.by_evidence] for a in matched if a.segment]
        await unit.write("settle_receipts", rows)
        await unit.run("unpark", [a.row for a in matched])
    _look_beside(unit, arrivals, now)
    return arriving.count(arrivals, set())


def _look_beside(unit: Unit, arrivals: Iterable[Arrival], now: int) -> None:
    """Settle after the commit what was parked under the references that evidence has just led to a message."""
    refs = arriving.refs_by_evidence(arrivals)
    if refs:
        look_again(unit, refs, now)


async def _read_parked(unit: Unit, ids: list[int]) -> list[Arrival]:
    forms: dict[int, list[tuple[int, str]]] = {}
    rows: dict[int, Any] = {}
    for row in await unit.rows("read_parked", sorted(ids)):
        rows[row["id"]] = row
        forms.setdefault(row["id"], []).append((row["rank"], row["form"]))
    return [arriving.from_parked((*tuple(row)[:8], forms[key])) for key, row in rows.items()]


async def rematch(unit: Unit, calls: list[tuple[int, int]]) -> list[ReceiptCounts]:
    """Go through the parked receipts, a page a call."""
    results = []
    for limit, now in calls:
        page = [row[0] for row in await unit.rows("parked_page", unit.shared.rematch_after, limit)]
        unit.shared.rematch_after = page[-1] if len(page) == limit else 0
        results.append(await settle_parked(unit, page, now))
    return results
