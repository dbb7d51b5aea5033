"""Every query of the ledger on PostgreSQL runs over the indexes its comment names, and over no big table whole.

As the program runs them: prepared, with the settings of its connections, planned for any values.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from loa.ledger.postgres.connection import READING, WRITING
from loa.ledger.postgres.days import day_of, first_id
from loa.ledger.postgres.statements import IMPORTED, QUERIES, statement
from loa.ledger.reading import IS_DEAD
from tests.support.fakes import EPOCH
from tests.support.shared_ledger import SharedLedger

TODAY = day_of(EPOCH)
BIG = (
    *("submission", "message", "attempt", "event", "callback_try", "segment", "receipt"),
    *("request_key", "queue", "unknown", "callback", "warning", "inbound", "inbound_key", "batch_chunk", "batch_part"),
)
WALKS = {
    "imported_ended": "submission_imported",
    "purge_imported_receipts": "receipt_imported",
    "purge_imported_inbound": "inbound_imported",
    "receipts_of_evidence": "receipt",
    "release_callbacks": "callback",
    "parked_page": "parked",
    "queued_anywhere": "queue",
    "waiting_unknown": "unknown",
    "unknown_by_channel": "unknown",
}
"""Queries that walk a table in the order of an index and stop early, or one that holds only what is left to do."""

# What people and programs ask for over the reading connections; the rest is asked by the writing ones.
SEARCH = (
    *("submission_of_tenant", "messages_in_span", "one_message", "attempts_of", "open_attempt_of", "segments_of"),
    *("receipts_of", "receipts_of_evidence", "events_of", "feed_position", "events_after", "warnings_of", "orphans"),
    *("told_of_inbound", "handed_over", "messages_by_ref", "rulings_of", "unknown_by_channel", "unknown_before"),
    *("revision", "lane_depths", "message_page", "due_of_endpoints", "failed_of_endpoints", "newest_callbacks"),
    *(
        "looked_through",
        "callbacks_of_message",
        "event_from",
        "newest_event",
        "callback_rows",
        "tries_of",
        "count_failed",
    ),
    *("read_batch", "read_batches", "read_chunk", "read_parts", "spans_of_submissions", "sent_messages"),
)


def text_of(name: str) -> str:
    """Give a query as it is sent, for one day where it speaks of one."""
    return statement(name, IMPORTED if "imported" in name else TODAY)


PLAIN = sorted(name for name in QUERIES if "{" not in QUERIES[name])


@pytest.fixture
async def connection(shared: SharedLedger) -> AsyncIterator[Any]:
    opened = await asyncpg.connect(shared.app_url, server_settings=WRITING)
    await opened.execute(FILL.replace("$1", str(first_id(TODAY))))
    yield opened
    await opened.close()


FILL = """
INSERT INTO message (tenant_id, id, submission_id, destination, updated_at, channel_id, class, every_step, plan)
  SELECT 1 + n % 3, $1 + n, $1, n, 0, 1, 1, false, '1' FROM generate_series(1, 3000) AS n;
INSERT INTO event (tenant_id, id, xid, message_id, sequence, state, at, error, flags, channel_id)
  SELECT 1 + n % 3, $1 + n, n, $1 + n, 1, 4, 0, '', 0, 1 FROM generate_series(1, 3000) AS n;
INSERT INTO receipt (id, channel_id, ref, stat, destination, detail, raw, received_at, done_at, message_id, result)
  SELECT $1 + n, 1, n, 'DELIVRD', n, '', '', 0, 0, $1 + n, 'applied' FROM generate_series(1, 3000) AS n;
INSERT INTO inbound (tenant_id, id, subject, at, received_at, channel_id, kept, kind, key, body, raw)
  SELECT 1 + n % 3, $1 + n, 0, 0, n, 1, n % 3, 'k', n, '{}', '' FROM generate_series(1, 3000) AS n;
INSERT INTO inbound_key (channel_id, key, at) SELECT 1, n, n FROM generate_series(1, 3000) AS n;
INSERT INTO endpoint (tenant_id, url, secrets) SELECT 1 + n % 3, n, '[]' FROM generate_series(1, 300) AS n
"""
"""Some rows of today, so that of two indexes that would do the better one is seen to be. There are no statistics."""


async def plan_of(connection: Any, name: str, **parts: str) -> str:
    text = text_of(name).format(**parts) if parts else text_of(name)
    settings = READING if name in SEARCH else WRITING
    for key in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_bitmapscan", "enable_material"):
        await connection.execute(f"SET {key} = {settings.get(key, 'on')}")
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute("SELECT set_config('loa.tenant', $1, false)", "1" if name in SEARCH else "*")
    await connection.execute(f"PREPARE asked AS {text}")
    types = await connection.fetchval("SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'asked'")
    values = f"({', '.join(_value(kind, place) for place, kind in enumerate(types))})" if types else ""
    rows = await connection.fetch(f"EXPLAIN EXECUTE asked{values}")
    await connection.execute("DEALLOCATE asked")
    return "\n".join(row[0] for row in rows)


def _value(kind: str, place: int) -> str:
    """Give a value of a type, so that of a table by days today's is asked. The plan is one for any values."""
    known = {"bigint": first_id(TODAY) + place, "integer": TODAY, "smallint": 0, "boolean": "true"}
    if kind.endswith("[]"):
        return f"ARRAY[{_value(kind[:-2], place)}]::{kind}"
    return str(known.get(kind, f"'0'::{kind}"))


def scanned(plan: str) -> set[str]:
    """Name the tables that a plan reads whole: by a sequential scan, or over an index without a condition."""
    found = set(re.findall(r"Seq Scan on (\w+)", plan))
    lines = plan.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        over = re.search(r"Index (?:Only )?Scan (?:Backward )?using \w+ on (\w+)", line)
        if over and "Index Cond" not in following:
            found.add(over[1])
    return found


def parent(table: str) -> str:
    return re.sub(r"_(d\d+|imported)$", "", table)


def indexes_in(plan: str) -> set[str]:
    """Name the indexes of a plan; those of partitions by the name that the whole table's has."""
    used = set(re.findall(r"(?:using|Bitmap Index Scan on|Arbiter Indexes:) (\w+)", plan))
    return used | {re.sub(r"_(d\d+|imported)_", "_", name) for name in used}


# The names that PostgreSQL gives to the indexes of partitions, by those of the whole table's.
OF_PARTITIONS = {
    "submission_referent": "submission_referent_id_idx",
    "submission_content": "submission_class_accepted_at_idx",
    "message_destination": "message_tenant_id_destination_idx",
    "message_dead": "message_tenant_id_id_idx",
    "event_message": "event_tenant_id_message_id_idx",
    "event_feed": "event_tenant_id_xid_id_idx",
    "segment_ref": "segment_channel_id_ref_idx",
    "receipt_key": "receipt_channel_id_ref_idx",
    "receipt_evidence": "receipt_message_id_idx",
    "inbound_kept": "inbound_kept_received_at_idx",
}


async def test_every_query_uses_the_indexes_its_comment_names_and_reads_no_big_table_whole(connection: Any) -> None:
    known = {row[0] for row in await connection.fetch("SELECT indexname FROM pg_indexes WHERE schemaname = 'loa'")}
    assert set(OF_PARTITIONS) <= known
    wrong: dict[str, str] = {}
    for name in PLAIN:
        plan = await plan_of(connection, name)
        whole = {table for table in scanned(plan) if parent(table) in BIG}
        if not {parent(table) for table in whole} <= {parent(WALKS.get(name, ""))}:
            wrong[name] = f"reads {sorted(whole)} whole\n{plan}"
        comment = " ".join(line for line in QUERIES[name].splitlines() if line.startswith("--"))
        named = known & set(re.findall(r"\w+", comment.partition("Index:")[2]))
        missing = {index for index in named if not {index, OF_PARTITIONS.get(index)} & indexes_in(plan)}
        if missing and "Conflict Resolution: NOTHING" not in plan:
            wrong[name] = f"does not use {sorted(missing)}\n{plan}"
    assert wrong == {}, "\n\n".join(f"{name} {why}" for name, why in wrong.items())
    assert len(PLAIN) > 80


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ("m.tenant_id = $2 AND m.destination = $3", "message_tenant_id_destination_idx"),
        ("m.tenant_id = $2 AND m.id < $3", "message_pkey"),
        (f"m.tenant_id = $2 AND {IS_DEAD}", "message_tenant_id_id_idx"),
        ("m.tenant_id = $2 AND m.id = ANY($3::bigint[])", "message_pkey"),
    ],
)
async def test_lists_of_messages_are_read_by_number_or_newest_first(connection: Any, filters: str, index: str) -> None:
    plan = await plan_of(connection, "message_page", filters=filters, states="true")
    assert index in indexes_in(plan)
    assert {parent(table) for table in scanned(plan)} & set(BIG) == set()


async def test_the_check_finds_a_query_without_an_index(connection: Any) -> None:
    rows = await connection.fetch("EXPLAIN SELECT id FROM message WHERE updated_at > 1")
    assert {parent(table) for table in scanned("\n".join(row[0] for row in rows))} == {"message"}
