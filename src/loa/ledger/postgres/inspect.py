"""Looks at a database and its server as they are, and says what is not as it should be.

Reads only, over a connection of its own, and works where no Loa can start. What a role may not see counts as unknown,
never as well.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from loa.ledger.postgres import restoring
from loa.ledger.postgres.address import place_of
from loa.ledger.postgres.connection import SCHEMA, run_once
from loa.ledger.postgres.copying import UNFINISHED
from loa.ledger.postgres.days import AHEAD, day_of
from loa.ledger.postgres.migrate import OLDEST_SERVER, SchemaState, newest, read_state
from loa.ports.clock import Clock

SETTINGS: Final = {
    "search_path": SCHEMA,
    "timezone": "UTC",
    "jit": "off",
    "lock_timeout": "3000",
    "loa.tenant": "",
    "default_transaction_read_only": "on",
}
LOOKED_AT: Final = (
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "synchronous_standby_names",
    "autovacuum",
    "track_counts",
    "statement_timeout",
    "max_connections",
    "superuser_reserved_connections",
)
HISTORY: Final = ("submission", "message", "attempt", "event", "callback_try", "receipt", "segment")
QUEUES: Final = ("queue", "callback", "claim", "lane_move")
DEAD_ROWS_MANY: Final = 200_000
TRANSACTION_LONG_S: Final = 900.0
SKEW_BAD_MS: Final = 10_000
SKEW_NOTED_MS: Final = 1_000
"""Of two clocks: a claim is others' business 15 s after its end, and one second is seen in due times."""
LINES_BESIDE: Final = 4
"""Connections a process has beside those that `postgres.connections` and `postgres.readers` name."""


class Weight(StrEnum):
    """How a remark is meant: `wrong` breaks the promise or will, `poor` should be mended, `note` is to be known."""

    WRONG = "wrong"
    POOR = "poor"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was seen. `about`: schema, safety, health, clock or connections."""

    about: str
    weight: Weight
    text: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.text}: {self.cure}" if self.cure else self.text


@dataclass(frozen=True, slots=True)
class DeadRows:
    """What vacuum has not taken away of a table yet."""

    table: str
    dead: int
    live: int


@dataclass(frozen=True, slots=True)
class Connections:
    """How many connections there may be for us, and how many there are, in all."""

    most: int
    used: int

    @property
    def free(self) -> int:
        """How many more there may be."""
        return max(0, self.most - self.used)


@dataclass(frozen=True, slots=True)
class Member:
    """A process that shares the database. `slots`: how many places of channels it holds. Units: milliseconds."""

    name: str
    version: str
    started_at: int
    seen_at: int
    slots: int


@dataclass(frozen=True, slots=True)
class ServerState:
    """A database as it is now. Units: octets, milliseconds for clocks, seconds for ages.

    `ahead_ms`: how far the server's clock is ahead of ours; `bare`: tables of tenants without the wall; `missing_days`:
    partitions that will be needed; `nodes`: living processes; `knows_cluster`: the role may ask which cluster this is.
    """

    place: str
    version: str
    version_number: int
    schema: SchemaState
    octets: int
    ahead_ms: int
    settings: Mapping[str, str]
    connections: Connections
    sees_all: bool
    passes_walls: bool
    oldest_transaction_s: float
    bare: tuple[str, ...] = ()
    missing_days: tuple[str, ...] = ()
    dead_rows: tuple[DeadRows, ...] = ()
    nodes: int = 0
    members: tuple[Member, ...] = ()
    copying: bool = False
    restored: bool = False
    knows_cluster: bool = True
    serves: int = field(default_factory=newest)


async def look(url: str, clock: Clock, timeout_s: float) -> ServerState:
    """Look at a database. Errors: StorageError when it cannot be reached."""
    return await run_once(url, SETTINGS, "loa look", timeout_s, lambda c: _look(c, url, clock))  # type: ignore[no-any-return]


async def _look(connection: Any, url: str, clock: Clock) -> ServerState:
    version = await connection.fetchval("SHOW server_version_num")
    settings = await connection.fetch(
        "SELECT name, setting FROM pg_settings WHERE name = ANY($1::text[])", list(LOOKED_AT)
    )
    state = await read_state(connection)
    role = await connection.fetchrow(
        "SELECT rolsuper OR rolbypassrls AS passes, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees"
        " FROM pg_roles WHERE rolname = current_user"
    )
    found: dict[str, Any] = await _contents(connection, clock) if state.schema else {}
    return ServerState(
        place=place_of(url),
        version=await connection.fetchval("SHOW server_version"),
        version_number=int(version),
        schema=state,
        octets=await connection.fetchval("SELECT pg_database_size(current_database())"),
        ahead_ms=await _ahead(connection, clock),
        settings=dict(settings),
        connections=await _connections(connection),
        sees_all=role["sees"],
        passes_walls=role["passes"],
        oldest_transaction_s=await connection.fetchval(_OLDEST),
        **found,
    )


_OLDEST: Final = """
SELECT coalesce(max(extract(epoch FROM age)), 0)::float FROM (
  SELECT clock_timestamp() - xact_start AS age FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
  UNION ALL SELECT clock_timestamp() - prepared FROM pg_prepared_xacts WHERE database = current_database()) ages
"""
_CONNECTIONS: Final = """
SELECT least(
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
    (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
    (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)) AS most,
  (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS used
"""
_BARE: Final = """
SELECT c.relname FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE c.relnamespace = to_regnamespace('loa') AND c.relkind IN ('r', 'p') AND NOT (
  c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
ORDER BY 1
"""
_MISSING: Final = """
SELECT parent || '_d' || day FROM unnest($1::text[]) AS parent CROSS JOIN unnest($2::int[]) AS day
WHERE to_regclass('loa.' || parent || '_d' || day) IS NULL ORDER BY 1
"""


_MEMBERS: Final = """
SELECT n.name, n.version, (extract(epoch FROM n.started_at) * 1000)::bigint,
  (extract(epoch FROM n.beat_at) * 1000)::bigint, (SELECT count(*)::int FROM slot s WHERE s.boot = n.boot)
FROM node n WHERE n.dead_at IS NULL ORDER BY n.name
"""


async def _contents(connection: Any, clock: Clock) -> dict[str, Any]:
    today = day_of(clock.now())
    days = list(range(today, today + AHEAD + 1))
    dead = await connection.fetch(
        "SELECT relname, n_dead_tup, n_live_tup FROM pg_stat_user_tables"
        " WHERE schemaname = 'loa' AND relname = ANY($1::text[])",
        list(QUEUES),
    )
    return {
        "bare": tuple(row[0] for row in await connection.fetch(_BARE)),
        "missing_days": tuple(row[0] for row in await connection.fetch(_MISSING, list(HISTORY), days)),
        "dead_rows": tuple(DeadRows(*row) for row in dead),
        "nodes": await connection.fetchval(
            "SELECT count(*) FROM node WHERE dead_at IS NULL AND beat_at > clock_timestamp() - interval '30 seconds'"
        ),
        "members": tuple(Member(*row) for row in await connection.fetch(_MEMBERS)),
        "copying": await connection.fetchval(UNFINISHED) is not None,
        "restored": await restoring.backup_at(connection) is not None,
        "knows_cluster": await restoring.may_ask_for_cluster(connection),
    }


async def _ahead(connection: Any, clock: Clock) -> int:
    before = clock.now()
    there = await connection.fetchval("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    return int(there - (before + clock.now()) // 2)


async def _connections(connection: Any) -> Connections:
    row = await connection.fetchrow(_CONNECTIONS)
    return Connections(row["most"], row["used"])


def remarks(found: ServerState, *, needed: int = 0) -> list[Remark]:
    """Say what is not as it should be. `needed`: connections that are still to be made."""
    return [*_schema(found), *_restored(found), *_safety(found), *_health(found), *_clock(found), *_room(found, needed)]


def _schema(found: ServerState) -> Iterator[Remark]:
    state, serves = found.schema, found.serves
    if found.version_number < OLDEST_SERVER:
        yield Remark("schema", Weight.WRONG, f"PostgreSQL {found.version} is too old", "install 13 or newer")
    if state.schema == 0:
        yield Remark("schema", Weight.POOR, "the database is empty", "loa ledger migrate makes the tables")
        return
    if state.schema < serves:
        text = f"the database has schema {state.schema}, this Loa needs {serves}"
        yield Remark("schema", Weight.WRONG, text, "loa ledger migrate")
    if serves < state.serves_from:
        text = f"the database has left schema {serves} behind, which this Loa knows"
        yield Remark("schema", Weight.WRONG, text, f"run Loa {state.oldest_version} or newer")
    elif state.finished < state.schema:
        text = f"the migration to schema {state.schema} is begun and not finished"
        yield Remark("schema", Weight.NOTE, text, "loa ledger migrate --finish, once no older Loa runs")
    if found.copying:
        text = "the copy of an embedded ledger into this database is not finished"
        yield Remark("schema", Weight.WRONG, text, "run loa ledger copy again, it goes on where it stopped")
    if found.bare:
        text = f"nothing keeps tenants apart in {', '.join(found.bare)}"
        yield Remark(
            "schema", Weight.WRONG, text, f"run SELECT loa.protect('loa.{found.bare[0]}') for each, as the owner"
        )
    if found.missing_days:
        text = f"the partitions {', '.join(found.missing_days)} are not there"
        cure = "a Loa with the role upkeep makes them ahead: see that one runs, and what its log says"
        yield Remark("schema", Weight.POOR, text, cure)


def _restored(found: ServerState) -> Iterator[Remark]:
    if found.restored:
        text = "the database was restored from a backup: loa serve refuses it, what waits may have been sent since"
        yield Remark("schema", Weight.WRONG, text, "loa ledger release --hold, or --send if nothing was sent since")
    if not found.knows_cluster:
        text = "the role may not ask which cluster this is: a restore is known by the oids of database and table alone"
        yield Remark("schema", Weight.NOTE, text, "GRANT EXECUTE ON FUNCTION pg_control_system() TO the role")


_ALTER: Final = "ALTER SYSTEM SET {0} = on, then SELECT pg_reload_conf()"


def _safety(found: ServerState) -> Iterator[Remark]:
    own = found.settings
    for name, loses in (("fsync", "the whole database"), ("full_page_writes", "pages that were half written")):
        if own.get(name) == "off":
            text = f"{name} is off: a power cut may lose {loses}"
            yield Remark("safety", Weight.WRONG, text, _ALTER.format(name))
    commit, standbys = own.get("synchronous_commit", ""), own.get("synchronous_standby_names", "")
    if commit in ("off", "local", "remote_write") and not (commit != "off" and not standbys):
        text = f"synchronous_commit is {commit}: what was answered as accepted may be lost"
        yield Remark("safety", Weight.WRONG, text, _ALTER.format("synchronous_commit") + ", and not less for the role")
    if not standbys:
        text = "no synchronous standby is named: what is accepted is on the disk of one machine"
        yield Remark("safety", Weight.NOTE, text, "see docs/how-to/cluster.md")
    if own.get("statement_timeout", "0") != "0":
        text = "statement_timeout is set: it may end the wait for a standby and make a commit look safe that is not"
        yield Remark("safety", Weight.WRONG, text, "ALTER ROLE and ALTER DATABASE … SET statement_timeout = 0")
    if found.passes_walls:
        text = "the role of `database` passes the walls between tenants (superuser or BYPASSRLS)"
        yield Remark("safety", Weight.NOTE, text, "give the gateway a role of its own, see docs/how-to/cluster.md")


def _health(found: ServerState) -> Iterator[Remark]:
    for name in ("autovacuum", "track_counts"):
        if found.settings.get(name) == "off":
            text = f"{name} is off: dead rows stay in the queue and every claim steps over them"
            yield Remark("health", Weight.WRONG, text, _ALTER.format(name))
    if found.oldest_transaction_s > TRANSACTION_LONG_S:
        text = f"a transaction is open for {found.oldest_transaction_s / 60:,.0f} minutes: no dead row goes meanwhile"
        yield Remark("health", Weight.POOR, text, "find it in pg_stat_activity and end it (pg_terminate_backend)")
    if not found.sees_all:
        text = "the transactions of other roles cannot be seen"
        yield Remark("health", Weight.NOTE, text, "GRANT pg_read_all_stats to the role of `database`")
    for each in found.dead_rows:
        if each.dead > DEAD_ROWS_MANY and each.dead > each.live:
            text = f"{each.table} has {each.dead:,} dead rows and {each.live:,} live ones: vacuum does not get through"
            yield Remark("health", Weight.POOR, text, f"end what holds it up, then VACUUM loa.{each.table}")


def _clock(found: ServerState) -> Iterator[Remark]:
    skew = abs(found.ahead_ms)
    if skew > SKEW_NOTED_MS:
        where = "ahead of" if found.ahead_ms > 0 else "behind"
        text = f"the server's clock is {skew / 1000:,.1f} s {where} this machine's"
        weight = Weight.WRONG if skew > SKEW_BAD_MS else Weight.POOR
        yield Remark("clock", weight, text, "keep both with NTP: lifetimes and claims depend on it")


def _room(found: ServerState, needed: int) -> Iterator[Remark]:
    have = found.connections
    if have.free < needed:
        text = f"{have.free} connections are left of {have.most}, {needed} are needed here"
        yield Remark("connections", Weight.WRONG, text, "raise max_connections, or lower postgres.connections")
