"""F14: the power fails between any two steps of the disk; the file is whole and nothing that was answered is missing.

The disk is a model, see tests/support/crash_vfs. A control with a weaker setting shows that the model can lose rows.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import pytest

from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted
from loa.ledger.sqlite.ledger import SqliteLedger, SqliteOptions
from loa.ports.channel import Attempt
from tests.contract.ledger.values import (
    MINUTE,
    NUMBER,
    OTP,
    claim,
    no_resend,
    receipt,
    settlement,
    submission,
    tried,
)
from tests.support.crash_vfs import Loss, RecordingVfs, Step, cuts
from tests.support.fakes import EPOCH, QuietProbe

pytestmark = [pytest.mark.crash, pytest.mark.timeout(120)]

ROUNDS = 12
CHECKPOINT_PAGES = 60
SEED = 20261118


@dataclass
class Promised:
    """What had been answered when so many steps of the disk were done. Ids of rows, by what was said of them."""

    steps: int
    accepted: list[int] = field(default_factory=list)
    claimed: list[int] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    delivered: list[int] = field(default_factory=list)
    told: list[int] = field(default_factory=list)


KEPT = {
    "accepted": "SELECT count(*) FROM message m JOIN submission s ON s.id = m.submission_id WHERE m.id IN (?1)",
    "claimed": "SELECT count(*) FROM message m JOIN attempt a ON a.message_id = m.id WHERE m.state <> 0 AND m.id IN (?1)",
    "sent": "SELECT count(*) FROM attempt a JOIN segment g ON g.message_id = a.message_id"
    " WHERE a.outcome = 'accepted' AND a.message_id IN (?1)",
    "delivered": "SELECT count(*) FROM message m JOIN receipt r ON r.message_id = m.id"
    " JOIN event e ON e.message_id = m.id AND e.endpoint_id IS NOT NULL WHERE m.state = 4 AND m.id IN (?1)",
    "told": "SELECT count(*) FROM event e JOIN callback_try t ON t.event_id = e.id"
    " WHERE e.result = 'delivered' AND e.id IN (?1)",
}
"""How each kind of promise is found again, in plain SQL beside the program's own queries."""


class Workload:
    """A ledger's life in small: every kind of call, with what each answer promised."""

    def __init__(self, ledger: SqliteLedger, steps: list[Step]) -> None:
        self._ledger = ledger
        self._steps = steps
        self._now = Promised(0)
        self.promised: list[Promised] = []

    def _promise(self, **ids: list[int]) -> None:
        before = self._now
        kinds = {kind: [*getattr(before, kind), *ids.get(kind, ())] for kind in KEPT}
        self._now = Promised(len(self._steps), **kinds)
        self.promised.append(self._now)

    async def run(self) -> None:
        endpoint = await self._ledger.add_endpoint(1, "https://x.example/", "whsec_x")
        first = 1
        for turn in range(ROUNDS):
            numbers = [NUMBER + first + i for i in range(1 + turn % 3)]
            await self._ledger.accept(submission(traffic_class=OTP, numbers=numbers, endpoint_id=endpoint.id))
            self._promise(accepted=list(range(first, first + len(numbers))))
            first += len(numbers)
            await self._carry(await claim(self._ledger, limit=2))
        await self._claim_and_die()

    async def _carry(self, attempts: list[Attempt]) -> None:
        ids = [attempt.message_id for attempt in attempts]
        self._promise(claimed=ids)
        await self._ledger.record([settlement(a, Accepted((f"ref-{a.message_id}",))) for a in attempts])
        self._promise(sent=ids)
        await self._ledger.store([receipt(f"ref-{a.message_id}", destination=a.destination) for a in attempts])
        self._promise(delivered=ids)
        due = await self._ledger.claim_due(10, 10, EPOCH + MINUTE, EPOCH + 2 * MINUTE, [])
        await self._ledger.record_tries([tried(callback.id) for callback in due])
        self._promise(told=[callback.id for callback in due])

    async def _claim_and_die(self) -> None:
        """Leave some in the air, as a crash would."""
        self._promise(claimed=[attempt.message_id for attempt in await claim(self._ledger, limit=3)])


@dataclass
class Recorded:
    """What the disk was asked, and what was promised on the way."""

    path: Path
    steps: list[Step]
    promised: list[Promised]

    def promised_at(self, steps: int) -> Promised:
        return max((p for p in self.promised if p.steps <= steps), key=lambda p: p.steps, default=Promised(0))

    def disks(self, loss: Loss) -> Iterator[tuple[Promised, dict[str, bytes]]]:
        """Give every different disk with the most that had been promised while it was so."""
        last: tuple[int, dict[str, bytes]] | None = None
        for done, files in cuts(self.steps, loss, random.Random(SEED)):
            if last is not None and files != last[1]:
                yield self.promised_at(last[0]), last[1]
            last = (done, dict(files))
        assert last is not None
        yield self.promised_at(last[0]), last[1]


@pytest.fixture
async def recorded(tmp_path: Path) -> Recorded:
    """A workload over the recording disk, ended without the tidying of a close."""
    path = tmp_path / "loa.db"
    vfs = RecordingVfs("recording")
    options = SqliteOptions(vfs="recording", checkpoint_pages=CHECKPOINT_PAGES)
    ledger = await SqliteLedger.open(path, probe=QuietProbe(), options=options)
    work = Workload(ledger, vfs.steps)
    await work.run()
    steps = list(vfs.steps)
    await ledger.close()
    vfs.unregister()
    return Recorded(path, steps, work.promised)


def lay_out(folder: Path, files: dict[str, bytes]) -> Path:
    """Put a disk's files into a folder, as they would be found after the power is back."""
    for old in folder.glob("loa.db*"):
        old.unlink()
    for name, data in files.items():
        (folder / Path(name).name).write_bytes(data)
    return folder / "loa.db"


def hold_against(path: Path, promised: Promised) -> None:
    """Open with the real file system: whole, and every promise is kept."""
    connection = apsw.Connection(str(path))
    try:
        assert connection.pragma("integrity_check") == "ok"
        for kind, query in KEPT.items():
            ids = getattr(promised, kind)
            if ids:
                kept = connection.execute(query.replace("?1", ",".join(map(str, ids)))).get
                assert kept == len(ids), f"after {promised.steps} steps {len(ids) - int(kept)} {kind} are missing"
    finally:
        connection.close()


@pytest.mark.parametrize("loss", ["all", "some", "torn"])
async def test_f14_no_cut_of_the_power_loses_what_was_answered(recorded: Recorded, tmp_path: Path, loss: Loss) -> None:
    folder = tmp_path / "after"
    folder.mkdir()
    checked = 0
    for promised, files in recorded.disks(loss):
        hold_against(lay_out(folder, files), promised)
        checked += 1
    assert checked > 80
    writes_back = [step for step in recorded.steps if step.kind == "write" and step.name == str(recorded.path)]
    assert len(writes_back) > CHECKPOINT_PAGES, "the workload must be long enough for checkpoints"


async def test_f14_after_a_cut_the_ledger_opens_and_claims_nothing_a_second_time(
    recorded: Recorded, tmp_path: Path
) -> None:
    folder = tmp_path / "after"
    folder.mkdir()
    for promised, files in list(recorded.disks("all"))[::8]:
        ledger = await SqliteLedger.open(lay_out(folder, files), probe=QuietProbe())
        try:
            await ledger.settle_stale(EPOCH, no_resend, former=True)
            again = {attempt.message_id for attempt in await claim(ledger)}
            assert not again & set(promised.claimed)
            for message_id in set(promised.claimed) - set(promised.sent):
                row: Any = await ledger.message(1, message_id)
                assert row["state"] in (State.UNKNOWN.label, State.SENT.label, State.DELIVERED.label)
        finally:
            await ledger.close()


@pytest.mark.parametrize(("synchronous", "loses"), [("full", False), ("normal", True)])
def test_the_model_finds_the_rows_that_a_weaker_setting_loses(tmp_path: Path, synchronous: str, loses: bool) -> None:
    vfs = RecordingVfs("control")
    connection = apsw.Connection(str(tmp_path / "loa.db"), vfs="control")
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", synchronous)
    connection.execute("CREATE TABLE promise (number INTEGER PRIMARY KEY)")
    answered = []
    for number in range(1, 31):
        connection.execute("INSERT INTO promise VALUES (?)", (number,))
        answered.append(len(vfs.steps))
    steps = list(vfs.steps)
    connection.close()
    vfs.unregister()
    folder = tmp_path / "after"
    folder.mkdir()
    lost = [
        number
        for done, files in cuts(steps, "all", random.Random(SEED))
        for number in [sum(at <= done for at in answered)]
        if number and kept_rows(lay_out(folder, dict(files))) < number
    ]
    assert bool(lost) is loses


def kept_rows(path: Path) -> int:
    connection = apsw.Connection(str(path))
    try:
        assert connection.pragma("integrity_check") == "ok"
        if not connection.execute("SELECT count(*) FROM sqlite_schema").get:
            return 0
        return int(connection.execute("SELECT count(*) FROM promise").get)
    finally:
        connection.close()
