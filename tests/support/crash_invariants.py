"""The checker: what must hold after any crash, held against the ledger, the SMSC's journal and the receiver's.

Names of the invariants as in docs/explain/reliability.md. Its rules are written apart from those of the program.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import apsw

from loa.simulators.journal import read_journal
from tests.support.crash_client import CLASS_NAMES, Ask

Row = Mapping[str, Any]

ENDS = frozenset({"delivered", "undelivered", "rejected", "expired", "cancelled", "unknown"})
"""States a tenant is told of as the end of a message; `unknown` where policy leaves it so."""
UPGRADES = {
    "unknown": {"sent", "delivered", "undelivered", "rejected", "expired"},
    "expired": {"delivered", "undelivered"},
}
"""The only ways on from an end."""
HANDED_OVER = frozenset({"sent", "delivered", "undelivered"})
RANK = {"queued": 0, "sending": 1, "unknown": 2, "sent": 3} | dict.fromkeys(ENDS - {"unknown"}, 4)
WINDOW = 20
"""Segments that may be unanswered at a crash: what gateway_process configures."""


@dataclass
class Evidence:
    """All that was written down about one run."""

    asks: Sequence[Ask]
    promises: Sequence[Row]
    messages: Sequence[Row]
    timelines: Mapping[str, Row]
    feed: Sequence[Row]
    submits: Sequence[Row]
    told: Sequence[Row]
    callbacks: Sequence[Row]
    receipts: Sequence[tuple[str, str, str, int]]
    samples: Sequence[Mapping[str, str]]
    kills: int

    # looking things up

    def by_number(self) -> dict[str, Row]:
        return {row["destination"]: row for row in self.messages}

    def message(self, ask: Ask, index: int = 0) -> Row:
        """The whole story of one destination of a request."""
        return self.timelines[self.by_number()[ask.numbers[index]]["messageId"]]

    def submitted(self, ask: Ask) -> list[int]:
        """How often the SMSC took each destination of a request; a long one once a segment."""
        counts = Counter(line["destination"] for line in self.submits)
        return [counts[number] for number in ask.numbers]

    def outcomes(self, ask: Ask, index: int = 0) -> list[str]:
        """What came of every attempt on one destination of a request."""
        return [attempt["outcome"] for attempt in self.message(ask, index)["attempts"]]

    def deliveries(self, ask: Ask, state: str) -> list[Row]:
        """The callbacks that told of a state of a request's messages."""
        return [c for c in self.callbacks if c["body"]["msisdn"] in ask.numbers and c["body"]["state"] == state]

    # the invariants

    def check(self) -> None:
        """Hold everything against all invariants."""
        self.no_loss()
        self.no_ghosts()
        self.bounded_duplicates()
        self.forward_only()
        self.conservation()
        self.receipts_kept()
        self.callbacks_made()

    def no_loss(self) -> None:
        """I1: every destination that was promised is in the ledger, under the promised referent, and at an end."""
        known = self.by_number()
        for promise in self.promises:
            for number in promise["numbers"]:
                assert number in known, f"I1: {promise['requestId']} was acknowledged and {number} is gone"
                assert known[number]["state"] in ENDS, f"I1: {number} hangs in {known[number]['state']}"
        for ask in self.asks:
            answers = {(reply["referentId"], reply["data"]["token"]) for reply in ask.replies}
            assert len(answers) <= 1, f"I1: {ask.request_id} was answered in two ways"
            for number in ask.numbers if answers else ():
                assert {known[number]["referentId"]} == {referent for referent, _ in answers}

    def no_ghosts(self) -> None:
        """I2: every message was asked for, once, in the class that was asked for."""
        asked = {number: ask for ask in self.asks for number in ask.numbers}
        counts = Counter(row["destination"] for row in self.messages)
        assert not set(counts) - set(asked), "I2: messages nobody asked for"
        assert max(counts.values(), default=0) <= 1, "I2: one request became two messages"
        for row in self.messages:
            assert row["class"] == CLASS_NAMES[asked[row["destination"]].kind]

    def bounded_duplicates(self) -> None:
        """I3: the SMSC took each segment once; a second time only where the message is flagged, and few are."""
        known = self.by_number()
        counts = Counter((line["destination"], (line["part"] or [0, 1, 1])[2]) for line in self.submits)
        flagged = 0
        for (number, part), count in counts.items():
            row = known[number]
            may_repeat = row["class"] == "transactional" and row["possibleDuplicate"]
            assert count <= (2 if may_repeat else 1), f"I3: segment {part} of {number} ({row['class']}) came {count}×"
            flagged += count > 1
        for row in self.messages:
            assert not row["possibleDuplicate"] or row["class"] == "transactional", f"I3: {row['destination']} flagged"
        assert flagged <= self.kills * WINDOW, "I3: more second hand-overs than were in flight"

    def forward_only(self) -> None:
        """I4: what the API, the feed and the callbacks showed never went back."""
        stories: dict[str, dict[int, str]] = defaultdict(dict)
        shown = [*self.feed, *(callback["body"] for callback in self.callbacks)]
        shown += [{**event, "msisdn": row["destination"]} for row in self.timelines.values() for event in row["events"]]
        for event in shown:
            state = stories[event["msisdn"]].setdefault(event["sequence"], event["state"])
            assert state == event["state"], f"I4: {event['msisdn']} told one step as {state} and {event['state']}"
        for number, story in stories.items():
            states = [story[sequence] for sequence in sorted(story)]
            for before, after in pairwise(states):
                assert after in UPGRADES.get(before, ()), f"I4: {number} went from {before} to {after}"
        for earlier, later in pairwise(self.samples):
            for number, state in earlier.items():
                after = later[number]
                fine = after == state or RANK[after] > RANK[state] or after in UPGRADES.get(state, ())
                # A message in the air may come back to the queue: throttled, link down, or its one flagged re-send.
                assert fine or state in ("sending", "unknown"), f"I4: {number} was {state} and is {after}"

    def conservation(self) -> None:
        """I5: what counts as handed over the SMSC has, and what the SMSC has is handed over or unknown."""
        taken = {line["destination"] for line in self.submits}
        for row in self.messages:
            if row["state"] in HANDED_OVER:
                assert row["destination"] in taken, f"I5: {row['destination']} is {row['state']} and never arrived"
        states = {row["destination"]: row["state"] for row in self.messages}
        for number in taken:
            assert states.get(number) in HANDED_OVER | {"unknown"}, f"I5: the SMSC has {number}, {states.get(number)}"

    def receipts_kept(self) -> None:
        """I6: every receipt that was acknowledged to the SMSC is in the ledger."""
        kept = {(ref, stat) for ref, stat, _, _ in self.receipts}
        for line in self.told:
            if line["status"] == 0:
                assert (str(line["number"]), line["stat"]) in kept, f"I6: the receipt of {line['number']} is gone"

    def callbacks_made(self) -> None:
        """I7: every event was told, signed, and all repeats of one share an id that nothing else has."""
        ids: dict[tuple[str, int], set[str]] = defaultdict(set)
        for callback in self.callbacks:
            assert callback["verdict"] == "valid", f"I7: a callback with a signature that is {callback['verdict']}"
            ids[callback["body"]["messageId"], callback["body"]["sequence"]].add(callback["id"])
        for event in self.feed:
            found = ids.get((event["messageId"], event["sequence"]), set())
            assert len(found) == 1, f"I7: {event['msisdn']} {event['state']} has the callback ids {found}"
        used = Counter(callback_id for found in ids.values() for callback_id in found)
        assert max(used.values(), default=1) == 1, "I7: one callback id for two events"
        last = {event["messageId"]: event["state"] for event in self.feed}
        for row in self.messages:
            assert last.get(row["messageId"]) == row["state"], f"I7: {row['destination']} ended untold"


def read_evidence(
    directory: Path,
    asks: Sequence[Ask],
    messages: Sequence[Row],
    timelines: Mapping[str, Row],
    feed: Sequence[Row],
    *,
    samples: Sequence[Mapping[str, str]],
    kills: int,
) -> Evidence:
    """Put together what the API gave and what stands on disk."""
    smsc = list(read_journal(directory / "smsc.jsonl"))
    callbacks = [{**line, "body": json.loads(line["body"])} for line in read_journal(directory / "receiver.jsonl")]
    return Evidence(
        asks=asks,
        promises=list(read_journal(directory / "client.jsonl")),
        messages=messages,
        timelines=timelines,
        feed=feed,
        submits=[line for line in smsc if line["kind"] == "submit"],
        told=[line for line in smsc if line["kind"] == "receipt"],
        callbacks=callbacks,
        receipts=read_receipts(directory / "loa.db"),
        samples=samples,
        kills=kills,
    )


def read_receipts(path: Path) -> list[tuple[str, str, str, int]]:
    """Read the receipts of a closed ledger: ref, stat, result, repeats."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        assert connection.pragma("integrity_check") == "ok"
        rows: list[Any] = connection.execute("SELECT ref, stat, result, repeats FROM receipt").fetchall()
    finally:
        connection.close()
    return rows
