"""Receipts: stored raw, matched to the segment they speak of, applied; parked until their segment is known."""

from collections.abc import Iterable, Sequence
from typing import Any

from loa.domain.lifecycle import State
from loa.domain.receipt import Receipt
from loa.ledger import arrivals as arriving
from loa.ledger.arrivals import Arrival, Match, SegmentStates
from loa.ledger.sqlite import standings
from loa.ledger.sqlite.unit import Unit
from loa.ledger.working import Working
from loa.ports.records import ReceiptCounts


def store(unit: Unit, calls: list[Sequence[Receipt]]) -> list[ReceiptCounts]:
    """Store the receipts of one commit, count repeats, apply what is new, park what matches nothing yet."""
    arrivals = [arriving.arrival(receipt) for call in calls for receipt in call]
    _match(unit, arrivals)
    known = dict(unit.rows("known_receipts", [[i, *a.key] for i, a in enumerate(arrivals)]))
    told = arriving.tell_apart(arrivals, known)
    if told.again:
        unit.run("count_repeats", [list(pair) for pair in told.again.items()])
    for arrival in told.fresh:
        arrival.row = unit.next_receipt_id
        unit.next_receipt_id += 1
    _find_evidence(unit, told.fresh)
    _apply(unit, told.fresh)
    _insert(unit, told.fresh)
    _settle_beside(unit, told.fresh)
    return arriving.count_calls(calls, arrivals, told.repeated)


def _match(unit: Unit, arrivals: Sequence[Arrival]) -> None:
    wanted = arriving.forms_of(arrivals)
    if wanted:
        rows = unit.rows("match_segments", wanted)
        arriving.take_matches(arrivals, [_found(row) for row in rows])


def _found(row: list[Any]) -> Match:
    index, rank, message_id, number, segment, ref, destination, *standing = row
    return Match(index, rank, message_id, number, segment, ref, destination, standing[1], standing)


def _find_evidence(unit: Unit, arrivals: Sequence[Arrival]) -> None:
    candidates = arriving.without_match(arrivals)
    if not candidates:
        return
    wanted = {(a.channel_id, a.destination) for a in candidates}
    unknown = unit.rows("unknown_for", [list(pair) for pair in wanted])
    matched = arriving.take_evidence(candidates, unknown)
    if matched:
        unit.run("insert_segments", [[a.channel_id, a.ref, *a.segment] for a in matched if a.segment])
        _match(unit, arriving.beside(arrivals, matched))


def _apply(unit: Unit, arrivals: Sequence[Arrival]) -> None:
    """Apply matched receipts to their messages and segments."""
    proving = arriving.proving(arrivals)
    if not proving:
        return
    working = _working(unit, proving)
    marks = arriving.apply_all(proving, working, _known_segments(unit, working, proving))
    if marks:
        rows = [[a.channel_id, a.ref, *a.segment, a.state, a.received_at] for a in marks if a.segment]
        unit.run("mark_segments", rows)
    standings.write(unit, working, max(a.received_at for a in proving))


def _working(unit: Unit, arrivals: Iterable[Arrival]) -> Working:
    """Take up the messages the receipts speak of; matching has read most of them."""
    found_by_evidence = {a.segment[0] for a in arrivals if a.segment and a.standing is None}
    working = standings.read(unit, found_by_evidence) if found_by_evidence else Working()
    for arrival in arrivals:
        if arrival.standing is not None and arrival.standing[0] not in working.messages:
            working.add(arrival.standing)
    return working


def _known_segments(unit: Unit, working: Working, arrivals: Iterable[Arrival]) -> SegmentStates:
    known: SegmentStates = {}
    wanted = {a.segment[:2] for a in arrivals if a.segment and working.messages[a.segment[0]].segment_count > 1}
    if wanted:
        for message_id, number, segment, state in unit.rows("segments_of_attempts", [list(pair) for pair in wanted]):
            states = known.setdefault((message_id, number), {})
            states[segment] = None if state is None else State(state)
    return known


def _insert(unit: Unit, arrivals: Sequence[Arrival]) -> None:
    if not arrivals:
        return
    unit.run(
        "insert_receipts",
        [
            [
                a.row,
                a.channel_id,
                a.ref,
                a.stat,
                a.destination,
                a.state,
                a.detail,
                a.raw.hex(),
                a.received_at,
                a.done_at,
                a.segment[0] if a.segment else None,
                a.result,
            ]
            for a in arrivals
        ],
    )
    parked = arriving.parked_rows(arrivals)
    if parked:
        unit.run("park", parked)
        unit.has_parked = True


def settle_parked(unit: Unit, rows: list[int], now: int) -> ReceiptCounts:
    """Try parked receipts again, in the order in which they came. Units: now in milliseconds."""
    if not rows:
        return ReceiptCounts()
    arrivals = [arriving.from_parked(row) for row in unit.rows("read_parked", sorted(rows))]
    _match(unit, arrivals)
    _find_evidence(unit, arrivals)
    for arrival in arrivals:
        arrival.received_at = max(arrival.received_at, 0) or now
    _apply(unit, arrivals)
    matched = [a for a in arrivals if a.segment is not None]
    if matched:
        unit.run("settle_receipts", [[a.row, a.ref, a.segment[0], a.result] for a in matched if a.segment])
        unit.run("unpark", [a.row for a in matched])
        unit.has_parked = bool(unit.value("any_parked"))
    _settle_beside(unit, arrivals)
    return arriving.count(arrivals, set())


def _settle_beside(unit: Unit, arrivals: Sequence[Arrival]) -> None:
    """Settle what was parked under the references that evidence has just led to a message."""
    refs = arriving.refs_by_evidence(arrivals)
    if refs and unit.has_parked:
        waiting = unit.rows("parked_for_refs", [list(ref) for ref in refs])
        settle_parked(unit, waiting, max(a.received_at for a in arrivals))


def rematch(unit: Unit, calls: list[tuple[int, int]]) -> list[ReceiptCounts]:
    """Go through the parked receipts, a page a call."""
    results = []
    for limit, now in calls:
        page = unit.rows("parked_page", unit.rematch_after, limit) if unit.has_parked else []
        unit.rematch_after = page[-1] if len(page) == limit else 0
        results.append(settle_parked(unit, page, now))
    return results
