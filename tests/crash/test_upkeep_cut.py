"""F12 on a file: killed in the middle of a purge or a backup, nothing is half gone and nothing is half there."""

import asyncio
import sys
from pathlib import Path

import apsw
import pytest

from loa.app import admin_files
from loa.ledger.sqlite.ledger import SqliteLedger
from tests.contract.ledger.values import EPOCH, NUMBER, receipt, sent, submission
from tests.crash.cut_process import EVERYTHING, LATER
from tests.support.fakes import QuietProbe

pytestmark = [pytest.mark.crash, pytest.mark.timeout(60)]

TABLES = ("request_key", "submission", "message", "attempt", "segment", "receipt", "event")
KILLED = -9


async def furnished(path: Path) -> None:
    """A ledger with old messages at their end, and one that waits."""
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    for number in range(6):
        await sent(ledger, f"A{number}", numbers=[NUMBER + number], request_id=f"r{number}", text="x" * 2_000)
        await ledger.store([receipt(f"A{number}", destination=NUMBER + number)])
    await ledger.accept(submission(at=LATER, numbers=[NUMBER + 50]))
    await ledger.close()


def rows(path: Path) -> dict[str, int]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return {table: int(connection.execute(f"SELECT count(*) FROM {table}").get) for table in TABLES}
    finally:
        connection.close()


async def cut(*args: object) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.crash.cut_process", *map(str, args), cwd=Path(__file__).parents[2]
    )
    return await process.wait()


async def purged(path: Path) -> dict[str, int]:
    """Purge until nothing is left to go; give what stays."""
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    while await ledger.purge(10_000, LATER, EVERYTHING):
        pass
    await ledger.close()
    return rows(path)


@pytest.mark.parametrize("changed", [1, 4, 12, 30])
async def test_f12_killed_in_the_middle_of_a_purge_all_is_as_before_and_the_next_one_goes_through(
    tmp_path: Path, changed: int
) -> None:
    path = tmp_path / "loa.db"
    await furnished(path)
    before = rows(path)
    assert await cut("purge", path, changed) == KILLED
    assert rows(path) == before
    assert admin_files.check(path) == []
    after = await purged(path)
    assert after == {**dict.fromkeys(TABLES, 0), "submission": 1, "message": 1}


async def test_f12_a_purge_that_is_not_cut_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "loa.db"
    await furnished(path)
    before = rows(path)
    assert await cut("purge", path, 10_000) == 0
    assert rows(path)["submission"] < before["submission"]


async def test_f12_killed_in_the_middle_of_a_backup_there_is_no_file_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path, target = tmp_path / "loa.db", tmp_path / "copy.db"
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    for number in range(40):
        await ledger.accept(submission(at=EPOCH + number, numbers=[NUMBER + number], text="x" * 60_000))
    await ledger.close()
    before = rows(path)
    assert await cut("backup", path, target, 1) == KILLED
    assert not target.exists()
    assert rows(path) == before
    admin_files.back_up(path, target, lambda _done, _pages: None)
    assert (rows(target), admin_files.check(target)) == (before, [])
    assert admin_files.file_state(target).backup_at is not None
    assert admin_files.file_state(path).backup_at is None
