"""Every query of the embedded ledger runs over the index that its comment names, and over no big table whole."""

import re
from pathlib import Path

import apsw
import pytest

from loa.ledger.reading import IS_DEAD
from loa.ledger.sqlite.connection import open_writer
from loa.ledger.sqlite.migrate import migrate
from loa.ledger.sqlite.unit import QUERIES

BIG = {
    "message",
    "submission",
    "attempt",
    "segment",
    "receipt",
    "event",
    "callback_try",
    "request_key",
    "parked",
    "inbound",
    "batch_chunk",
    "batch_part",
}
IN_ORDER_OF_ID = {
    "purge_receipts": "receipt",
    "first_inbound": "inbound",
    "old_submissions": "submission",
    "orphans": "parked",
    "any_parked": "parked",
    "parked_page": "parked",
    "unknown_by_channel": "message",
}
"""Queries that walk a table in the order of its key and stop early, or walk one that holds only what is parked."""
ALIAS = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)\s+(?:AS\s+)?(\w+)?", re.IGNORECASE)


@pytest.fixture
def ledger(tmp_path: Path) -> apsw.Connection:
    connection = open_writer(tmp_path / "loa.db", busy_ms=1_000, cache_kib=2_000)
    migrate(connection)
    return connection


def _plan(connection: apsw.Connection, query: str) -> list[str]:
    count = max((int(number) for number in re.findall(r"\?(\d+)", query)), default=0)
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", (None,) * count)]


def _scanned(plan: list[str], query: str) -> set[str]:
    """Name the tables that a plan reads whole: scanned without an index that narrows or orders them."""
    names = {alias or table: table for table, alias in ALIAS.findall(query)}
    found = set()
    for line in plan:
        match = re.match(r"SCAN (\w+)(?! USING)", line)
        if match:
            found.add(names.get(match[1], match[1]))
    return found


PLAIN = sorted(name for name in QUERIES if "{" not in QUERIES[name])


@pytest.mark.parametrize("name", PLAIN)
def test_no_query_reads_a_big_table_whole(ledger: apsw.Connection, name: str) -> None:
    scanned = _scanned(_plan(ledger, QUERIES[name]), QUERIES[name]) & BIG
    assert scanned <= {IN_ORDER_OF_ID.get(name, "")}


@pytest.mark.parametrize("name", PLAIN)
def test_a_query_uses_the_indexes_its_comment_names(ledger: apsw.Connection, name: str) -> None:
    known = {row[0] for row in ledger.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")}
    comment = " ".join(line for line in QUERIES[name].splitlines() if line.startswith("--"))
    named = known & set(re.findall(r"\w+", comment.partition("Index:")[2]))
    plan = "\n".join(_plan(ledger, QUERIES[name]))
    assert {index for index in named if index not in plan} == set()


@pytest.mark.parametrize(
    ("source", "filters", "index"),
    [
        (
            "message m INDEXED BY message_destination CROSS JOIN submission s ON s.id = m.submission_id",
            "m.tenant_id = :tenant AND m.destination = :destination",
            "message_destination",
        ),
        (
            "message m INDEXED BY message_dead CROSS JOIN submission s ON s.id = m.submission_id",
            f"m.tenant_id = :tenant AND {IS_DEAD}",
            "message_dead",
        ),
        (
            "message m INDEXED BY message_unknown CROSS JOIN submission s ON s.id = m.submission_id",
            "m.tenant_id = :tenant AND m.state = 3",
            "message_unknown",
        ),
        (
            (
                "submission s INDEXED BY submission_tenant CROSS JOIN message m"
                " ON m.id >= s.first_message_id AND m.id < s.first_message_id + s.message_count"
            ),
            "s.tenant_id = :tenant",
            "submission_tenant",
        ),
    ],
)
def test_lists_of_messages_are_read_by_number_or_by_tenant(
    ledger: apsw.Connection, source: str, filters: str, index: str
) -> None:
    query = QUERIES["message_page"].format(source=source, filters=filters, order="m.id DESC")
    values = {"tenant": 1, "destination": 1, "limit": 10}
    plan = [row[3] for row in ledger.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    assert index in "\n".join(plan)
    assert not _scanned(plan, query) & BIG


def test_the_check_finds_a_query_without_an_index(ledger: apsw.Connection) -> None:
    query = "SELECT json_group_array(id) FROM message m WHERE m.updated_at > ?1"
    assert _scanned(_plan(ledger, query), query) == {"message"}
