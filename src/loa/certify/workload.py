"""A ledger's life in small on the recording disk, with what each answer promised, and how a promise is found again."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import apsw

from loa.app.probes import NoProbe
from loa.certify.power import Loss, RecordingVfs, Step, cuts
from loa.domain.ids import new_referent_id, new_token
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted
from loa.domain.receipt import Receipt
from loa.domain.routes import plan_of
from loa.domain.traffic import TrafficClass
from loa.ledger.sqlite.ledger import SqliteLedger, SqliteOptions
from loa.ports.channel import Attempt
from loa.ports.records import CallbackTry, NewSubmission, Settlement

AT: Final = 1_795_000_000_000
"""The time of everything in the workload: nothing in it depends on the hour."""
MINUTE: Final = 60_000
NUMBER: Final = 84_912_345_678
TURNS: Final = 12
CHECKPOINT_PAGES: Final = 60
"""Few, so that the log is written back several times and cuts fall into that too."""
CONTROL_ROWS: Final = 30


@dataclass
class Promised:
    """What had been answered when so many steps of the disk were done. Ids of rows, by what was said of them."""

    steps: int
    accepted: list[int] = field(default_factory=list)
    claimed: list[int] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    delivered: list[int] = field(default_factory=list)
    told: list[int] = field(default_factory=list)


KEPT: Final[Mapping[str, str]] = {
    "accepted": "SELECT count(*) FROM message m JOIN submission s ON s.id = m.submission_id WHERE m.id IN (?1)",
    "claimed": "SELECT count(*) FROM message m JOIN attempt a ON a.message_id = m.id"
    " WHERE m.state <> 0 AND m.id IN (?1)",
    "sent": "SELECT count(*) FROM attempt a JOIN segment g ON g.message_id = a.message_id"
    " WHERE a.outcome = 'accepted' AND a.message_id IN (?1)",
    "delivered": "SELECT count(*) FROM message m JOIN receipt r ON r.message_id = m.id"
    " JOIN event e ON e.message_id = m.id AND e.endpoint_id IS NOT NULL WHERE m.state = 4 AND m.id IN (?1)",
    "told": "SELECT count(*) FROM event e JOIN callback_try t ON t.event_id = e.id"
    " WHERE e.result = 'delivered' AND e.id IN (?1)",
}
"""How each kind of promise is found again, in plain SQL beside the program's own queries."""


def _submission(numbers: Sequence[int], endpoint_id: int) -> NewSubmission:
    referent_id = new_referent_id(AT)
    return NewSubmission(
        tenant_id=1,
        key_id=1,
        referent_id=referent_id,
        token=new_token(referent_id),
        request_id="",
        fingerprint=b"",
        strict=False,
        sender="LOA",
        text="Xin chào 🙂 \"quoted\" 'x' \\ \n",
        encoding="ucs2",
        segment_count=1,
        traffic_class=TrafficClass.OTP,
        accepted_at=AT,
        due_at=AT,
        expires_at=AT + 60 * MINUTE,
        plans=[(plan_of(1), numbers)],
        endpoint_id=endpoint_id,
    )


def _accepted(attempt: Attempt) -> Settlement:
    ref = f"ref-{attempt.message_id}"
    return Settlement(attempt.message_id, attempt.number, attempt.channel_id, Accepted((ref,)), AT)


def _receipt(attempt: Attempt) -> Receipt:
    ref = f"ref-{attempt.message_id}"
    return Receipt(1, (ref,), State.DELIVERED, "DELIVRD", attempt.destination, "000", b"\x00\xffid:1", AT + 1_000)


def _try(callback_id: int) -> CallbackTry:
    return CallbackTry(callback_id, 1, AT, 200, "", "", 3, delivered=True, next_at=None)


class Workload:
    """Every kind of call, each followed by a note of what its answer promised."""

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
        """Live."""
        endpoint = await self._ledger.add_endpoint(1, "https://x.example/", "whsec_x")
        first = 1
        for turn in range(TURNS):
            numbers = [NUMBER + first + i for i in range(1 + turn % 3)]
            await self._ledger.accept(_submission(numbers, endpoint.id))
            self._promise(accepted=list(range(first, first + len(numbers))))
            first += len(numbers)
            await self._carry(await self._claim(2))
        # Some are left in the air, as a crash would leave them.
        self._promise(claimed=[attempt.message_id for attempt in await self._claim(3)])

    async def _claim(self, limit: int) -> list[Attempt]:
        return await self._ledger.claim(1, [(TrafficClass.OTP, limit)], limit, AT, AT + MINUTE)

    async def _carry(self, attempts: list[Attempt]) -> None:
        ids = [attempt.message_id for attempt in attempts]
        self._promise(claimed=ids)
        await self._ledger.record([_accepted(attempt) for attempt in attempts])
        self._promise(sent=ids)
        await self._ledger.store([_receipt(attempt) for attempt in attempts])
        self._promise(delivered=ids)
        due = await self._ledger.claim_due(10, 10, AT + MINUTE, AT + 2 * MINUTE, [])
        await self._ledger.record_tries([_try(callback.id) for callback in due])
        self._promise(told=[callback.id for callback in due])


@dataclass
class Recorded:
    """What the disk was asked, and what was promised on the way."""

    path: Path
    steps: list[Step]
    promised: list[Promised]

    def _promised_at(self, steps: int) -> Promised:
        return max((p for p in self.promised if p.steps <= steps), key=lambda p: p.steps, default=Promised(0))

    def disks(self, loss: Loss, seed: int) -> Iterator[tuple[Promised, dict[str, bytes]]]:
        """Give every different disk with the most that had been promised while it was so."""
        last: tuple[int, dict[str, bytes]] | None = None
        for done, files in cuts(self.steps, loss, random.Random(seed)):
            if last is not None and files != last[1]:
                yield self._promised_at(last[0]), last[1]
            last = (done, dict(files))
        assert last is not None
        yield self._promised_at(last[0]), last[1]


async def record(folder: Path) -> Recorded:
    """Run the workload over the recording disk; what is recorded ends without the tidying of a close."""
    path = folder / "loa.db"
    vfs = RecordingVfs("recording")
    try:
        options = SqliteOptions(vfs="recording", checkpoint_pages=CHECKPOINT_PAGES)
        ledger = await SqliteLedger.open(path, probe=NoProbe(), options=options)
        try:
            work = Workload(ledger, vfs.steps)
            await work.run()
            steps = list(vfs.steps)
        finally:
            await ledger.close()
    finally:
        vfs.unregister()
    return Recorded(path, steps, work.promised)


def lay_out(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Put a disk's files into a folder, as they would be found after the power is back."""
    for old in folder.glob("loa.db*"):
        old.unlink()
    for name, data in files.items():
        (folder / Path(name).name).write_bytes(data)
    return folder / "loa.db"


def missing(path: Path, promised: Promised) -> str:
    """Open a disk with the real file system and look for what was promised; say what is not there, "" for nothing."""
    connection = apsw.Connection(str(path))
    try:
        said = str(connection.pragma("integrity_check"))
        if said != "ok":
            return f"after {promised.steps} steps the file is not whole: {said}"
        for kind, query in KEPT.items():
            ids = getattr(promised, kind)
            kept = connection.execute(query.replace("?1", ",".join(map(str, ids)))).get if ids else 0
            if kept != len(ids):
                return f"after {promised.steps} steps {len(ids) - int(kept)} of {len(ids)} {kind} are missing"
    except apsw.Error as error:
        return f"after {promised.steps} steps the file cannot be read: {error}"
    finally:
        connection.close()
    return ""


def control_losses(folder: Path, after: Path, synchronous: str, seed: int) -> int:
    """Count the cuts at which plain rows that were answered are gone, under a setting of `synchronous`."""
    vfs = RecordingVfs("control")
    connection = apsw.Connection(str(folder / "control.db"), vfs="control")
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", synchronous)
    connection.execute("CREATE TABLE promise (number INTEGER PRIMARY KEY)")
    answered = []
    for number in range(1, CONTROL_ROWS + 1):
        connection.execute("INSERT INTO promise VALUES (?)", (number,))
        answered.append(len(vfs.steps))
    steps = list(vfs.steps)
    connection.close()
    vfs.unregister()
    renamed = (
        (done, {name.replace("control.db", "loa.db"): data for name, data in files.items()})
        for done, files in cuts(steps, "all", random.Random(seed))
    )
    return sum(_rows(lay_out(after, files)) < sum(at <= done for at in answered) for done, files in renamed)


def _rows(path: Path) -> int:
    connection = apsw.Connection(str(path))
    try:
        if not connection.execute("SELECT count(*) FROM sqlite_schema").get:
            return 0
        return int(connection.execute("SELECT count(*) FROM promise").get)
    finally:
        connection.close()
