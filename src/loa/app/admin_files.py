"""The ledger as a file: its schema, a copy of it, a check of it. Read-only, so it works beside a running gateway."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from loa.errors import CallerError, LedgerBusy, NotFound, StorageError
from loa.ledger.sqlite import restoring
from loa.ledger.sqlite.connection import open_reader, take_ownership
from loa.ledger.sqlite.errors import translate
from loa.ledger.sqlite.migrate import newest, version
from loa.ledger.sqlite.moved import moved_to
from loa.observe.clock import SystemClock

STEP_PAGES = 500
FINDINGS_MAX = 100

Progress = Callable[[int, int], None]
"""Told how many pages are done, of how many."""


@dataclass(frozen=True, slots=True)
class FileState:
    """A ledger file as it lies there. `schema` 0: nothing in it yet. `serves`: the schema of this program.

    `moved_to`: the ledger that goes on with it, "" where none does. `backup_at`: when it was made as a backup, None
    when it is none or was released.
    """

    path: Path
    schema: int
    serves: int
    octets: int
    moved_to: str = ""
    backup_at: int | None = None


@contextmanager
def _reading(path: Path) -> Iterator[apsw.Connection]:
    """Open a file to read. Errors: NotFound, StorageError."""
    if not path.exists():
        raise NotFound(f"there is no ledger at {path}; choose its folder with --data")
    connection = open_reader(path)
    try:
        yield connection
    except apsw.Error as error:
        raise translate(error) from error
    finally:
        connection.close()


def file_state(path: Path) -> FileState:
    """Look at a ledger file. Errors: NotFound, StorageError; SchemaMismatch when it is another program's."""
    with _reading(path) as connection:
        schema = version(connection)
        backup_at = restoring.backup_at(connection)
    octets = sum(_octets(Path(f"{path}{end}")) for end in ("", "-wal"))
    return FileState(path, schema, newest(), octets, moved_to(path), backup_at)


def _octets(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def owner_of(path: Path) -> str:
    """Give the process that owns a ledger, "" when none does. Errors: StorageError when the folder is not writable."""
    if not path.parent.is_dir():
        return ""
    try:
        take_ownership(path).close()
    except LedgerBusy as busy:
        return str(busy.fields.get("pid", "unknown"))
    return ""


def back_up(path: Path, target: Path, progress: Progress) -> int:
    """Copy one snapshot to a new file, which appears under its name only when it is whole and on disk.

    It is marked as a backup, so that no Loa sends from it before it is released. Gives its size. Errors: CallerError
    when the target is there already; NotFound, StorageError.
    """
    if target.exists():
        raise CallerError("target_exists", f"{target} is there already and is not overwritten; choose another name")
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with _reading(path) as connection:
            _copy(connection, part, progress)
        _to_disk(part)
        try:
            os.link(part, target)
        except FileExistsError:
            raise CallerError("target_exists", f"{target} is there already and is not overwritten") from None
        _to_disk(target.parent)
        return _octets(target)
    except OSError as error:
        raise StorageError(f"cannot write {target}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _copy(connection: apsw.Connection, part: Path, progress: Progress) -> None:
    part.touch(mode=0o600)
    # Without a transaction held open the copy would begin again whenever the gateway commits.
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM sqlite_schema").get  # noqa: B018 - reading starts the snapshot
    at = SystemClock().now()
    copy = apsw.Connection(str(part))
    try:
        with copy.backup("main", connection, "main") as running:
            while not running.done:
                running.step(STEP_PAGES)
                progress(running.page_count - running.remaining, running.page_count)
        copy.pragma("journal_mode", "delete")
        restoring.mark(copy, at)
    finally:
        copy.close()
        connection.execute("ROLLBACK")


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check(path: Path) -> list[str]:
    """Read a whole ledger file and say what is wrong with it; an empty list means nothing is.

    Errors: NotFound, StorageError, SchemaMismatch.
    """
    with _reading(path) as connection:
        version(connection)
        found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({FINDINGS_MAX})")]
        findings = [] if found == ["ok"] else found
        for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
            findings.append(f"row {row} of {table} points to a missing {parent}")
    return findings[:FINDINGS_MAX]
