"""F17: a ledger that cannot be opened says what is wrong and how to cure it, and is left as it was."""

import os
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from loa.certify.client import OTP
from loa.certify.world import World
from loa.errors import LedgerBusy, SchemaMismatch, StorageError, StorageUnavailable
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ledger.sqlite.migrate import newest
from tests.contract.ledger.values import submission
from tests.support.crash_rights import without_special_rights
from tests.support.fakes import QuietProbe

pytestmark = [pytest.mark.crash, pytest.mark.timeout(60)]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but the lock, which says who looked last."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.suffix != ".lock"}


async def open_and_close(path: Path) -> None:
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    await ledger.close()


async def some_ledger(path: Path) -> None:
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    await ledger.accept(submission())
    await ledger.close()


def run_sql(path: Path, statements: str) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(statements)
    connection.close()


def no_database(path: Path) -> None:
    path.write_bytes(b"Dear admin, this is a letter. " * 500)


def another_program(path: Path) -> None:
    run_sql(path, "CREATE TABLE recipe (name TEXT); INSERT INTO recipe VALUES ('pho')")


def another_program_that_numbers_its_schemas(path: Path) -> None:
    run_sql(path, f"CREATE TABLE recipe (name TEXT); PRAGMA user_version = {newest()}")


def gone_but_for_its_log(path: Path) -> None:
    Path(f"{path}-wal").write_bytes(b"\x37\x7f\x06\x82" + b"the last commits" * 300)


@pytest.mark.parametrize(
    ("prepare", "error", "says"),
    [
        (no_database, SchemaMismatch, "not a SQLite database; choose another folder"),
        (another_program, SchemaMismatch, "another program; choose another folder"),
        (another_program_that_numbers_its_schemas, SchemaMismatch, "another program; choose another folder"),
        (gone_but_for_its_log, StorageUnavailable, "put the file back beside its log"),
    ],
)
async def test_f17_what_is_no_ledger_is_refused_and_left_alone(
    tmp_path: Path, prepare: Callable[[Path], None], error: type[StorageError], says: str
) -> None:
    path = tmp_path / "loa.db"
    prepare(path)
    before = contents(tmp_path)
    with pytest.raises(error, match=says):
        await open_and_close(path)
    assert contents(tmp_path) == before


async def test_f17_a_ledger_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "loa.db"
    await some_ledger(path)
    run_sql(path, f"PRAGMA user_version = {newest() + 1}")
    before = contents(tmp_path)
    with pytest.raises(SchemaMismatch, match="written by a newer Loa; run that version, or restore a backup"):
        await open_and_close(path)
    assert contents(tmp_path) == before


async def test_f17_a_malformed_ledger_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "loa.db"
    await some_ledger(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * 4_000 + whole[4_100:])
    before = contents(tmp_path)
    with pytest.raises(
        StorageUnavailable, match=r"malformed; what to do is told in docs/how-to/recover-the-ledger\.md"
    ):
        await open_and_close(path)
    assert contents(tmp_path) == before


async def test_f17_a_ledger_that_may_only_be_read_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "loa.db"
    await some_ledger(path)
    path.chmod(0o400)
    before = contents(tmp_path)
    with pytest.raises(StorageUnavailable, match="cannot be written: mend its owner and rights"):
        without_special_rights(lambda: open_and_close(path))
    after = contents(tmp_path)
    assert (after["loa.db"], after.get("loa.db-wal", b"")) == (before["loa.db"], b"")
    assert path.stat().st_mode & 0o777 == 0o400


def test_f17_a_folder_that_may_only_be_read_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o500)
    with pytest.raises(StorageUnavailable, match=r"cannot write in .*; choose another folder with --data or mend"):
        without_special_rights(lambda: open_and_close(folder / "loa.db"))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_a_second_process_is_told_who_owns_the_ledger_and_the_first_goes_on(world: World) -> None:
    await world.boot()
    ask = world.client.ask(OTP)
    assert await world.send([ask]) == [201]
    with pytest.raises(LedgerBusy, match=r"process \d+ owns the ledger .*: stop it, or choose another folder") as busy:
        await open_and_close(world.directory / "loa.db")
    assert busy.value.fields["pid"] != str(os.getpid())
    found = await world.verdict()
    assert found.submitted(ask) == [1]


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_after_a_kill_the_ledger_is_free_at_once(world: World) -> None:
    await world.boot()
    await world.kill()
    await open_and_close(world.directory / "loa.db")
