"""Translates PostgreSQL's errors, by SQLSTATE, into ours; nothing else in the engine looks at driver errors."""

import asyncpg

from loa.errors import SchemaMismatch, StorageError, StorageFull, StorageUnavailable

SERVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""What a call to the server may raise."""

AGAIN = frozenset({"40001", "40P01"})
"""Another transaction was in the way: the same one may succeed now."""

_OURS = {
    "22": "a value does not fit its column",
    "23": "a row breaks a rule of its table",
}
"""Classes of errors that lie in the call; the connection is as good as before."""


def state_of(error: BaseException) -> str:
    """Give the SQLSTATE of an error, "" where it has none."""
    return str(getattr(error, "sqlstate", "") or "")


def may_try_again(error: BaseException) -> bool:
    """Tell whether the whole transaction may simply be done again."""
    return state_of(error) in AGAIN


def in_the_call(error: BaseException) -> bool:
    """Tell whether an error lies in one of the calls, so that others of its transaction may still succeed."""
    if isinstance(error, asyncpg.DataError | asyncpg.IntegrityConstraintViolationError):
        return True
    return not isinstance(error, SERVER_ERRORS)


def breaks_connection(error: BaseException) -> bool:
    """Tell whether the connection is of no more use: it is gone, in doubt, or leads to a server that only reads."""
    if not isinstance(error, asyncpg.PostgresError):
        return isinstance(error, SERVER_ERRORS) and not isinstance(error, asyncpg.DataError)
    return state_of(error)[:2] in ("08", "57", "25", "XX", "58")


def translate(error: BaseException) -> StorageError:
    """Give our error for one of the driver's; never with what the server quotes, which may be a tenant's."""
    if isinstance(error, StorageError):
        return error
    if isinstance(error, MemoryError):
        return StorageUnavailable("no memory is left for the ledger: raise the limit, or send less at once")
    state = state_of(error)
    if state == "53100":
        return StorageFull("the disk of the PostgreSQL server is full: free space there", sqlstate=state)
    if state in ("42P01", "42703", "42883", "3F000"):
        return SchemaMismatch("the database lacks what this Loa needs: run loa ledger migrate", sqlstate=state)
    if state in ("28P01", "28000"):
        return StorageUnavailable("PostgreSQL refuses the user or password of `database`", sqlstate=state)
    if state == "3D000":
        return StorageUnavailable("there is no such database on the server: create it, then start Loa", sqlstate=state)
    if state == "42501":
        message = "the role of `database` may not do this: run loa ledger migrate with `postgres.owner` set"
        return StorageUnavailable(message, sqlstate=state)
    if state == "53300":
        return StorageUnavailable("PostgreSQL has no connection left: raise max_connections", sqlstate=state)
    if state[:2] in _OURS:
        return StorageUnavailable(f"PostgreSQL refused a call: {_OURS[state[:2]]} ({state})", sqlstate=state)
    kind = type(error).__name__
    return StorageUnavailable(f"PostgreSQL cannot serve now: {kind}{f' ({state})' if state else ''}", sqlstate=state)
