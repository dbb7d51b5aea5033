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
        return SchemaMismatch("the ledger file is not a SQLite database", sqlite=extended)
    return StorageUnavailable(f"SQLite failed: {type(error).__name__} ({extended})", sqlite=extended)
