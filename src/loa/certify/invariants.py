"""The checker: what must hold after any crash, held against the ledger, the SMSC's journal and the receiver's.

Names of the invariants as in docs/explain/reliability.md. Its rules are written apart from those of the program, and a
violation is a value, not an assertion: it names the invariant and shows the lines that prove it.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from loa.certify.client import CLASS_NAMES, Ask

Row = Mapping[str, Any]

ENDS: Final = frozenset({"delivered", "undelivered", "rejected", "expired", "cancelled", "unknown"})
"""States a tenant is told of as the end of a message; `unknown` where policy leaves it so."""
UPGRADES: Final[Mapping[str, frozenset[str]]] = {
    "unknown": frozenset({"sent", "delivered", "undelivered", "rejected", "expired"}),
    "expired": frozenset({"delivered", "undelivered"}),
}
"""The only ways on from an end."""
HANDED_OVER: Final = frozenset({"sent", "delivered", "undelivered"})
RANK: Final = {"queued": 0, "sending": 1, "unknown": 2, "sent": 3} | dict.fromkeys(ENDS - {"unknown"}, 4)
WINDOW: Final = 20
"""Segments that may be unanswered at a crash: the window of the channel under test."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One promise that was not kept. `rule`: I1 to I8, or the fault (F…) after which Loa did not do as it should."""

    rule: str
    text: str
    witnesses: tuple[str, ...] = ()


class Violated(Exception):
    """Promises were not kept."""

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(f"{each.rule}: {each.text}" for each in violations))
        self.violations = violations


def demand(held: bool, rule: str, text: str, *witnesses: str) -> None:
    """Insist on something. Errors: Violated."""
    if not held:
        raise Violated(Violation(rule, text, witnesses))


@dataclass
class Evidence:
    """All that was written down about one run.

    `promises`, `submits`, `told`, `callbacks`: lines of the journals of client, SMSC (taken submits, answered receipts)
    and receiver. `messages`, `timelines`, `feed`: what the API shows of the ledger. `orphans`: receipts that wait for
    their message. `samples`: the state of every destination, looked at now and then.
    """

    asks: Sequence[Ask]
    promises: Sequence[Row]
    messages: Sequence[Row]
    timelines: Mapping[str, Row]
    feed: Sequence[Row]
    submits: Sequence[Row]
    told: Sequence[Row]
    callbacks: Sequence[Row]
    orphans: int
    samples: Sequence[Mapping[str, str]]
    kills: int

    # looking things up

    def by_number(self) -> dict[str, Row]:
        """Give the message of each destination."""
        return {row["destination"]: row for row in self.messages}

    def message(self, ask: Ask, index: int = 0) -> Row:
        """Give the whole story of one destination of a request."""
        return self.timelines[self.by_number()[ask.numbers[index]]["messageId"]]

    def submitted(self, ask: Ask) -> list[int]:
        """Count how often the SMSC took each destination of a request; a long one once a segment."""
        counts = Counter(line["destination"] for line in self.submits)
        return [counts[number] for number in ask.numbers]

    def outcomes(self, ask: Ask, index: int = 0) -> list[str]:
        """Tell what came of every attempt on one destination of a request."""
        return [attempt["outcome"] for attempt in self.message(ask, index)["attempts"]]

    def deliveries(self, ask: Ask, state: str) -> list[Row]:
        """Give the callbacks that told of a state of a request's messages."""
        return [c for c in self.callbacks if c["body"]["msisdn"] in ask.numbers and c["body"]["state"] == state]

    @property
    def receipts(self) -> list[tuple[str, str, str, int]]:
        """Every receipt the ledger shows with a message: ref, stat, result, repeats."""
        rows = [receipt for row in self.timelines.values() for receipt in row["receipts"]]
        return [(row["ref"], row["stat"], row["result"], row["repeats"]) for row in rows]

    def segments(self) -> Counter[tuple[str, int]]:
        """Count how often the SMSC took each segment: destination and place in the message."""
        return Counter((line["destination"], (line["part"] or [0, 1, 1])[2]) for line in self.submits)

    # figures

    @property
    def lost(self) -> int:
        """How many acknowledged destinations are gone or hang."""
        known = self.by_number()
        promised = {number for promise in self.promises for number in promise["numbers"]}
        return sum(number not in known or known[number]["state"] not in ENDS for number in promised)

    @property
    def repeated(self) -> int:
        """How many segments the SMSC took more than once."""
        return sum(count > 1 for count in self.segments().values())

    @property
    def bound(self) -> int:
        """How many segments may be repeated at most, all of them flagged: what was in flight at the kills."""
        return self.kills * WINDOW

    def violations(self) -> list[Violation]:
        """Hold everything against all invariants."""
        return [violation for check in (*AT_ANY_TIME, *IN_THE_END) for violation in check(self)]

    def check_so_far(self) -> None:
        """Insist on what must hold at any time, also while Loa is still busy. Errors: Violated."""
        if found := [violation for check in AT_ANY_TIME for violation in check(self)]:
            raise Violated(*found)

    def check(self) -> None:
        """Insist on all invariants. Errors: Violated."""
        if found := self.violations():
            raise Violated(*found)


def shown(*rows: Any) -> tuple[str, ...]:
    """Write lines of evidence as they stand in the journals."""
    return tuple(json.dumps(row, ensure_ascii=False) for row in rows)


def nothing_gone(e: Evidence) -> Iterator[Violation]:
    """I1: every destination that was promised is in the ledger, under the promised referent."""
    known = e.by_number()
    for promise in e.promises:
        for number in promise["numbers"]:
            if number not in known:
                yield Violation("I1", f"{promise['requestId']} was acknowledged and {number} is gone", shown(promise))
    for ask in e.asks:
        answers = {(reply["referentId"], reply["data"]["token"]) for reply in ask.replies}
        if len(answers) > 1:
            yield Violation("I1", f"{ask.request_id} was answered in two ways", shown(*ask.replies))
        referents = {referent for referent, _ in answers}
        for number in ask.numbers if answers else ():
            if number in known and {known[number]["referentId"]} != referents:
                text = f"{number} is not under the referent that was promised"
                yield Violation("I1", text, shown(known[number], *ask.replies))


def nothing_hangs(e: Evidence) -> Iterator[Violation]:
    """I1: every destination that was promised came to an end."""
    known = e.by_number()
    for promise in e.promises:
        for number in promise["numbers"]:
            row = known.get(number)
            if row is not None and row["state"] not in ENDS:
                yield Violation("I1", f"{number} hangs in {row['state']}", shown(promise, row))


def no_ghosts(e: Evidence) -> Iterator[Violation]:
    """I2: every message was asked for, once, in the class that was asked for."""
    asked = {number: ask for ask in e.asks for number in ask.numbers}
    counts = Counter(row["destination"] for row in e.messages)
    for row in e.messages:
        number = row["destination"]
        if number not in asked:
            yield Violation("I2", f"nobody asked for {number}", shown(row))
        elif counts[number] > 1:
            yield Violation("I2", f"one request became two messages to {number}", shown(row))
        elif row["class"] != CLASS_NAMES[asked[number].kind]:
            yield Violation("I2", f"{number} changed its class", shown(row))


def bounded_repeats(e: Evidence) -> Iterator[Violation]:
    """I3: the SMSC took each segment once; a second time only where the message is flagged, and few are."""
    known = e.by_number()
    flagged = 0
    for (number, part), count in e.segments().items():
        row = known.get(number, {})
        may_repeat = row.get("class") == "transactional" and row["possibleDuplicate"]
        if count > (2 if may_repeat else 1):
            seen = [line for line in e.submits if line["destination"] == number]
            text = f"the SMSC took segment {part} of {number} ({row.get('class')}) {count} times"
            yield Violation("I3", text, shown(*seen, row))
        flagged += count > 1
    for row in e.messages:
        if row["possibleDuplicate"] and row["class"] != "transactional":
            yield Violation("I3", f"{row['destination']} ({row['class']}) is flagged as sent again", shown(row))
    if flagged > e.bound:
        yield Violation("I3", f"{flagged} segments were repeated, at most {e.bound} were in flight at the kills")


def forward_only(e: Evidence) -> Iterator[Violation]:
    """I4: what the API, the feed and the callbacks showed never went back."""
    stories: dict[str, dict[int, str]] = defaultdict(dict)
    told = [*e.feed, *(callback["body"] for callback in e.callbacks)]
    told += [{**event, "msisdn": row["destination"]} for row in e.timelines.values() for event in row["events"]]
    for event in told:
        number = event["msisdn"]
        state = stories[number].setdefault(event["sequence"], event["state"])
        if state != event["state"]:
            yield Violation("I4", f"{number}: one step was told as {state} and {event['state']}", shown(event))
    for number, story in stories.items():
        states = [story[sequence] for sequence in sorted(story)]
        for before, after in pairwise(states):
            if after not in UPGRADES.get(before, ()):
                yield Violation("I4", f"{number} went from {before} to {after}", shown({number: states}))
    for earlier, later in pairwise(e.samples):
        for number, before in earlier.items():
            seen = later.get(number)
            # A message in the air may come back to the queue: throttled, link down, or its one flagged re-send.
            fine = seen == before or before in ("sending", "unknown")
            if seen is None or not (fine or RANK[seen] > RANK[before] or seen in UPGRADES.get(before, ())):
                yield Violation("I4", f"{number} was {before} and is {seen or 'gone'}")


def conservation(e: Evidence) -> Iterator[Violation]:
    """I5: what counts as handed over the SMSC has, and what the SMSC has is handed over or unknown."""
    taken = {line["destination"]: line for line in e.submits}
    states = {row["destination"]: row["state"] for row in e.messages}
    for row in e.messages:
        if row["state"] in HANDED_OVER and row["destination"] not in taken:
            yield Violation("I5", f"{row['destination']} is {row['state']} and never reached the SMSC", shown(row))
    for number, line in taken.items():
        if states.get(number) not in HANDED_OVER | {"unknown"}:
            yield Violation("I5", f"the SMSC has {number}, which is {states.get(number, 'not there')}", shown(line))


def receipts_kept(e: Evidence) -> Iterator[Violation]:
    """I6: every receipt that was acknowledged to the SMSC is in the ledger, with its message or as an orphan."""
    apart = _without_message(e)
    if len(apart) > e.orphans:
        text = f"{len(apart)} acknowledged receipts are with no message, and only {e.orphans} are kept as orphans"
        yield Violation("I6", text, shown(*apart.values()))


def receipts_matched(e: Evidence) -> Iterator[Violation]:
    """I6: a receipt whose ref the ledger knows is with its message; it may be an orphan until that ref is stored.

    Of a segment whose ref was lost in a crash nobody can tell which message it is: its receipts stay orphans.
    """
    known = _refs(e)
    for (ref, stat), line in _without_message(e).items():
        if ref in known:
            yield Violation("I6", f"the receipt {stat} of {ref} was acknowledged and is gone", shown(line))


def _without_message(e: Evidence) -> dict[tuple[str, str], Row]:
    """Give the journal's line of each acknowledged receipt that no message shows, by ref and stat."""
    kept = {(ref, stat) for ref, stat, _, _ in e.receipts}
    told = {(str(line["number"]), line["stat"]): line for line in e.told if line["status"] == 0}
    return {key: line for key, line in told.items() if key not in kept}


def _refs(e: Evidence) -> Counter[str]:
    """Count the provider refs the ledger holds."""
    return Counter(
        segment["providerRef"]
        for row in e.timelines.values()
        for attempt in row["attempts"]
        for segment in attempt["segments"]
        if segment["providerRef"]
    )


def callbacks_made(e: Evidence) -> Iterator[Violation]:
    """I7: every event was told, signed, and all repeats of one share an id that nothing else has."""
    ids: dict[tuple[str, int], set[str]] = defaultdict(set)
    for callback in e.callbacks:
        if callback["verdict"] != "valid":
            yield Violation("I7", f"a callback came with a signature that is {callback['verdict']}", shown(callback))
        ids[callback["body"]["messageId"], callback["body"]["sequence"]].add(callback["id"])
    for event in e.feed:
        found = ids.get((event["messageId"], event["sequence"]), set())
        if len(found) != 1:
            told = "was never told" if not found else f"was told under the ids {', '.join(sorted(found))}"
            yield Violation("I7", f"{event['msisdn']} {event['state']} {told}", shown(event))
    used = Counter(callback_id for found in ids.values() for callback_id in found)
    for callback_id, times in used.items():
        if times > 1:
            yield Violation("I7", f"{callback_id} is the id of {times} events")
    last = {event["messageId"]: event["state"] for event in e.feed}
    for row in e.messages:
        if row["state"] in ENDS and last.get(row["messageId"]) != row["state"]:
            yield Violation("I7", f"{row['destination']} ended as {row['state']}, untold", shown(row))


def counted_once(e: Evidence) -> Iterator[Violation]:
    """I8: each segment that the SMSC took is counted once: no more refs than segments, no ref twice or invented.

    What will be charged is `segmentCount` for each accepted attempt; it must be what the SMSC saw of that message, give
    or take the attempts whose outcome is unknown.
    """
    given = {str(line["id"]): line["destination"] for line in e.submits}
    for ref, times in _refs(e).items():
        if times > 1 or ref not in given:
            yield Violation("I8", f"the ref {ref} is counted {times} times" if ref in given else f"no SMSC gave {ref}")
    taken = Counter(line["destination"] for line in e.submits)
    for row in e.timelines.values():
        each, outcomes = row["segmentCount"], Counter(attempt["outcome"] for attempt in row["attempts"])
        # A refused or deferred attempt of a long message may have had all but one segment taken.
        least, partly = each * outcomes["accepted"], outcomes["refused"] + outcomes["deferred"]
        most = least + each * outcomes["unknown"] + (each - 1) * partly
        if not least <= taken[row["destination"]] <= most:
            text = f"{row['destination']} counts {least} to {most} segments, the SMSC took {taken[row['destination']]}"
            yield Violation("I8", text, shown({**row, "text": None}))


Check = Callable[[Evidence], Iterator[Violation]]

AT_ANY_TIME: Final[Sequence[Check]] = (nothing_gone, no_ghosts, bounded_repeats, receipts_kept)
"""Hold while Loa is busy too, if the journals were read before the ledger."""
IN_THE_END: Final[Sequence[Check]] = (
    nothing_hangs,
    forward_only,
    conservation,
    receipts_matched,
    callbacks_made,
    counted_once,
)
