"""Any order of calls, answers, receipts, crashes and hours: the ledger keeps its promises, step by step.

A crash here is what a kill leaves: the files as they are at that moment, or the connections cut, opened again by another
process under the same name.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.contract.ledger.values import ALL_LANES, NUMBER, receipt, settlement, submission, tried
from tests.support.crash_model import CLAIM, EVIDENCE_WAIT, Message
from tests.support.fakes import EPOCH, FakeClock, QuietProbe
from tests.support.postgres import Postgres, postgres
from tests.support.shared_ledger import APP, as_user, end_abruptly, prepare

from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.domain.receipt import stored_form
from loa.domain.ruling import Ruling
from loa.domain.traffic import OnUnknown, TrafficClass
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.channel import Attempt
from loa.ports.ledger import Ledger
from loa.ports.records import Decision, DueCallback, MessageFilter, NewSubmission, Repeat, Row, Stored
from loa.seal.keyfile import NAME

__all__ = ["postgres"]

T = TypeVar("T")

ENDS = {"delivered", "undelivered", "rejected", "expired", "cancelled", "unknown"}
AFTER = {"unknown": ENDS - {"unknown", "cancelled"}, "expired": {"delivered", "undelivered"}}
WORDS: dict[str, Outcome] = {
    "refused": Refused("no"),
    "unknown": Unknown("silence"),
    "deferred": Deferred("throttled", counts=False),
    "busy": Deferred("busy"),
}


def policy(_tenant: int, traffic_class: TrafficClass) -> tuple[int, OnUnknown]:
    return EVIDENCE_WAIT, OnUnknown.RESEND_ONCE if traffic_class is TrafficClass.TRANSACTIONAL else OnUnknown.NEVER


class LedgerMachine(RuleBasedStateMachine):
    """Drives a real ledger and the model side by side. `numbers`: what the model calls a message, by its id."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="loa-machine-"))
        self.boots = 0
        self.now = EPOCH
        self.model: dict[int, Message] = {}
        self.numbers: dict[int, int] = {}
        self.ids: dict[int, int] = {}
        self.submissions: list[NewSubmission] = []
        self.attempts: list[Attempt] = []
        self.seen: dict[int, str] = {}
        self.doubts: Counter[int] = Counter()
        self.posted: dict[int, tuple[int, int, str]] = {}
        self.ledger: Ledger = self.run(self.open())
        self.endpoint = self.run(self.ledger.add_endpoint(1, "https://x.example/", "whsec_x")).id

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def open(self) -> Ledger:
        """Open the ledger that is there, or a new one."""
        self.path = self.folder / str(self.boots) / "loa.db"
        return await SqliteLedger.open(self.path, probe=QuietProbe())

    async def open_after_a_kill(self) -> Ledger:
        """Open what a kill at this moment leaves."""
        self.boots += 1
        (self.folder / str(self.boots)).mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(f"{self.path}{suffix}", self.folder / str(self.boots) / f"loa.db{suffix}")
        shutil.copy(self.path.with_name(NAME), self.folder / str(self.boots))
        await self.ledger.close()
        return await self.open()

    async def close(self) -> None:
        """Close the ledger and leave nothing behind."""
        await self.ledger.close()

    def ref_of(self, attempt: Attempt) -> str:
        return f"r{self.numbers[attempt.message_id]}-{attempt.number}"

    def teardown(self) -> None:
        try:
            self.tell_everything()
        finally:
            self.run(self.close())
            self.loop.close()
            shutil.rmtree(self.folder)

    # what clients do

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        for _ in range(3):
            self.accept(data)

    @rule(what=st.sampled_from(["accept", "accept", "accept", "accept_again", "cancel"]), data=st.data())
    def client(self, what: str, data: st.DataObject) -> None:
        {"accept": self.accept, "accept_again": self.accept_again, "cancel": self.cancel}[what](data)

    def accept(self, data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from(TrafficClass))
        count = data.draw(st.integers(1, 4))
        lifetime = data.draw(st.sampled_from([86_400_000, 200_000, 60_000]))
        wait = data.draw(st.sampled_from([0, 0, 0, 50_000]))
        first = len(self.model) + 1
        new = submission(
            at=self.now,
            due_at=self.now + wait,
            expires_at=self.now + lifetime,
            traffic_class=kind,
            numbers=[NUMBER + first + i for i in range(count)],
            request_id=f"request-{first}",
            fingerprint=b"f",
            endpoint_id=self.endpoint,
        )
        assert self.run(self.ledger.accept(new)) == Stored()
        self.submissions.append(new)
        for row in self.run(self.ledger.submission_messages(1, new.referent_id, 0, 10)):
            number = row["destination"] - NUMBER
            self.ids[number], self.numbers[row["id"]] = row["id"], number
        for number in range(first, first + count):
            self.model[number] = Message(number, kind.label, self.now + lifetime, self.now + wait)

    def accept_again(self, data: st.DataObject) -> None:
        known = data.draw(st.sampled_from(self.submissions))
        again = submission(request_id=known.request_id, fingerprint=b"f", accepted_at=known.accepted_at)
        result = self.run(self.ledger.accept(again))
        assert isinstance(result, Repeat)
        assert (result.referent_id, result.token) == (known.referent_id, known.token)

    def cancel(self, data: st.DataObject) -> None:
        message = self.model[data.draw(st.sampled_from(sorted(self.model)))]
        cancelled = self.run(self.ledger.cancel_message(1, self.ids[message.number], self.now))
        assert cancelled is (message.state == "queued")
        if cancelled:
            message.end("cancelled")

    # what dispatch does

    @rule(limit=st.sampled_from([10, 3, 1]))
    def claim(self, limit: int) -> None:
        due = [m for m in self.model.values() if m.state == "queued" and m.due <= self.now]
        claimed = self.run(self.ledger.claim(1, ALL_LANES, limit, self.now, self.now + CLAIM))
        ids = {self.numbers[attempt.message_id] for attempt in claimed}
        expired = {m.number for m in due if m.expires_at <= self.now and self.state_of(m.number) == "expired"}
        for message in due:
            if message.number in ids | expired:
                message.claim(self.now)
        for attempt in claimed:
            message = self.model[self.numbers[attempt.message_id]]
            assert message in due
            assert (attempt.number, attempt.possible_duplicate) == (message.attempts, message.resent)
        assert expired or len(claimed) == min(limit, len(due))
        self.attempts += claimed

    @precondition(lambda self: self.attempts)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """Record outcomes in one call: of open attempts, or of some that were given up or answered long ago."""
        settlements = []
        for attempt in self.some_attempts(data):
            word = data.draw(st.sampled_from(["accepted", "accepted", *WORDS]))
            retry_at = self.now + 5_000 if word == "busy" else 0
            settlements.append(
                settlement(
                    attempt,
                    WORDS.get(word) or Accepted((self.ref_of(attempt),)),
                    self.now,
                    retry_at=retry_at,
                    wait_until=self.now + EVIDENCE_WAIT,
                    after=policy(1, attempt.traffic_class)[1],
                )
            )
            self.model[self.numbers[attempt.message_id]].answer(attempt.number, word, self.now, retry_at)
        for message in self.model.values():
            message.match_known()
        self.run(self.ledger.record(settlements))

    @rule(says=st.sampled_from([Ruling.DELIVERED, Ruling.UNDELIVERED]), data=st.data())
    def person(self, says: Ruling, data: st.DataObject) -> None:
        """A person says what became of messages, unknown or not."""
        chosen = data.draw(st.lists(st.sampled_from(sorted(self.model)), min_size=1, max_size=3, unique=True))
        ids = [self.ids[number] for number in chosen]
        effects = self.run(self.ledger.rule(1, ids, Decision(says, "they called", "mai", self.now)))
        assert [effects[each].value for each in ids] == [self.model[number].rule(says.value) for number in chosen]

    def some_attempts(self, data: st.DataObject) -> list[Attempt]:
        """Draw up to four, mostly of the last few."""
        backwards = data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True))
        return [self.attempts[-1 - back] for back in backwards if back < len(self.attempts)]

    # what the carrier tells

    @precondition(lambda self: self.attempts)
    @rule(data=st.data())
    def report(self, data: st.DataObject) -> None:
        """Receipts of attempts, before or after their answer, once or more, in one or another spelling."""
        for attempt in self.some_attempts(data):
            ref = self.ref_of(attempt)
            form = data.draw(st.sampled_from([(ref,), (ref.upper(),), (f"00{ref}",), (f"x{ref}", ref)]))
            proves = data.draw(
                st.sampled_from([State.DELIVERED, State.DELIVERED, State.UNDELIVERED, State.EXPIRED, None])
            )
            times = data.draw(st.integers(1, 3))
            one = receipt(*form, state=proves, destination=attempt.destination, received_at=self.now)
            counts = self.run(self.ledger.store([one] * times))
            assert counts.repeated >= times - 1
            if proves is not None and counts.repeated != times:
                self.model[self.numbers[attempt.message_id]].match(
                    [(tuple(map(stored_form, form)), proves.label, self.now)]
                )

    # what time and accidents do

    @rule(taken=st.booleans(), recorded=st.booleans())
    def post_callbacks(self, taken: bool, recorded: bool) -> None:
        """Post what is due; the record of it may be lost in a crash to come."""
        for callback in self.run(self.ledger.claim_due(50, 50, self.now, self.now + 60_000, [])):
            self.hear(callback)
            if recorded:
                next_at = None if taken else self.now + 5_000
                one = tried(callback.id, callback.tries + 1, delivered=taken, next_at=next_at)
                self.run(self.ledger.record_tries([one]))

    def hear(self, callback: DueCallback) -> None:
        told = (self.numbers[callback.message_id], callback.sequence, callback.state.label)
        assert self.posted.setdefault(callback.id, told) == told

    @rule(seconds=st.sampled_from([31, 0, 10, 61, 95, 300]))
    def time(self, seconds: int) -> None:
        self.now += seconds * 1_000
        self.run(self.ledger.settle_stale(self.now, policy))
        self.run(self.ledger.rematch(1_000, self.now))
        self.run(self.ledger.settle_unknown(1_000, self.now))
        self.run(self.ledger.expire(1_000, self.now))
        for message in self.model.values():
            message.time(self.now)

    @rule()
    def crash(self) -> None:
        """Start another process on what is there; what is in the air is unknown from here on."""
        self.ledger = self.run(self.open_after_a_kill())
        self.run(self.ledger.settle_stale(self.now, policy, former=True))
        for message in self.model.values():
            if message.state == "sending":
                message.lose(self.now)

    # what must hold

    def state_of(self, number: int) -> str:
        row = self.run(self.ledger.message(1, self.ids[number]))
        assert row is not None
        return str(row["state"])

    @invariant()
    def nothing_is_lost_or_made_up(self) -> None:
        rows = {self.numbers[row["id"]]: row for row in self.run(self.ledger.messages(1, MessageFilter(), None, 1_000))}
        assert {number: row["state"] for number, row in rows.items()} == {
            number: message.state for number, message in self.model.items()
        }
        for number, message in self.model.items():
            assert (rows[number]["possible_duplicate"], rows[number]["attempts"]) == (message.resent, message.attempts)
            self.watch(rows[number])

    def watch(self, row: Row) -> None:
        """What is in doubt once is never sent again, or once more and flagged: told from the rows alone."""
        number = self.numbers[row["id"]]
        state, before = row["state"], self.seen.get(number, "queued")
        if state == "sending" and before != "sending":
            may_repeat = row["class"] == "transactional" and row["possible_duplicate"]
            assert self.doubts[number] <= (1 if may_repeat else 0), row
        self.doubts[number] += state == "unknown" and before != "unknown"
        self.seen[number] = state

    @invariant()
    def what_is_told_only_goes_forward(self) -> None:
        told: dict[int, list[str]] = {number: [] for number in self.model}
        for event in self.run(self.ledger.events(1, 0, 10_000)):
            number = self.numbers[event["message_id"]]
            told[number].append(event["state"])
            assert event["sequence"] == len(told[number])
        assert told == {number: message.told for number, message in self.model.items()}
        for states in told.values():
            for before, after in pairwise(states):
                assert after in AFTER.get(before, ()), states

    @invariant()
    def depths_are_what_there_is(self) -> None:
        kept = {row["class"]: row["count"] for row in self.run(self.ledger.depths())}
        assert kept == dict(Counter(m.kind for m in self.model.values() if m.state == "queued"))

    def tell_everything(self) -> None:
        """In the end every event has been posted, each under one id."""
        self.now += 120_000
        while due := self.run(self.ledger.claim_due(50, 50, self.now, self.now + 60_000, [])):
            for callback in due:
                self.hear(callback)
            self.run(self.ledger.record_tries([tried(c.id, c.tries + 1) for c in due]))
        wanted = {
            (number, sequence, state)
            for number, message in self.model.items()
            for sequence, state in enumerate(message.told, start=1)
        }
        assert sorted(self.posted.values()) == sorted(wanted)


class PostgresMachine(LedgerMachine):
    """The same on a database of a server."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        super().__init__()

    async def open(self) -> Ledger:
        self.url = await self.server.make(prepare)
        return await self._open()

    async def _open(self) -> Ledger:
        return await PostgresLedger.open(
            as_user(self.url, APP), folder=self.folder, probe=QuietProbe(), clock=FakeClock()
        )

    async def open_after_a_kill(self) -> Ledger:
        assert isinstance(self.ledger, PostgresLedger)
        await end_abruptly(self.ledger)
        return await self._open()

    async def close(self) -> None:
        await self.ledger.close()
        await self.server.drop(self.url)


def like(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


def test_the_embedded_ledger_does_what_the_model_does() -> None:
    run_state_machine_as_test(LedgerMachine, settings=like(60))


@pytest.mark.timeout(120)
def test_the_ledger_on_postgres_does_what_the_model_does(postgres: Postgres) -> None:
    run_state_machine_as_test(lambda: PostgresMachine(postgres), settings=like(8))
