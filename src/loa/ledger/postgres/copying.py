"""The database as the target of a copy: filled in batches, each in one transaction with the mark of how far it came.

Until the copy is finished the database says so in `meta`, and no Loa starts on it. What is written is proved at the
end by counts and digests: a digest is the sum of the hashes of all rows, each over its columns as text, so the order
of rows does not matter. One is taken here of what was given, the other by the server of what it has.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import asyncpg

from loa.errors import CallerError, StorageError, StorageUnavailable
from loa.ledger.postgres.address import place_of
from loa.ledger.postgres.connection import EVERYTHING, SCHEMA, Line
from loa.ledger.postgres.errors import SERVER_ERRORS, translate
from loa.ledger.postgres.migrate import migrate, role_of
from loa.ledger.postgres.restoring import mark
from loa.ledger.postgres.sealing import take_over
from loa.ports.sealing import KeyState

CONNECT_S: Final = 10.0
LOCK_WAIT: Final = "30s"
"""A copy that was killed may have a statement left that the server is still at."""
SETTINGS: Final = {
    "search_path": SCHEMA,
    "timezone": "UTC",
    "jit": "off",
    "loa.tenant": EVERYTHING,
    "lock_timeout": LOCK_WAIT,
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
_BOOK: Final = """
CREATE TABLE IF NOT EXISTS copy_source (
  source text PRIMARY KEY,
  day integer NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz
);
CREATE TABLE IF NOT EXISTS copy_step (
  name text PRIMARY KEY,
  after text NOT NULL,
  rows bigint NOT NULL,
  digest numeric NOT NULL
);
"""
UNFINISHED: Final = "SELECT value FROM meta WHERE name = 'copying'"
_COUNTED: Final = ("tenant", "api_key", "sender", "channel", "route", "endpoint", "warning", "console_user", "batch")
"""Tables whose rows the server numbers."""

Rows = Sequence[tuple[Any, ...]]


async def refuse_unfinished(connection: Any) -> None:
    """Refuse a database into which a copy is under way or was broken off. Errors: StorageUnavailable; the driver's."""
    if await connection.fetchval(UNFINISHED) is not None:
        raise StorageUnavailable(
            "the copy of an embedded ledger into this database is not finished: run loa ledger copy again with the same"
            " --from, it goes on where it stopped; or create a new database"
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a table is copied. `after`: the key of its last row; `digest`: of its rows so far."""

    after: tuple[int | str | bytes, ...]
    rows: int = 0
    digest: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """A column there, and how it crosses. `given`: the type as which it goes in; `taken`: what is made of it then.

    `text`: its value as text; `wide`: that text may hold anything, so its length goes before it.
    """

    name: str
    given: str
    taken: str
    text: str
    wide: bool


@dataclass(frozen=True, slots=True)
class Task:
    """What a copy works on. `source`: the ledger that is copied, as it is; `day`: the day its segments count to."""

    source: str
    day: int
    is_over: bool = False


class Target:
    """The connection that fills a database. One at a time. Errors of every call: StorageError."""

    def __init__(self, line: Line, place: str) -> None:
        self._line = line
        self.place = place

    @classmethod
    async def open(cls, url: str, owner: str = "") -> Self:
        """Reach a database, with its schema made where there is none, as the role that owns its tables."""
        await migrate(owner or url, role=role_of(url))
        target = cls(Line(owner or url, SETTINGS, "loa copy", CONNECT_S), place_of(url))
        try:
            await target._do(_make_book, role_of(url))
        except BaseException:
            await target.close()
            raise
        return target

    async def close(self) -> None:
        """Close the connection."""
        await self._line.close()

    async def task(self, source: str) -> Task | None:
        """Give what this database is made from, None where that is nothing. Errors: CallerError for another source."""
        return await self._do(_task, source)  # type: ignore[no-any-return]

    async def begin(self, source: str, day: int, tables: Sequence[str]) -> Task:
        """Take a source up. Errors: CallerError when the database holds anything already."""
        await self._do(_begin, source, day, tables)
        return Task(source, day)

    async def marks(self) -> Mapping[str, Mark]:
        """Give how far each table is copied that is begun."""
        rows = await self._do(_fetch, "SELECT name, after, rows, digest FROM copy_step")
        return {row[0]: Mark(_key(row[1]), row[2], int(row[3])) for row in rows}

    async def columns(self, table: str, names: Sequence[str]) -> list[Column]:
        """Say how columns of a table cross."""
        known = await self._do(_read_columns, table)
        return [known[name] for name in names]

    async def write(self, table: str, columns: Sequence[Column], rows: Rows, mark: Mark) -> None:
        """Write a batch and how far the copy came by it, in one transaction."""
        await self._do(_write, table, columns, rows, mark)

    async def prove(self, table: str, columns: Sequence[Column]) -> tuple[int, int]:
        """Count the rows that the server has, and take their digest."""
        row = (await self._do(_fetch, _digest_query(table, columns)))[0]
        return int(row[0]), int(row[1])

    async def settle(self, boot: int, revision: int, backup_at: int | None, keys: Mapping[str, KeyState]) -> None:
        """Set numbers above what was copied, count the lanes, keep the mark of a backup, and name the master keys."""
        await self._do(_settle, boot, revision, backup_at, keys)

    async def finish(self) -> None:
        """Say that the copy is whole: from now on a Loa may start."""
        await self._do(_finish)

    async def _do(self, work: Callable[..., Any], *args: Any) -> Any:
        # No limit of time: proving a large table takes what it takes; a server that is gone shows by its keepalives.
        try:
            return await work(await self._line.connect(), *args)
        except SERVER_ERRORS as error:
            self._line.drop()
            raise translate(error) from error


async def _fetch(connection: Any, query: str) -> Any:
    return await connection.fetch(query)


async def _make_book(connection: Any, role: str) -> None:
    try:
        # For as long as the connection lasts: two copies at once would both go on from one mark.
        await connection.execute("SELECT pg_advisory_lock(7603297, 3)")
    except asyncpg.LockNotAvailableError:
        raise CallerError(
            "copy_exists", "another loa ledger copy works on this database: wait for it, or stop it"
        ) from None
    async with connection.transaction():
        await connection.execute(_BOOK)
        if role and role != await connection.fetchval("SELECT current_user"):
            name = await connection.fetchval("SELECT quote_ident($1)", role)
            await connection.execute(f"GRANT SELECT ON copy_source, copy_step TO {name}")


async def _task(connection: Any, source: str) -> Task | None:
    known = await connection.fetchrow("SELECT source, day, finished_at IS NOT NULL AS over FROM copy_source")
    if known is None:
        return None
    if known["source"] != source:
        raise CallerError("other_copy_exists", _OTHER_COPY)
    return Task(source, known["day"], known["over"])


async def _begin(connection: Any, source: str, day: int, tables: Sequence[str]) -> None:
    async with connection.transaction():
        await connection.execute("LOCK TABLE node, channel IN EXCLUSIVE MODE")
        if await connection.fetchval(_ALIVE):
            raise CallerError(
                "loa_exists", "a Loa runs on the target, or did half a minute ago: name a new database in --to"
            )
        for table in tables:
            if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):  # noqa: S608 - ours
                raise CallerError(
                    "rows_exists", f"the target is not empty, {table} has rows: name a new database in --to"
                )
        await connection.execute("INSERT INTO copy_source (source, day) VALUES ($1, $2)", source, day)
        await connection.execute("INSERT INTO meta VALUES ('copying', 1)")
        await connection.execute("SELECT ensure_day($1)", day)


_ALIVE: Final = (
    "SELECT EXISTS (SELECT FROM node WHERE dead_at IS NULL AND beat_at > clock_timestamp() - interval '30 seconds')"
)
_OTHER_COPY: Final = (
    "the target holds a copy of another ledger, or of this one before it was used again: create a new database and copy"
    " into that one"
)


_KINDS: Final = {
    "smallint": ("smallint", "u.{0}", "t.{0}::text", False),
    "integer": ("integer", "u.{0}", "t.{0}::text", False),
    "bigint": ("bigint", "u.{0}", "t.{0}::text", False),
    "boolean": ("integer", "u.{0} <> 0", "t.{0}::integer::text", False),
    "text": ("text", "u.{0}", "t.{0}", True),
    "bytea": ("bytea", "u.{0}", "encode(t.{0}, 'hex')", True),
    "bigint[]": (
        "text",
        "ARRAY(SELECT json_array_elements_text(u.{0}::json)::bigint)",
        "array_to_json(t.{0})::text",
        True,
    ),
    "integer[]": (
        "text",
        "ARRAY(SELECT json_array_elements_text(u.{0}::json)::integer)",
        "array_to_json(t.{0})::text",
        True,
    ),
}


async def _read_columns(connection: Any, table: str) -> dict[str, Column]:
    rows = await connection.fetch(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass($1)"
        " AND attnum > 0 AND NOT attisdropped",
        table,
    )
    columns = {}
    for name, kind in rows:
        given, taken, text, wide = _KINDS[kind]
        quoted = f'"{name}"'
        columns[name] = Column(quoted, given, taken.format(quoted), text.format(quoted), wide)
    return columns


async def _write(connection: Any, table: str, columns: Sequence[Column], rows: Rows, mark: Mark) -> None:
    names = ", ".join(column.name for column in columns)
    taken = ", ".join(column.taken for column in columns)
    arrays = ", ".join(f"${number}::{column.given}[]" for number, column in enumerate(columns, start=1))
    statement = f"INSERT INTO {table} ({names}) SELECT {taken} FROM unnest({arrays}) AS u({names})"  # noqa: S608 - ours
    async with connection.transaction():
        if rows:
            await connection.execute(statement, *(list(values) for values in zip(*rows, strict=True)))
        await connection.execute(
            "INSERT INTO copy_step (name, after, rows, digest) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE"
            " SET after = excluded.after, rows = excluded.rows, digest = excluded.digest",
            table,
            _key_text(mark.after),
            mark.rows,
            mark.digest,
        )


def digest_of(columns: Sequence[Column], rows: Rows) -> int:
    """Add up the hashes of rows."""
    if not rows:
        return 0
    texts = [
        _wide_texts(values) if column.wide else map(str, values)
        for column, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    total = 0
    for row in zip(*texts, strict=True):
        hashed = hashlib.sha256(",".join(row).encode()).digest()
        total += int.from_bytes(hashed[:8], "big", signed=True)
    return total


def _wide_texts(values: Sequence[str | bytes | None]) -> list[str]:
    texts = (value.hex() if isinstance(value, bytes) else value for value in values)
    return ["None" if text is None else f"{len(text)}:{text}" for text in texts]


def _digest_query(table: str, columns: Sequence[Column]) -> str:
    texts = [
        f"coalesce(length({column.text})::text || ':' || {column.text}, 'None')"
        if column.wide
        else f"coalesce({column.text}, 'None')"
        for column in columns
    ]
    row = f"concat_ws(',', {', '.join(texts)})"
    first = f"encode(substring(sha256(convert_to({row}, 'UTF8')) FROM 1 FOR 8), 'hex')"
    return f"SELECT count(*), coalesce(sum(('x' || {first})::bit(64)::bigint), 0) FROM {table} t"  # noqa: S608 - ours


async def _settle(
    connection: Any, boot: int, revision: int, backup_at: int | None, keys: Mapping[str, KeyState]
) -> None:
    async with connection.transaction():
        for table in _COUNTED:
            await connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table} HAVING max(id) > 0"  # noqa: S608
            )
        for sequence, last in (
            ("boot_number", str(boot)),
            ("submission_number", "(SELECT least(max(id), 2147483647) FROM submission)"),
            ("event_number", "(SELECT max(id) FROM event)"),
            ("receipt_number", "(SELECT max(id) FROM receipt)"),
            ("inbound_number", "(SELECT max(id) FROM inbound)"),
        ):
            await connection.execute(f"SELECT setval('{sequence}', greatest({last}, last_value)) FROM {sequence}")  # noqa: S608
        await connection.execute("DELETE FROM lane_move")
        await connection.execute("DELETE FROM lane_depth")
        await connection.execute(
            "INSERT INTO lane_depth (channel_id, class, count)"
            " SELECT channel_id, class, count(*) FROM queue GROUP BY channel_id, class"
        )
        await connection.execute("UPDATE meta SET value = greatest(value, $1) + 1 WHERE name = 'revision'", revision)
        await take_over(connection, keys)
        if backup_at is not None:
            await mark(connection, backup_at)
    await connection.execute("ANALYZE")


async def _finish(connection: Any) -> None:
    async with connection.transaction():
        await connection.execute("UPDATE copy_source SET finished_at = clock_timestamp()")
        await connection.execute("DELETE FROM meta WHERE name = 'copying'")


def differs(table: str, given: tuple[int, int], found: tuple[int, int]) -> StorageError:
    """Say that a table is not what was given to it."""
    what = f"{found[0]} rows of {given[0]}" if found[0] != given[0] else f"{found[0]} rows, but not the same ones"
    return StorageError(
        f"the copy is not what it was made from: {table} has {what}. Somebody changed it meanwhile, or the server lost"
        " something. It stays marked as unfinished; create a new database and copy into that one"
    )


def _key_text(key: Sequence[int | str | bytes]) -> str:
    return json.dumps([{"hex": part.hex()} if isinstance(part, bytes) else part for part in key])


def _key(text: str) -> tuple[int | str | bytes, ...]:
    return tuple(bytes.fromhex(part["hex"]) if isinstance(part, dict) else part for part in json.loads(text))
