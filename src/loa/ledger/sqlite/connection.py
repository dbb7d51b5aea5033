"""Opens the ledger's file: the one writing connection, and reading ones apart.

One process owns the file. Only the writing connection writes and checkpoints: SQLite before 3.51.3 could corrupt a WAL
that two connections reset at once, and a lone writer needs no waiting on locks.
"""

import fcntl
import os
from pathlib import Path
from typing import IO

import apsw

from loa.errors import LedgerBusy, SchemaMismatch, StorageUnavailable
from loa.ledger.sqlite.errors import translate
from loa.ledger.sqlite.migrate import version

OLDEST_SQLITE = (3, 51, 3)


def take_ownership(path: Path) -> IO[str]:
    """Lock the ledger for this process; the lock falls with the process, however it ends.

    Errors: LedgerBusy naming the process that owns it; StorageUnavailable when the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = Path(f"{path}.lock").open("a+", encoding="ascii")  # noqa: SIM115 - the lock lives as long as the ledger
    except OSError as error:
        message = (
            f"cannot write in {path.parent}: {error.strerror}; choose another folder with --data or mend its rights"
        )
        raise StorageUnavailable(message) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        owner = handle.read().strip() or "unknown"
        handle.close()
        message = f"process {owner} owns the ledger {path}: stop it, or choose another folder with --data"
        raise LedgerBusy(message, pid=owner) from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def open_writer(path: Path, *, busy_ms: int, cache_kib: int, vfs: str | None = None) -> apsw.Connection:
    """Open the writing connection: WAL, every commit synced, checkpoints by hand.

    Errors: StorageError; then the file is as it was.
    """
    _refuse_orphaned_log(path)
    try:
        connection = apsw.Connection(str(path), vfs=vfs)
    except apsw.Error as error:
        raise translate(error) from error
    try:
        connection.set_busy_timeout(busy_ms)
        version(connection)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        connection.pragma("wal_autocheckpoint", 0)
        connection.pragma("cache_size", -cache_kib)
        connection.pragma("temp_store", "memory")
        connection.pragma("mmap_size", 0)
        if path.exists():
            path.chmod(path.stat().st_mode & 0o700)
    except apsw.Error as error:
        connection.close()
        raise translate(error) from error
    except SchemaMismatch:
        connection.close()
        raise
    return connection


def _refuse_orphaned_log(path: Path) -> None:
    """Refuse a write-ahead log whose file is gone: SQLite would delete it, and with it the last commits."""
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size > 0 and not (path.exists() and path.stat().st_size > 0):
        raise StorageUnavailable(
            f"the ledger {path} is gone but its log {log.name} is not: put the file back beside its log, or restore a"
            " backup into an empty folder; see docs/how-to/recover-the-ledger.md"
        )


def open_reader(path: Path, vfs: str | None = None) -> apsw.Connection:
    """Open a reading connection; it sees whole commits and never makes the writer wait."""
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=vfs)
        connection.set_busy_timeout(5_000)
        connection.pragma("wal_autocheckpoint", 0)
        connection.pragma("cache_size", -8_000)
        connection.pragma("query_only", True)
    except apsw.Error as error:
        raise translate(error) from error
    return connection
