"""Receipts: stored raw, matched to the segment they speak of, applied; parked until their segment is known."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from loa.domain.lifecycle import State
from loa.domain.receipt import Receipt, stored_form
from loa.domain.standing import APPLIED, CONFLICT, INFORMED, apply_receipt
from loa.ledger.sqlite import standings
from loa.ledger.sqlite.unit import Unit
from loa.ports.records import ReceiptCounts

PARKED = "parked"
EVIDENCE_MS = 72 * 3_600_000


@dataclass(slots=True)
class _Arrival:
    """One receipt on its way through; `forms` best first, `row` its place in the receipt table."""

    channel_id: int
    forms: tuple[str, ...]
    stat: str
    destination: int
    state: State | None
    detail: str
    received_at: int
    done_at: int
    raw: bytes = b""
    row: int = 0
    ref: str = ""
    segment: tuple[int, int, int] | None = None
    standing: list[Any] | None = None
    result: str = PARKED

    @property
    def key(self) -> tuple[int, str, str, int]:
        return (self.channel_id, self.ref, self.stat, self.destination)


@dataclass(slots=True)
class _Segments:
    """Known states of reported segments, by (message, attempt)."""

    states: dict[tuple[int, int], dict[int, State | None]] = field(default_factory=dict)


def store(unit: Unit, calls: list[Sequence[Receipt]]) -> list[ReceiptCounts]:
    """Store the receipts of one commit, count repeats, apply what is new, park what matches nothing yet."""
    results = []
    arrivals = [_arrival(receipt) for call in calls for receipt in call]
    _match(unit, arrivals)
    fresh, repeated = _split_repeats(unit, arrivals)
    for arrival in fresh:
        arrival.row = unit.next_receipt_id
        unit.next_receipt_id += 1
    _find_evidence(unit, fresh)
    _apply(unit, fresh)
    _insert(unit, fresh)
    position = 0
    for call in calls:
        mine = arrivals[position : position + len(call)]
        position += len(call)
        results.append(_count(mine, repeated))
    return results


def _arrival(receipt: Receipt) -> _Arrival:
    forms = tuple(dict.fromkeys(map(stored_form, receipt.refs)))
    return _Arrival(
        receipt.channel_id,
        forms,
        receipt.stat,
        receipt.destination,
        receipt.state,
        receipt.detail,
        receipt.received_at,
        receipt.done_at,
        receipt.raw,
        ref=forms[0] if forms else "",
    )


def _match(unit: Unit, arrivals: Sequence[_Arrival]) -> None:
    """Find the segment each receipt speaks of: the form as received first; another form only for the same number."""
    wanted = [[i, rank, a.channel_id, form] for i, a in enumerate(arrivals) for rank, form in enumerate(a.forms)]
    if not wanted:
        return
    best: dict[int, tuple[tuple[int, int, int], list[Any]]] = {}
    for row in unit.rows("match_segments", wanted):
        index, rank, message_id, destination = row[0], row[1], row[2], row[6]
        same = arrivals[index].destination == destination
        if rank > 0 and not same:
            continue
        # A provider may use a reference again after weeks: the same number wins, then the younger message.
        order = (rank, 0 if same else 1, -message_id)
        if index not in best or order < best[index][0]:
            best[index] = (order, row)
    for index, (_order, row) in best.items():
        arrivals[index].segment = (row[2], row[3], row[4])
        arrivals[index].ref = row[5]
        arrivals[index].standing = row[7:]


def _split_repeats(unit: Unit, arrivals: list[_Arrival]) -> tuple[list[_Arrival], set[int]]:
    """Separate what is new from what came before or comes twice; count the repeats."""
    known = dict(unit.rows("known_receipts", [[i, *a.key] for i, a in enumerate(arrivals)]))
    fresh: list[_Arrival] = []
    repeated: set[int] = set()
    seen: set[tuple[int, str, str, int]] = set()
    again: Counter[int] = Counter()
    for index, arrival in enumerate(arrivals):
        if index in known:
            again[known[index]] += 1
            repeated.add(id(arrival))
        elif arrival.key in seen:
            repeated.add(id(arrival))
        else:
            seen.add(arrival.key)
            fresh.append(arrival)
    if again:
        unit.run("count_repeats", [list(pair) for pair in again.items()])
    return fresh, repeated


def _find_evidence(unit: Unit, arrivals: Iterable[_Arrival]) -> None:
    """Match what no reference matches to the one unknown message it can speak of, if there is exactly one.

    The answer that carried the reference was lost; channel, number and time are what is left. It may settle that
    message, never send one.
    """
    candidates = [a for a in arrivals if a.segment is None and a.state is not None and a.destination and a.forms]
    if not candidates:
        return
    wanted = {(a.channel_id, a.destination) for a in candidates}
    rows = unit.rows("unknown_for", [list(pair) for pair in wanted])
    for arrival in candidates:
        fitting = [
            row
            for row in rows
            if (row[0], row[1]) == (arrival.channel_id, arrival.destination)
            and row[4] <= arrival.received_at <= row[4] + EVIDENCE_MS
        ]
        if len(fitting) != 1 or fitting[0][5] or fitting[0][6] != 1:
            continue
        message_id, number = fitting[0][2], fitting[0][3]
        arrival.segment = (message_id, number, 0)
        unit.run("insert_segments", [[arrival.channel_id, arrival.ref, message_id, number, 0]])
        rows.remove(fitting[0])


def _apply(unit: Unit, arrivals: Sequence[_Arrival]) -> None:
    """Apply matched receipts to their messages and segments."""
    matched = [a for a in arrivals if a.segment is not None]
    if not matched:
        return
    for arrival in matched:
        arrival.result = INFORMED
    proving = [a for a in matched if a.state is not None]
    if not proving:
        return
    working = _working(unit, proving)
    segments = _known_segments(unit, working, proving)
    marks = []
    for arrival in proving:
        assert arrival.segment is not None
        assert arrival.state is not None
        message_id, number, segment = arrival.segment
        states = segments.states.setdefault((message_id, number), {})
        before = states.get(segment)
        states[segment] = arrival.state if before is None else before
        if before is not None and before is not arrival.state:
            arrival.result = CONFLICT
            continue
        message = working.messages[message_id]
        at = arrival.received_at
        arrival.result = apply_receipt(message, states, arrival.state, arrival.detail, at)
        if arrival.result != CONFLICT:
            marks.append([arrival.channel_id, arrival.ref, message_id, number, segment, arrival.state, at])
    if marks:
        unit.run("mark_segments", marks)
    standings.write(unit, working, max(a.received_at for a in proving))


def _working(unit: Unit, arrivals: Iterable[_Arrival]) -> standings.Working:
    """Take up the messages the receipts speak of; matching has read most of them."""
    found_by_evidence = {a.segment[0] for a in arrivals if a.segment and a.standing is None}
    working = standings.read(unit, found_by_evidence) if found_by_evidence else standings.Working()
    for arrival in arrivals:
        if arrival.standing is not None and arrival.standing[0] not in working.messages:
            working.add(arrival.standing)
    return working


def _known_segments(unit: Unit, working: standings.Working, arrivals: Iterable[_Arrival]) -> _Segments:
    known = _Segments()
    wanted = {a.segment[:2] for a in arrivals if a.segment and working.messages[a.segment[0]].segment_count > 1}
    if wanted:
        for message_id, number, segment, state in unit.rows("segments_of_attempts", [list(pair) for pair in wanted]):
            states = known.states.setdefault((message_id, number), {})
            states[segment] = None if state is None else State(state)
    return known


def _insert(unit: Unit, arrivals: Sequence[_Arrival]) -> None:
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
    parked = [
        [a.channel_id, form, a.row, rank, a.received_at]
        for a in arrivals
        if a.segment is None
        for rank, form in enumerate(a.forms)
    ]
    if parked:
        unit.run("park", parked)
        unit.has_parked = True


def _count(arrivals: Iterable[_Arrival], repeated: set[int]) -> ReceiptCounts:
    words: Counter[str] = Counter("repeated" if id(a) in repeated else a.result for a in arrivals)
    return ReceiptCounts(
        applied=words[APPLIED] + words[INFORMED],
        repeated=words["repeated"],
        parked=words[PARKED],
        conflicts=words[CONFLICT],
    )


def settle_parked(unit: Unit, rows: list[int], now: int) -> ReceiptCounts:
    """Try parked receipts again, in the order in which they came. Units: now in milliseconds."""
    if not rows:
        return ReceiptCounts()
    arrivals = [_read_parked(row) for row in unit.rows("read_parked", sorted(rows))]
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
    return _count(arrivals, set())


def _read_parked(row: list[Any]) -> _Arrival:
    receipt_id, channel_id, stat, destination, state, detail, received_at, done_at, forms = row
    ordered = tuple(form for _rank, form in sorted(forms))
    return _Arrival(
        channel_id,
        ordered,
        stat,
        destination,
        None if state is None else State(state),
        detail,
        received_at,
        done_at,
        row=receipt_id,
        ref=ordered[0] if ordered else "",
    )


def rematch(unit: Unit, calls: list[tuple[int, int]]) -> list[ReceiptCounts]:
    """Go through the parked receipts, a page a call."""
    results = []
    for limit, now in calls:
        page = unit.rows("parked_page", unit.rematch_after, limit) if unit.has_parked else []
        unit.rematch_after = page[-1] if len(page) == limit else 0
        results.append(settle_parked(unit, page, now))
    return results
