"""Translates SQLite's errors, by extended result code, into ours; nothing else in the engine looks at driver errors."""

import apsw

from loa.errors import SchemaMismatch, StorageError, StorageFull, StorageUnavailable

FATAL = (apsw.IOError, apsw.CorruptError, apsw.NotADBError, apsw.ReadOnlyError, apsw.CantOpenError)
"""After one of these nothing is known of the file any more: the process must stop and be started again."""


def translate(error: apsw.Error) -> StorageError:
    """Give our error for one of SQLite's."""
    extended = getattr(error, "extendedresult", 0)
    if isinstance(error, apsw.FullError):
        return StorageFull("the disk or the page limit of the ledger is full", sqlite=extended)
    if isinstance(error, apsw.NotADBError):
        message = (
            "the ledger file is not a SQLite database; choose another folder with --data, or restore a backup as told"
            " in docs/how-to/recover-the-ledger.md"
        )
        return SchemaMismatch(message, sqlite=extended)
    if isinstance(error, apsw.CorruptError):
        message = "the ledger file is malformed; what to do is told in docs/how-to/recover-the-ledger.md"
        return StorageUnavailable(message, sqlite=extended)
    if isinstance(error, apsw.ReadOnlyError | apsw.CantOpenError):
        message = (
            "the ledger file cannot be written: mend its owner and rights, those of its folder, or a mount that became"
            " read-only; see docs/how-to/recover-the-ledger.md"
        )
        return StorageUnavailable(message, sqlite=extended)
    return StorageUnavailable(f"SQLite failed: {type(error).__name__} ({extended})", sqlite=extended)
