"""Receipts on their way through a ledger: recognised, matched, applied or parked.

The engines look up and write down; what is decided in between stands here once.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loa.domain.latency import Wait, span_of
from loa.domain.lifecycle import State
from loa.domain.receipt import Receipt, stored_form
from loa.domain.standing import APPLIED, CONFLICT, DOUBLE_REACH, INFORMED, Source, apply_receipt
from loa.ledger.working import Working
from loa.ports.records import ReceiptCounts

PARKED = "parked"
EVIDENCE_MS = 72 * 3_600_000

Key = tuple[int, str, str, int]


@dataclass(slots=True)
class Arrival:
    """One receipt on its way through; `forms` best first, `row` its place in the receipt table.

    `segment`: the (message, attempt, segment) it speaks of; `tenant_id` of that message, 0 while it is not known.
    `by_evidence`: no reference led there, but channel, number and time. `doubled`: it shows that the message reached
    the handset over two steps; `wait`: how long it took.
    """

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
    tenant_id: int = 0
    standing: Any = None
    result: str = PARKED
    by_evidence: bool = False
    doubled: bool = False
    wait: Wait | None = None
    sure: bool = False

    @property
    def key(self) -> Key:
        """What makes a receipt the same as one that came before."""
        return (self.channel_id, self.ref, self.stat, self.destination)


def arrival(receipt: Receipt) -> Arrival:
    """Take up a receipt as a channel gave it."""
    forms = tuple(dict.fromkeys(map(stored_form, receipt.refs)))
    return Arrival(
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
        sure=receipt.sure,
    )


def from_parked(row: Any) -> Arrival:
    """Take up a parked receipt: id, channel, stat, number, state, detail, two times, and its forms with their rank."""
    receipt_id, channel_id, stat, destination, state, detail, received_at, done_at, forms = row
    ordered = tuple(form for _rank, form in sorted(forms))
    return Arrival(
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


def forms_of(arrivals: Iterable[Arrival]) -> list[list[Any]]:
    """List every form to look for: the arrival's index, the form's rank, the channel, the form."""
    return [[i, rank, a.channel_id, form] for i, a in enumerate(arrivals) for rank, form in enumerate(a.forms)]


@dataclass(frozen=True, slots=True)
class Match:
    """A stored segment under one of an arrival's forms; `number`: the attempt, `destination`: of the message."""

    index: int
    rank: int
    message_id: int
    number: int
    segment: int
    ref: str
    destination: int
    tenant_id: int = 0
    standing: Any = None


def take_matches(arrivals: Sequence[Arrival], matches: Iterable[Match]) -> None:
    """Give each arrival the segment it speaks of: the form as received first; another form only for the same number."""
    best: dict[int, tuple[tuple[int, int, int], Match]] = {}
    for match in matches:
        same = arrivals[match.index].destination == match.destination
        if match.rank > 0 and not (same or arrivals[match.index].sure):
            continue
        # A provider may use a reference again after weeks: the same number wins, then the younger message.
        order = (match.rank, 0 if same else 1, -match.message_id)
        if match.index not in best or order < best[match.index][0]:
            best[match.index] = (order, match)
    for index, (_order, match) in best.items():
        found = arrivals[index]
        found.segment = (match.message_id, match.number, match.segment)
        found.ref, found.tenant_id, found.standing = match.ref, match.tenant_id, match.standing


@dataclass(slots=True)
class Sorted:
    """Arrivals told apart: `fresh` ones, `repeated` ones by identity, and how often stored ones came `again`, by id."""

    fresh: list[Arrival] = field(default_factory=list)
    repeated: set[int] = field(default_factory=set)
    again: Counter[int] = field(default_factory=Counter)


def tell_apart(arrivals: Sequence[Arrival], known: Mapping[int, int]) -> Sorted:
    """Separate what is new from what came before or comes twice; `known`: ids of stored receipts by index."""
    told = Sorted()
    seen: set[Key] = set()
    for index, found in enumerate(arrivals):
        if index in known:
            told.again[known[index]] += 1
            told.repeated.add(id(found))
        elif found.key in seen:
            told.repeated.add(id(found))
        else:
            seen.add(found.key)
            told.fresh.append(found)
    return told


def without_match(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Name the arrivals that evidence may speak for: they prove a state of a number, and no reference matches."""
    return [a for a in arrivals if a.segment is None and a.state is not None and a.destination and a.forms]


def take_evidence(candidates: Iterable[Arrival], unknown: list[Any]) -> list[Arrival]:
    """Match what no reference matches to the one unknown message it can speak of, if there is exactly one.

    The answer that carried the reference was lost; channel, number and time are what is left. It may settle that
    message, never send one. Shapes: `unknown` rows are channel, number, message, attempt, claimed at, refs, segments,
    tenant.
    """
    matched = []
    for candidate in candidates:
        fitting = [
            row
            for row in unknown
            if (row[0], row[1]) == (candidate.channel_id, candidate.destination)
            and row[4] <= candidate.received_at <= row[4] + EVIDENCE_MS
        ]
        if len(fitting) != 1 or _any_ref(fitting[0][5]) or fitting[0][6] != 1:
            continue
        candidate.segment = (fitting[0][2], fitting[0][3], 0)
        candidate.tenant_id, candidate.by_evidence = fitting[0][7], True
        unknown.remove(fitting[0])
        matched.append(candidate)
    return matched


def _any_ref(stored: str) -> bool:
    """Tell whether an attempt knows any reference; those of unanswered segments are stored empty."""
    return any(form for _raw, form in json.loads(stored or "[]"))


def beside(arrivals: Iterable[Arrival], matched: Collection[Arrival]) -> list[Arrival]:
    """Name the arrivals that came beside evidence under the same reference, and match now that it is known."""
    refs = set(refs_by_evidence(matched))
    return [a for a in arrivals if a.segment is None and any((a.channel_id, form) in refs for form in a.forms)]


def refs_by_evidence(arrivals: Iterable[Arrival]) -> list[tuple[int, str]]:
    """List the references, by channel, that evidence has led to a message."""
    return sorted({(a.channel_id, a.ref) for a in arrivals if a.by_evidence})


SegmentStates = dict[tuple[int, int], dict[int, State | None]]
"""Known states of reported segments, by (message, attempt)."""


def proving(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Name the matched arrivals that prove a state; the other matched ones only inform."""
    matched = [a for a in arrivals if a.segment is not None]
    for found in matched:
        found.result = INFORMED
    return [a for a in matched if a.state is not None]


def apply_all(arrivals: Iterable[Arrival], working: Working, known: SegmentStates) -> list[Arrival]:
    """Apply what the arrivals prove to their messages; give those whose segment is to be marked."""
    marks = []
    for found in arrivals:
        assert found.segment is not None
        assert found.state is not None
        message_id, number, segment = found.segment
        states = known.setdefault((message_id, number), {})
        before = states.get(segment)
        states[segment] = found.state if before is None else before
        if before is not None and before is not found.state:
            found.result = CONFLICT
            continue
        message = working.messages[message_id]
        source = Source(number, found.channel_id)
        since = message.updated_at if message.state is State.SENT and not source.before(message) else 0
        doubled = message.flags & DOUBLE_REACH
        found.result = apply_receipt(message, source, states, found.state, found.detail, found.received_at)
        found.doubled = not doubled and bool(message.flags & DOUBLE_REACH)
        if since and message.state is State.DELIVERED:
            found.wait = Wait(found.channel_id, working.classes[message_id], span_of(found.received_at - since))
        if found.result != CONFLICT:
            marks.append(found)
    return marks


def parked_rows(arrivals: Iterable[Arrival]) -> list[list[Any]]:
    """List what keeps unmatched arrivals findable: channel, form, receipt, rank, time."""
    return [
        [a.channel_id, form, a.row, rank, a.received_at]
        for a in arrivals
        if a.segment is None
        for rank, form in enumerate(a.forms)
    ]


def count(arrivals: Collection[Arrival], repeated: set[int]) -> ReceiptCounts:
    """Count what became of arrivals."""
    words: Counter[str] = Counter("repeated" if id(a) in repeated else a.result for a in arrivals)
    return ReceiptCounts(
        applied=words[APPLIED] + words[INFORMED],
        repeated=words["repeated"],
        parked=words[PARKED],
        conflicts=words[CONFLICT],
        doubles=sum(a.doubled for a in arrivals),
        waits=Counter(a.wait for a in arrivals if a.wait is not None),
    )


def count_calls(
    calls: Iterable[Sequence[Receipt]], arrivals: Sequence[Arrival], repeated: set[int]
) -> list[ReceiptCounts]:
    """Count for each call of a commit."""
    results = []
    position = 0
    for call in calls:
        results.append(count(arrivals[position : position + len(call)], repeated))
        position += len(call)
    return results
