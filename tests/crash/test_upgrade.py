"""F43 on a file: an upgrade and a way back with a full queue."""

from pathlib import Path

import apsw
import pytest

from loa.app import admin_files
from loa.errors import SchemaMismatch, StorageError
from loa.ledger.sqlite import migrate
from loa.ledger.sqlite.ledger import SqliteLedger
from tests.contract.ledger.values import EPOCH, NUMBER, claim, submission
from tests.support.fakes import QuietProbe

pytestmark = [pytest.mark.crash, pytest.mark.timeout(60)]

QUEUED = 3_000
TODAY = migrate.migrations()
NEXT = migrate.newest() + 1
WIDER = "ALTER TABLE message ADD COLUMN note TEXT NOT NULL DEFAULT '';"


async def full(path: Path) -> None:
    """A ledger with a full queue."""
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    for first in range(0, QUEUED, 500):
        await ledger.accept(submission(numbers=[NUMBER + first + i for i in range(500)]))
    await ledger.close()


async def claimed(path: Path) -> set[int]:
    """Start on a ledger and claim all that is queued."""
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    try:
        return {attempt.destination for attempt in await claim(ledger, EPOCH, limit=QUEUED + 1, channel=1)}
    finally:
        await ledger.close()


def newer(monkeypatch: pytest.MonkeyPatch, statements: str = WIDER) -> None:
    """Be the next version of the program from now on."""
    monkeypatch.setattr(migrate, "migrations", lambda: [*TODAY, (NEXT, statements)])


async def test_f43_a_full_queue_survives_the_upgrade_and_the_older_program_is_refused_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, before = tmp_path / "loa.db", tmp_path / "before.db"
    await full(path)
    admin_files.back_up(path, before, lambda _done, _pages: None)
    with monkeypatch.context() as upgraded:
        newer(upgraded)
        opened = await SqliteLedger.open(path, probe=QuietProbe())
        assert sum(row["count"] for row in await opened.depths()) == QUEUED
        assert len(await claim(opened, limit=1_000)) == 1_000
        await opened.close()
        assert admin_files.file_state(path).schema == NEXT
    with pytest.raises(SchemaMismatch, match="run that version, or restore a backup made before the upgrade"):
        await claimed(path)
    # The way back is that backup: it opens, and it says that it is one.
    assert admin_files.file_state(before).backup_at is not None
    ledger = await SqliteLedger.open(before, probe=QuietProbe())
    assert sum(row["count"] for row in await ledger.depths()) == QUEUED
    await ledger.close()


async def test_f43_an_upgrade_that_breaks_off_leaves_the_older_schema_and_the_whole_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "loa.db"
    await full(path)
    with monkeypatch.context() as upgraded:
        newer(upgraded, f"{WIDER} UPDATE message SET note = 'x'; INSERT INTO no_such_table VALUES (1);")
        with pytest.raises(StorageError):
            await claimed(path)
    assert admin_files.file_state(path).schema == migrate.newest()
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    assert "note" not in [row[1] for row in connection.execute("PRAGMA table_info(message)")]
    connection.close()
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    assert sum(row["count"] for row in await ledger.depths()) == QUEUED
    await ledger.close()
