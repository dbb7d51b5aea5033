"""The embedded ledger as the source of a copy: owned, so that nothing changes, and read in pages, never written.

What is read has the shape of the tables of the other engine, see sql/copy.sql. A page follows the last key of the page
before, so a copy may go on after any of them, in another process.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import apsw
import apsw.ext

from loa.errors import NotFound, SchemaMismatch, StorageError
from loa.ledger.sqlite import sealing
from loa.ledger.sqlite.connection import open_reader, take_ownership
from loa.ledger.sqlite.errors import translate
from loa.ledger.sqlite.migrate import newest, version
from loa.ledger.sqlite.moved import moved_to, note_moved
from loa.ledger.sqlite.restoring import backup_at
from loa.ledger.sqlite.unit import QUERIES
from loa.ports.sealing import KeyState

NUL: Final = "\0"
"""No text there may hold it; what a provider wrote may hold anything."""

Key = tuple[int | str | bytes, ...]
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Step:
    """One table of the copy. `key`: columns by which pages follow each other; `before`: a key below all of them.

    `counted`: what has as many rows here as the table must have there.
    """

    name: str
    counted: str
    key: tuple[str, ...] = ("id",)
    before: Key = (-1,)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a table, and the key of the last one."""

    rows: Rows
    last: Key


_OPEN_CLAIMS: Final = (
    "(SELECT DISTINCT a.boot, a.channel_id, a.claimed_at, a.claimed_until FROM attempt a JOIN message m"
    " ON m.id = a.message_id AND m.state = 1 AND m.attempts = a.number WHERE a.done_at IS NULL)"
)
_CLOSED: Final = (
    "attempt a LEFT JOIN message m ON m.id = a.message_id"
    " WHERE NOT (a.done_at IS NULL AND m.state IS 1 AND m.attempts IS a.number)"
)
_OWED: Final = (
    "event e WHERE e.endpoint_id IS NOT NULL AND (e.result <> 'delivered' OR (e.tries, e.done_at) IS NOT"
    " (SELECT count(*), max(t.at) FROM callback_try t WHERE t.event_id = e.id))"
)
STEPS: Final = (
    *(Step(name, name) for name in ("tenant", "api_key", "sender", "channel", "route", "endpoint", "warning")),
    Step("template", "template", ("channel_id", "template_id"), (-1, "")),
    Step("channel_grant", "channel_grant", ("channel_id",)),
    Step("consent", "consent", ("state_digest",), ("",)),
    Step("console_user", "console_user"),
    Step("recovery_code", "recovery_code", ("user_id", "digest"), (-1, "")),
    Step("audit", "audit"),
    Step("batch", "batch"),
    Step("batch_chunk", "batch_chunk", ("tenant_id", "batch_id", "first"), (-1, -1, -1)),
    Step("batch_part", "batch_part", ("tenant_id", "batch_id", "first"), (-1, -1, -1)),
    Step("submission", "submission"),
    Step("request_key", "request_key", ("tenant_id", "request_id", "fingerprint"), (-1, "", b"")),
    Step("message", "message"),
    Step("queue", "message WHERE state = 0", ("message_id",)),
    Step("unknown", "message WHERE state = 3", ("message_id",)),
    Step("silent", "message WHERE state = 2 AND due_at IS NOT NULL", ("message_id",)),
    Step("latency", "latency", ("channel_id", "class", "span"), (-1, -1, -1)),
    Step("claim", _OPEN_CLAIMS, ("boot", "id"), (-1, -1)),
    Step("attempt", _CLOSED, ("message_id", "number"), (-1, -1)),
    Step("segment", "segment", ("channel_id", "ref", "message_id", "number", "segment"), (-1, "", -1, -1, -1)),
    Step("receipt", "receipt"),
    Step("parked", "parked", ("channel_id", "form", "receipt_id"), (-1, "", -1)),
    Step("ruling", "ruling", ("message_id", "what"), (-1, "")),
    Step("inbound", "inbound"),
    Step("inbound_key", "inbound", ("channel_id", "key"), (-1, "")),
    Step("event", "event"),
    Step("callback", _OWED, ("event_id",)),
    Step("callback_try", "callback_try", ("event_id", "number"), (-1, -1)),
)
"""Every table, those first that others refer to. Sign-ins, links and tries stay behind: people sign in again."""


class Source:
    """A ledger file under one snapshot. Used by one thread at a time. Errors of every call: StorageError."""

    def __init__(self, path: Path, owner: IO[str], connection: apsw.Connection) -> None:
        self.path = path
        self._owner = owner
        self._connection = connection
        self._names: dict[str, tuple[str, ...]] = {}

    @classmethod
    def open(cls, path: Path) -> "Source":
        """Own a ledger and read it. Errors: NotFound, LedgerBusy, SchemaMismatch, StorageError."""
        if not path.is_file():
            raise NotFound(f"there is no ledger at {path}; name it as in --from sqlite:///var/lib/loa/loa.db")
        owner = take_ownership(path)
        try:
            return cls(path, owner, _snapshot(path))
        except StorageError:
            owner.close()
            raise

    def close(self) -> None:
        """Give the file up."""
        self._connection.close()
        self._owner.close()

    @property
    def boot(self) -> int:
        """The number of the last run on it; every process that writes takes a new one."""
        return self._meta("boot")

    @property
    def revision(self) -> int:
        """How often the directory was changed."""
        return self._meta("revision")

    @property
    def backup_at(self) -> int | None:
        """When it was made as a backup, None when it is none."""
        try:
            return backup_at(self._connection)
        except apsw.Error as error:
            raise translate(error) from error

    @property
    def master_keys(self) -> dict[str, KeyState]:
        """The master keys that it is sealed with, by id."""
        try:
            return sealing.states(self._connection)
        except apsw.Error as error:
            raise translate(error) from error

    @property
    def identity(self) -> str:
        """What tells this file, as it is, from every other: which file it is, its schema, its last run."""
        found = self.path.stat()
        return f"file {found.st_dev:x}:{found.st_ino:x}, schema {newest()}, boot {self.boot}"

    @property
    def moved_to(self) -> str:
        """The ledger that goes on with it, "" where none does."""
        return moved_to(self.path)

    def note_moved(self, place: str, at: str) -> None:
        """Have every Loa refuse it from now on; on disk when this returns."""
        note_moved(self.path, place, at)

    def total(self, step: Step) -> int:
        """Count what a table must have in the end."""
        return int(self._one(f"SELECT count(*) FROM {step.counted}"))  # noqa: S608 - constants

    def columns(self, step: Step) -> tuple[str, ...]:
        """Name the columns of a table's pages."""
        if step.name not in self._names:
            info = apsw.ext.query_info(self._connection, QUERIES[f"copy_{step.name}"])
            self._names[step.name] = tuple(column[0] for column in info.description)
        return self._names[step.name]

    def page(self, step: Step, after: Key, limit: int, day: int) -> Page:
        """Read the rows that follow a key. `day`: the one that segments count to."""
        try:
            rows = list(self._connection.execute(QUERIES[f"copy_{step.name}"], (limit, day, *after)))
        except apsw.Error as error:
            raise translate(error) from error
        names = self.columns(step)
        last = tuple(rows[-1][names.index(name)] for name in step.key) if rows else after
        if any(type(value) is str and NUL in value for row in rows for value in row):
            rows = [tuple(_without_nul(value) for value in row) for row in rows]
        return Page(rows, last)

    def _meta(self, name: str) -> int:
        return int(self._one("SELECT value FROM meta WHERE name = ?", name))

    def _one(self, query: str, *values: Any) -> Any:
        try:
            return self._connection.execute(query, values).get
        except apsw.Error as error:
            raise translate(error) from error


def _without_nul(value: Any) -> Any:
    return value.replace(NUL, "\ufffd") if isinstance(value, str) else value


def _snapshot(path: Path) -> apsw.Connection:
    connection = open_reader(path)
    try:
        _refuse_schema(path, version(connection))
        connection.execute("BEGIN")
    except apsw.Error as error:
        connection.close()
        raise translate(error) from error
    except SchemaMismatch:
        connection.close()
        raise
    return connection


def _refuse_schema(path: Path, have: int) -> None:
    if have != newest():
        cure = "loa ledger migrate brings it there" if have < newest() else "run the newer Loa that wrote it"
        raise SchemaMismatch(f"the ledger {path} has schema {have}, a copy needs {newest()}: {cure}")
