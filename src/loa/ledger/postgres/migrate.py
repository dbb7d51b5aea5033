"""Brings a database to the schema this program serves, in two halves, so that old and new processes run side by side.

`NNNN_name.before.sql` only adds: the processes that run go on with it, and the new ones can start. When the last old
one is gone, `NNNN_name.after.sql` takes away what only they needed; from then on older programs are refused. A half may
go on in `NNNN_name.before.2.sql` and so forth. The database keeps which program ran each, and the oldest one it still
serves.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from loa import __version__
from loa.errors import SchemaMismatch
from loa.ledger.postgres.connection import SCHEMA, WRITING, run_once
from loa.ledger.postgres.days import AHEAD, day_of

LOCK: Final = "SELECT pg_advisory_xact_lock(7603297, 0)"
TIMEOUT_S: Final = 600.0
OLDEST_SERVER: Final = 130_000
_NAME = re.compile(r"^(\d{4})_(\w+)\.(before|after)(?:\.(\d))?\.sql$")


class _File(Protocol):
    @property
    def name(self) -> str: ...
    def read_text(self, encoding: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Migration:
    """One change of the schema. `after` may be empty: nothing to take away."""

    number: int
    name: str
    before: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The schema of a database; 0 where there is none. `serves_from`: the oldest schema number a program may know."""

    schema: int
    finished: int
    serves_from: int
    oldest_version: str = ""


def migrations(files: Iterable[_File] | None = None) -> list[Migration]:
    """Give every migration in order."""
    found: dict[int, dict[str, str]] = {}
    folder = resources.files("loa.ledger.postgres").joinpath("migrations")
    named = [(match, entry) for entry in files or folder.iterdir() if (match := _NAME.match(entry.name))]
    for match, entry in sorted(named, key=lambda each: each[0][4] or "1"):
        halves = found.setdefault(int(match[1]), {"name": match[2]})
        halves[match[3]] = halves.get(match[3], "") + entry.read_text(encoding="utf-8")
    return [Migration(number, **halves) for number, halves in sorted(found.items())]


def newest() -> int:
    """Give the schema number this program serves."""
    return migrations()[-1].number


async def read_state(connection: Any) -> SchemaState:
    """Read which schema a database has. Errors: those of the driver."""
    if await connection.fetchval("SELECT to_regclass($1)", f"{SCHEMA}.schema_change") is None:
        return SchemaState(0, 0, 0)
    row = await connection.fetchrow(
        f"SELECT coalesce(max(number), 0) AS schema, coalesce(max(number) FILTER (WHERE finished_at IS NOT NULL), 0) AS"  # noqa: S608
        f" finished FROM {SCHEMA}.schema_change"
    )
    if row["schema"] == 0:
        # The first change is under way, or was cut off: what it did went with it.
        return SchemaState(0, 0, 0)
    query = f"SELECT number, version FROM {SCHEMA}.schema_change WHERE oldest ORDER BY number DESC LIMIT 1"  # noqa: S608
    oldest = await connection.fetchrow(query)
    return SchemaState(row["schema"], row["finished"], oldest["number"], oldest["version"])


def check(state: SchemaState, serves: int) -> None:
    """Refuse a database that this program cannot serve. Errors: SchemaMismatch that says what to run."""
    if state.schema < serves:
        message = f"the database has schema {state.schema}, this Loa needs {serves}: run loa ledger migrate"
        raise SchemaMismatch(message, have=state.schema, serves=serves)
    if serves < state.serves_from:
        message = (
            f"the database has left schema {serves} behind, which this Loa knows; the oldest Loa it serves is"
            f" {state.oldest_version}: run that one or a newer one"
        )
        raise SchemaMismatch(message, have=state.schema, serves=serves)


async def check_server(connection: Any) -> None:
    """Refuse a server that is too old or would forget what it promised. Errors: SchemaMismatch."""
    number = int(await connection.fetchval("SHOW server_version_num"))
    if number < OLDEST_SERVER:
        raise SchemaMismatch(f"PostgreSQL {number // 10_000} is too old: Loa needs 13 or newer", have=number)
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise SchemaMismatch(f"the database is encoded in {encoding}: create one with ENCODING 'UTF8'")


_BOOK = f"""
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE TABLE IF NOT EXISTS {SCHEMA}.schema_change (
  number integer PRIMARY KEY,
  name text NOT NULL,
  version text NOT NULL,
  oldest boolean NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz
)
"""


async def migrate(
    url: str, *, role: str = "", finish: bool = False, changes: Sequence[Migration] | None = None
) -> list[str]:
    """Apply what is missing, each half in one transaction, one program at a time; give what was done.

    `role`: the role of the gateway, which is granted what it needs. `finish`: take away what older programs needed.
    Errors: StorageError.
    """
    wanted = list(changes if changes is not None else migrations())
    done: list[str] = []

    async def work(connection: Any) -> None:
        await check_server(connection)
        await _begin(connection)
        for change in wanted:
            done.extend(await _before(connection, change))
        for change in wanted if finish else ():
            done.extend(await _after(connection, change))
        if role:
            async with connection.transaction():
                await connection.execute(LOCK)
                await _grant(connection, role)

    settings = {name: WRITING[name] for name in ("search_path", "timezone", "jit", "loa.tenant")}
    await run_once(url, settings | {"lock_timeout": "60000"}, "loa migrate", TIMEOUT_S, work)
    return done


async def _begin(connection: Any) -> None:
    if await connection.fetchval("SELECT to_regclass($1)", f"{SCHEMA}.schema_change") is None:
        async with connection.transaction():
            await connection.execute(LOCK)
            await connection.execute(_BOOK)


async def _before(connection: Any, change: Migration) -> list[str]:
    async with connection.transaction():
        await connection.execute(LOCK)
        have = await connection.fetchval("SELECT coalesce(max(number), 0) FROM schema_change")
        if have >= change.number:
            return []
        await connection.execute(change.before)
        # An empty database serves nobody older.
        await connection.execute(
            "INSERT INTO schema_change (number, name, version, oldest, finished_at)"
            " VALUES ($1, $2, $3, $4, CASE WHEN $4 THEN clock_timestamp() END)",
            change.number,
            change.name,
            __version__,
            have == 0,
        )
        return [f"{change.number:04d} {change.name}: begun" if change.after else f"{change.number:04d} {change.name}"]


async def _after(connection: Any, change: Migration) -> list[str]:
    async with connection.transaction():
        await connection.execute(LOCK)
        query = "SELECT finished_at FROM schema_change WHERE number = $1"
        if await connection.fetchval(query, change.number) is not None:
            return []
        if change.after:
            await connection.execute(change.after)
        await connection.execute(
            "UPDATE schema_change SET finished_at = clock_timestamp(), oldest = true, version = $2 WHERE number = $1",
            change.number,
            __version__,
        )
        return [f"{change.number:04d} {change.name}: finished"]


async def _grant(connection: Any, role: str) -> None:
    """Let the gateway's role work with the rows, and nothing else."""
    if role == await connection.fetchval("SELECT current_user"):
        return
    name = await connection.fetchval("SELECT quote_ident($1)", role)
    for statement in (
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} TO {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {SCHEMA} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {name}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO {name}",
        f"REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA {SCHEMA} FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION ensure_day, drop_days TO {name}",
        f"REVOKE INSERT, UPDATE, DELETE ON schema_change FROM {name}",
    ):
        await connection.execute(statement)


def role_of(url: str) -> str:
    """Give the role that an address names, "" where it names none."""
    return unquote(urlsplit(url).username or "")


async def make_days(connection: Any, now: int) -> range:
    """Make the partitions of yesterday, today and the days ahead, and give them. Units: milliseconds.

    Errors: those of the driver.
    """
    today = day_of(now)
    days = range(max(today - 1, 1), today + AHEAD + 1)
    await connection.execute("SELECT ensure_day(day) FROM unnest($1::integer[]) AS day", list(days))
    return days
