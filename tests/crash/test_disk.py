"""F15 and F16: a disk that is full, and a disk whose syncs fail. Nothing that was answered is lost, and it is said.

The same through a whole Loa is a stage of the certificate.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from loa.certify.disk import FULL, SYNC_FAILS, FaultyVfs, switch
from loa.domain.outcome import Accepted
from loa.errors import StorageFull, StorageUnavailable
from loa.ledger.sqlite.ledger import SqliteLedger, SqliteOptions
from loa.ports.ledger import Ledger
from loa.ports.records import MessageFilter
from tests.contract.ledger.values import NUMBER, claim, receipt, settlement, state_of, submission
from tests.support.fakes import QuietProbe

pytestmark = [pytest.mark.crash, pytest.mark.timeout(60)]

RESERVE = 1_000_000
FLOOR = 500_000


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on a disk that can be told to be full or to fail."""
    vfs = FaultyVfs(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", vfs.disk_usage)
    yield tmp_path
    vfs.unregister()


async def open_on(disk: Path, *, reserve: int = RESERVE, floor: int = FLOOR) -> SqliteLedger:
    options = SqliteOptions(vfs="faulty", reserve_octets=reserve, free_floor_octets=floor)
    return await SqliteLedger.open(disk / "loa.db", probe=QuietProbe(), options=options)


@pytest.fixture
async def ledger(disk: Path) -> AsyncIterator[SqliteLedger]:
    opened = await open_on(disk)
    yield opened
    await opened.close()


async def kept(disk: Path) -> int:
    """How many messages an ordinary start finds on the disk."""
    again = await SqliteLedger.open(disk / "loa.db", probe=QuietProbe())
    count = len(await again.messages(1, MessageFilter(), None, 1_000))
    await again.close()
    return count


async def accept_until_full(ledger: Ledger) -> int:
    """Accept until there is no room; give how many were accepted."""
    for accepted in range(1_000):
        try:
            await ledger.accept(submission(numbers=[NUMBER + accepted], text="x" * 2_000))
        except StorageFull:
            return accepted
    raise AssertionError("the disk was never full")


async def test_f16_below_the_floor_nothing_new_is_taken_and_the_rest_goes_on(disk: Path, ledger: SqliteLedger) -> None:
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    switch(disk, FULL, on=True)
    assert not ledger.writable()
    with pytest.raises(StorageFull):
        await ledger.accept(submission())
    assert await ledger.record([settlement(attempt, Accepted(("A1",)))]) == 1
    assert (await ledger.store([receipt("A1")])).applied == 1
    assert not (disk / "loa.db.reserve").exists()
    with pytest.raises(StorageFull):
        await ledger.accept(submission())
    switch(disk, FULL, on=False)
    assert ledger.writable()
    await ledger.accept(submission())
    assert (disk / "loa.db.reserve").stat().st_size == RESERVE
    assert await state_of(ledger, attempt.message_id) == "delivered"


async def test_f16_when_even_the_reserve_is_used_up_what_is_owed_waits_and_nothing_is_lost(disk: Path) -> None:
    ledger = await open_on(disk, reserve=0, floor=0)
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    switch(disk, FULL, on=True)
    accepted = await accept_until_full(ledger)
    with pytest.raises(StorageFull):
        await ledger.record([settlement(attempt, Accepted(("A1",)))])
    assert await state_of(ledger, attempt.message_id) == "sending"
    switch(disk, FULL, on=False)
    assert await ledger.record([settlement(attempt, Accepted(("A1",)))]) == 1
    await ledger.accept(submission())
    await ledger.close()
    assert await kept(disk) == accepted + 2


async def test_f16_a_call_refused_for_room_leaves_the_others_of_its_commit_and_the_depths_alone(disk: Path) -> None:
    ledger = await open_on(disk, reserve=0, floor=0)
    await ledger.accept(submission())
    switch(disk, FULL, on=True)
    await accept_until_full(ledger)
    before = await ledger.depths()
    with pytest.raises(StorageFull):
        await ledger.accept(submission(numbers=[NUMBER + i for i in range(5_000)]))
    assert await ledger.depths() == before
    switch(disk, FULL, on=False)
    await ledger.close()


async def test_f16_a_ledger_that_was_left_full_starts_from_its_reserve(disk: Path, ledger: SqliteLedger) -> None:
    await ledger.accept(submission())
    await ledger.close()
    switch(disk, FULL, on=True)
    again = await open_on(disk)
    assert not again.writable()
    assert len(await claim(again)) == 1
    await again.close()


async def test_f15_after_a_failed_sync_nothing_more_is_written_and_all_that_was_answered_is_there(disk: Path) -> None:
    ledger = await open_on(disk)
    for number in range(5):
        await ledger.accept(submission(numbers=[NUMBER + number]))
    switch(disk, SYNC_FAILS, on=True)
    with pytest.raises(StorageUnavailable):
        await ledger.accept(submission(numbers=[NUMBER + 5]))
    await ledger.failed.wait()
    switch(disk, SYNC_FAILS, on=False)
    size = (disk / "loa.db-wal").stat().st_size
    assert not ledger.writable()
    for call in (ledger.accept(submission(numbers=[NUMBER + 6])), claim(ledger), ledger.store([receipt("A1")])):
        with pytest.raises(StorageUnavailable):
            await call
    assert (disk / "loa.db-wal").stat().st_size == size
    await ledger.close()
    assert await kept(disk) in (5, 6)


async def test_f15_calls_that_wait_behind_a_failed_sync_are_refused_too(disk: Path) -> None:
    ledger = await open_on(disk)
    switch(disk, SYNC_FAILS, on=True)
    calls = [ledger.accept(submission(numbers=[NUMBER + i])) for i in range(20)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StorageUnavailable] * 20
    await ledger.close()
    switch(disk, SYNC_FAILS, on=False)


async def test_f15_a_failed_sync_among_calls_that_are_tried_one_by_one_stops_the_rest(disk: Path) -> None:
    ledger = await open_on(disk)
    await ledger.accept(submission())
    switch(disk, SYNC_FAILS, on=True)
    wrong = ledger.set_endpoint_health(2**80, None, None, "")
    calls = [wrong, *(ledger.store([receipt(f"A{number}")]) for number in range(5))]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(answer, Exception) for answer in answers), answers
    assert [type(answer) for answer in answers[1:]] == [StorageUnavailable] * 5
    await ledger.close()
