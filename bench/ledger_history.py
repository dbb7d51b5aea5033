"""Fills a ledger with finished messages, set-based: one message lives for real, and its rows are multiplied.

What differs from message to message is computed here, the rest is copied from that one, so that a column that is added
to the schema is filled as well. Half of the history is of today and half of yesterday, the days every receipt looks at;
references and destinations lie in no order, as in `ledger_life.py`. Indexes are made after the rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import apsw
import asyncpg

from ledger_life import DESTINATIONS, REF_FACTOR, REF_MASK, STRIDE
from loa.ledger.postgres.days import DAY_MS, INDEX_BITS, SHIFT, day_of
from loa.observe.clock import SystemClock

REQUEST: Final = 100
"""Messages of one request."""
GAP: Final = 1_000
"""Numbers left to what lived for real."""
TABLES: Final = ("submission", "message", "attempt", "segment", "receipt", "event")
LINES: Final = 2
"""Connections that fill at once."""
RAW: Final = "id:%s sub:001 dlvrd:001 submit date:2611230914 done date:2611230915 stat:DELIVRD err:000 text:Your parcel"
FIRST: Final = 10_000_000
"""Number of the first destination of the history, apart from those that are measured."""


def varying(message: str, submission: str, ref: str, number: str) -> dict[str, dict[str, str]]:
    """Give what differs from row to row: SQL of table and column. `number` counts the rows of a table from 0."""
    destination = f"84900000000 + ({FIRST} + {number}) * {STRIDE} % {DESTINATIONS}"
    raw = "'" + RAW.replace("%s", f"' || {ref} || '") + "'"
    return {
        "submission": {
            "id": submission,
            "first_message_id": submission,
            "message_count": str(REQUEST),
            "referent_id": f"'history-' || {number}",
            "token": f"'history-' || {number}",
            "request_id": f"'history-' || {number}",
        },
        "message": {"id": message, "submission_id": submission, "destination": destination},
        "attempt": {"message_id": message, "refs": f"""'[["' || {ref} || '", "' || {ref} || '"]]'"""},
        "segment": {"message_id": message, "ref": ref, "destination": destination},
        "receipt": {"message_id": message, "ref": ref, "destination": destination, "raw": raw},
        "event": {"message_id": message},
    }


# --- SQLite ---


def fill_sqlite(path: Path, messages: int) -> None:
    """Fill a closed ledger that holds one finished message."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -1000000")
    connection.execute("PRAGMA temp_store = MEMORY")
    (base,) = next(iter(connection.execute("SELECT max(id) FROM message")))
    ref = f"ltrim(printf('%010x', (({base} + 1 + n) & {REF_MASK}) * {REF_FACTOR} & {REF_MASK}), '0')"
    changes = varying(f"{base} + 1 + n", f"{base} + 1 + n / {REQUEST}", ref, "n")
    changes["submission"] |= {"id": f"{base} + 1 + n", "first_message_id": f"{base} + 1 + n * {REQUEST}"}
    requests = messages // REQUEST
    changes["submission"]["accepted_at"] = f"t.accepted_at - ({requests} - n) * {2 * DAY_MS} / {requests}"
    changes["receipt"]["raw"] = f"CAST({changes['receipt']['raw']} AS BLOB)"
    changes["receipt"]["id"] = changes["event"]["id"] = f"{base} + 1 + n"
    for table in TABLES:
        _multiply_sqlite(connection, table, changes[table], messages // (REQUEST if table == "submission" else 1))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("ANALYZE")
    connection.close()


def _multiply_sqlite(connection: apsw.Connection, table: str, changes: Mapping[str, str], rows: int) -> None:
    columns = [str(row[0]) for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
    indexes = list(
        connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE tbl_name = ? AND type = 'index' AND sql > ''", (table,)
        )
    )
    for name, _sql in indexes:
        connection.execute(f"DROP INDEX {name}")
    values = ", ".join(changes.get(column, f"t.{column}") for column in columns)
    # A table that is its own index is filled in its order.
    ordered = " ORDER BY 2" if table == "segment" else ""
    connection.execute(
        f"WITH RECURSIVE count(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM count WHERE n + 1 < {rows})"
        f" INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {values} FROM count, (SELECT * FROM {table} LIMIT 1) t{ordered}"
    )
    for _name, sql in indexes:
        connection.execute(sql)


# --- PostgreSQL ---


async def fill_postgres(url: str, messages: int) -> None:
    """Fill a ledger that holds one finished message; `url` is the superuser's."""
    today = day_of(SystemClock().now())
    work: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
    for table in ("receipt", "event", "message", "segment", "attempt", "submission"):
        for day in (today - 1, today):
            work.put_nowait((table, day))
    templates = await _templates(url)
    await asyncio.gather(*(_line(url, work, templates, messages // 2, today) for _ in range(LINES)))
    await _finish(url, messages)


async def _connect(url: str) -> Any:
    connection = await asyncpg.connect(url, timeout=30, command_timeout=None)
    await connection.execute(
        "SET search_path = loa; SET synchronous_commit = off; SET maintenance_work_mem = '256MB';"
        " SET max_parallel_maintenance_workers = 0"
    )
    return connection


async def _templates(url: str) -> dict[str, list[str]]:
    """Keep one row of each table apart; give the columns."""
    connection = await _connect(url)
    try:
        columns = {}
        for table in TABLES:
            await connection.execute(f"CREATE UNLOGGED TABLE public.one_{table} AS SELECT * FROM {table} LIMIT 1")
            names = "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0"
            columns[table] = [row[0] for row in await connection.fetch(names, f"public.one_{table}")]
        return columns
    finally:
        await connection.close()


async def _line(
    url: str, work: asyncio.Queue[tuple[str, int]], templates: dict[str, list[str]], rows: int, today: int
) -> None:
    connection = await _connect(url)
    try:
        while not work.empty():
            table, day = work.get_nowait()
            first = 0 if day == today else rows
            await _multiply(connection, table, day, templates[table], (first, rows))
    finally:
        await connection.close()


async def _multiply(connection: Any, table: str, day: int, columns: list[str], span: tuple[int, int]) -> None:
    """Fill one day of one table while it is taken out and without indexes; putting it back makes them."""
    first, rows = span
    low = day << SHIFT
    if table == "submission":
        submission, message, rows = f"{low} | (n + {GAP} << {INDEX_BITS})", "0::bigint", rows // REQUEST
        first //= REQUEST
    else:
        submission = f"{low} | (n / {REQUEST} + {GAP} << {INDEX_BITS})"
        message = f"({submission}) + n % {REQUEST}"
    ref = f"ltrim(to_hex((({message}) & {REF_MASK}) * {REF_FACTOR} & {REF_MASK}), '0')"
    changes = varying(message, submission, ref, "n")[table]
    if table == "submission":
        changes["accepted_at"] = f"{day * DAY_MS} + (n - {first}) * {DAY_MS} / {rows}"
    if table == "receipt":
        changes["raw"] = f"convert_to({changes['raw']}, 'UTF8')"
    if table in {"receipt", "event"}:
        changes["id"] = f"{low} | (n + {GAP})"
    if table == "segment":
        changes["day"] = str(day)
    part = f"{table}_d{day}"
    bound = await connection.fetchval(
        "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = $1::text::regclass", part
    )
    await connection.execute(f"ALTER TABLE {table} DETACH PARTITION {part}")
    await _drop_indexes(connection, part)
    values = ", ".join(changes.get(column, f"t.{column}") for column in columns)
    await connection.execute(
        f"INSERT INTO {part} ({', '.join(columns)}) SELECT {values}"
        f" FROM generate_series({first}::bigint, {first + rows - 1}) AS n, public.one_{table} AS t"
    )
    await connection.execute(f"ALTER TABLE {table} ATTACH PARTITION {part} {bound}")


async def _drop_indexes(connection: Any, part: str) -> None:
    named = "SELECT conname FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype = 'p'"
    for row in await connection.fetch(named, part):
        await connection.execute(f"ALTER TABLE {part} DROP CONSTRAINT {row[0]}")
    loose = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = $1::text::regclass"
    for row in await connection.fetch(loose, part):
        await connection.execute(f"DROP INDEX {row[0]}")


async def _finish(url: str, messages: int) -> None:
    """Let numbers go on behind the history, and leave tables as a server that has had its rest."""
    connection = await _connect(url)
    try:
        for sequence in ("submission_number", "event_number", "receipt_number"):
            await connection.execute(f"SELECT setval('{sequence}', {messages + 2 * GAP})")
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
