"""F16: the server's disk is full. New submissions are refused as such, all else goes on, and it recovers by itself.

A full disk that needs no rights: the empty file of the table that is to grow is put aside for /dev/full, which takes
nothing and says why. The server meets the same error in the same place as on a disk without room.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loa.certify.cluster import Cluster
from loa.domain.outcome import Accepted
from loa.errors import StorageFull
from loa.ledger.postgres.days import day_of
from loa.ports.records import Stored
from tests.contract.ledger.values import DAY, EPOCH, claim, receipt, settlement, state_of, submission
from tests.support.postgres import Postgres
from tests.support.shared_ledger import SharedLedger

TODAY = EPOCH + DAY
"""A day whose tables are there and still empty."""


class FullDisk:
    """Makes one empty table of the server unable to grow."""

    def __init__(self, cluster: Cluster, shared: SharedLedger, table: str) -> None:
        self._data = cluster.folder / "data"
        self._shared = shared
        self._table = table
        self._file = Path()

    async def fill(self) -> None:
        self._file = self._data / await self._shared.value(f"SELECT pg_relation_filepath('loa.{self._table}')")
        assert self._file.stat().st_size == 0
        # What was written before is synced before, so that the server never tries to sync /dev/full.
        await self._shared.rows("CHECKPOINT")
        self._file.rename(self._file.with_suffix(".aside"))
        self._file.symlink_to("/dev/full")

    async def clear(self) -> None:
        if not self._file.is_symlink():
            return
        self._file.unlink()
        self._file.with_suffix(".aside").rename(self._file)
        # Whoever has the file open looks for it again, as after any change of the table.
        await self._shared.rows(f"ALTER TABLE loa.{self._table} SET (fillfactor = 90)")


@pytest.fixture
async def disk(postgres: Postgres, shared: SharedLedger) -> AsyncIterator[FullDisk]:
    one = FullDisk(postgres.cluster, shared, f"submission_d{day_of(TODAY)}")
    yield one
    await one.clear()


async def test_f16_on_a_full_disk_nothing_new_is_taken_all_else_goes_on_and_it_recovers(
    shared: SharedLedger, disk: FullDisk
) -> None:
    await disk.fill()
    node = await shared.open()
    old = submission()
    assert await node.accept(old) == Stored()
    (attempt,) = await claim(node)
    for _ in range(2):
        with pytest.raises(StorageFull, match="free space there"):
            await node.accept(submission(at=TODAY, request_id="r", fingerprint=b"f"))
    assert await shared.value("SELECT count(*) FROM message") == 1
    assert await node.submission(1, old.referent_id) is not None
    assert await node.depths() == []
    assert await node.record([settlement(attempt, Accepted(("A1",)))]) == 1
    assert (await node.store([receipt("A1")])).applied == 1
    assert await state_of(node, attempt.message_id) == "delivered"
    await disk.clear()
    assert await node.accept(submission(at=TODAY, request_id="r", fingerprint=b"f")) == Stored()
    assert len(await claim(node, TODAY)) == 1
