"""The second wall between tenants: the database itself shows a session the rows of the tenant it names and no others."""

from typing import Any

import asyncpg
import pytest

from loa.domain.outcome import Unknown
from loa.domain.ruling import Ruling
from loa.ledger.postgres.days import day_of
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ports.ledger import Ledger
from loa.ports.records import ApiKey, Decision, NewInbound
from tests.contract.ledger.values import (
    DAY,
    EPOCH,
    MINUTE,
    NUMBER,
    claim,
    no_resend,
    receipt,
    settlement,
    submission,
    tried,
)
from tests.support.full_ledger import fill_batches
from tests.support.shared_ledger import APP, OWNER, SharedLedger

OF_TENANTS = """
SELECT c.oid::regclass::text AS name, c.relrowsecurity AS walled, c.relforcerowsecurity AS forced, c.relispartition AS part,
  (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE c.relnamespace = 'loa'::regnamespace AND c.relkind IN ('r', 'p')
"""

KINDS = (
    *("api_key", "sender", "route", "endpoint", "warning", "request_key", "queue", "unknown", "callback"),
    *("submission", "message", "attempt", "inbound", "event", "callback_try", "segment", "ruling"),
    *("batch", "batch_chunk", "batch_part"),
)
"""What is kept of a tenant."""

UNWALLED_KEYS = {
    "queue_pkey": "lanes are of channels; the id of a message is one tenant's alone",
    "unknown_pkey": "evidence names a channel and a number; the id of a message is one tenant's alone",
    "silent_pkey": "steps are listened to by channel; the id of a message is one tenant's alone",
    "callback_pkey": "callbacks are claimed by endpoint over all tenants; the id of an event is one tenant's alone",
    "batch_pkey": "batches are worked off over all tenants",
    "api_key_digest_key": "a caller shows a key before anybody knows whose it is",
}
"""Keys of tables with a tenant that do not begin with it, each with its reason."""


def api_key(tenant_id: int) -> ApiKey:
    return ApiKey(0, tenant_id, "shop", bytes([tenant_id]) * 32, "loa_live…", True, frozenset({"send"}))


async def fill(ledger: Ledger, tenant_id: int) -> None:
    """Leave something of a tenant in every table that has a tenant."""
    number = NUMBER + 100 * tenant_id
    own: dict[str, Any] = {"tenant_id": tenant_id}
    await ledger.add_sender(tenant_id, "ACME", "brandname")
    await ledger.add_key(api_key(tenant_id))
    await ledger.add_route(tenant_id, [1])
    endpoint = await ledger.add_endpoint(tenant_id, "https://same.example/", "whsec_x", every_step=True)
    for print_ in (b"1", b"2"):
        await ledger.accept(
            submission(**own, request_id="r", fingerprint=print_, endpoint_id=endpoint.id, numbers=[number])
        )
    first, second = await claim(ledger)
    await ledger.record([settlement(second, Unknown("silence"), wait_until=EPOCH + DAY)])
    await ledger.record([settlement(first, Unknown("late", (f"ref-{tenant_id}",)), wait_until=EPOCH + DAY)])
    await ledger.store([receipt(f"ref-{tenant_id}", destination=number)])
    (due,) = await ledger.claim_due(10, 10, EPOCH + MINUTE, EPOCH + MINUTE, [])
    await ledger.record_tries([tried(due.id, delivered=False, status=500, error="status")])
    await ledger.accept(submission(**own, due_at=EPOCH + DAY))
    await ledger.accept(submission(**own))
    (lost,) = await claim(ledger)
    await ledger.record([settlement(lost, Unknown("silence"), wait_until=EPOCH + DAY)])
    await ledger.rule(tenant_id, [lost.message_id], Decision(Ruling.UNDELIVERED, "they said so", "mai", EPOCH))
    await fill_batches(ledger, tenant_id)
    came = NewInbound(1, "follow", f"follow:{tenant_id}", -number, tenant_id, {}, b"{}", EPOCH)
    await ledger.take_inbound([came])


@pytest.fixture
async def filled(shared: SharedLedger) -> SharedLedger:
    """A database in which two tenants have the same of everything."""
    node = await shared.open()
    for name in ("one", "two"):
        tenant = await node.add_tenant(name, EPOCH)
        await fill(node, tenant.id)
    return shared


async def test_every_table_with_a_tenant_is_walled_off_also_from_its_owner(shared: SharedLedger) -> None:
    tables = await shared.rows(OF_TENANTS)
    assert len(tables) > 40
    assert sum(row["part"] for row in tables) > 30
    assert [row["name"] for row in tables if not (row["walled"] and row["forced"] and row["policies"] == 1)] == []


async def test_partitions_that_a_process_makes_later_are_walled_off_too(shared: SharedLedger) -> None:
    node = await shared.open()
    before = {row["name"] for row in await shared.rows(OF_TENANTS)}
    later = EPOCH + 40 * DAY
    await node.accept(submission(at=later))
    made = [row for row in await shared.rows(OF_TENANTS) if row["name"] not in before]
    kinds = {"submission", "message", "attempt", "inbound", "event", "callback_try", "segment"}
    assert {row["name"] for row in made} == {f"{kind}_d{day_of(later)}" for kind in kinds}
    assert all(row["walled"] and row["forced"] and row["policies"] == 1 for row in made)


@pytest.mark.parametrize("role", [APP, OWNER])
async def test_a_session_sees_the_rows_of_the_tenant_it_names_in_every_table(filled: SharedLedger, role: str) -> None:
    tables = [row["name"] for row in await filled.rows(OF_TENANTS)]
    full = {name: await filled.value(f"SELECT EXISTS (SELECT FROM {name})") for name in tables}
    seen: dict[tuple[str, str | None], set[int]] = {}
    for tenant in ("1", "2", "*", "", None, "3", "1 "):
        async with filled.sql(role, tenant) as connection:
            for table in tables:
                rows = await connection.fetch(f"SELECT DISTINCT tenant_id FROM {table}")
                seen[table, tenant] = {row[0] for row in rows}
    wanted = {"1": {1}, "2": {2}, "*": {1, 2}}
    assert seen == {key: wanted.get(key[1] or "", set()) if full[key[0]] else set() for key in seen}
    assert {name.partition("_d")[0] for name, has_rows in full.items() if has_rows} == set(KINDS)


async def test_a_session_of_one_tenant_cannot_write_rows_of_another(filled: SharedLedger) -> None:
    async with filled.sql(APP, "1") as connection:
        assert await connection.execute("UPDATE message SET error = 'mine' WHERE tenant_id = 2") == "UPDATE 0"
        assert await connection.execute("DELETE FROM queue WHERE tenant_id = 2") == "DELETE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("INSERT INTO warning (tenant_id, at, kind, detail) VALUES (2, 0, 'x', 'y')")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE sender SET tenant_id = 2 WHERE tenant_id = 1")


FORBIDDEN = [
    "ALTER TABLE message DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE message NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE message ADD COLUMN extra text",
    "DROP POLICY tenant_wall ON message",
    "CREATE POLICY open ON message USING (true)",
    "DROP TABLE message",
    "TRUNCATE message",
    "TRUNCATE queue",
    "DELETE FROM schema_change",
    "UPDATE schema_change SET number = 99",
    "INSERT INTO schema_change (number, name, version, oldest) VALUES (99, 'x', 'y', true)",
    "CREATE TABLE mine (id integer)",
    "CREATE SCHEMA mine",
    "SET ROLE loa_owner",
    "SELECT protect('message')",
    "SELECT make_partition('message', 'message_d1', '0', '1')",
    "ALTER FUNCTION ensure_day RENAME TO mine",
    "ALTER TABLE {partition} DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE message DETACH PARTITION {partition}",
    "TRUNCATE {partition}",
    "DROP TABLE {partition}",
]


async def test_the_role_of_the_gateway_works_with_rows_and_changes_nothing_else(shared: SharedLedger) -> None:
    partition = f"message_d{day_of(EPOCH)}"
    async with shared.sql(APP) as connection:
        for statement in FORBIDDEN:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement.format(partition=partition))


async def test_the_wall_cannot_be_switched_off_by_a_setting(filled: SharedLedger) -> None:
    async with filled.sql(APP, "1") as connection:
        await connection.execute("SET row_security = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM message")


async def test_what_runs_with_the_owner_s_rights_looks_only_where_the_owner_put_it(shared: SharedLedger) -> None:
    """A function of another schema, or a temporary table, must not be taken for ours by one that may do more."""
    query = "SELECT proname, proconfig FROM pg_proc WHERE prosecdef AND pronamespace = 'loa'::regnamespace"
    functions = {row[0]: row[1] for row in await shared.rows(query)}
    assert set(functions) == {"ensure_day", "drop_days"}
    assert [name for name, settings in functions.items() if "search_path=loa, pg_temp" not in (settings or [])] == []


async def test_a_session_s_own_table_cannot_stand_in_for_one_whose_days_are_made_and_dropped(
    shared: SharedLedger,
) -> None:
    async with shared.sql(APP) as connection:
        await connection.execute("CREATE TEMP TABLE message (tenant_id bigint)")
        assert await connection.fetchval("SELECT ensure_day($1)", day_of(EPOCH) + 50)
        assert await connection.fetchval("SELECT drop_days('message', $1)", day_of(EPOCH) + 60) == 0
    left = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'loa.message'::regclass"
    assert await shared.value(left) == 1


async def test_dropping_days_leaves_a_session_with_the_tenant_it_named(shared: SharedLedger) -> None:
    async with shared.sql(APP, "1") as connection, connection.transaction():
        await connection.fetchval("SELECT drop_days('message', 1)")
        assert await connection.fetchval("SELECT current_setting('loa.tenant')") == "1"


async def test_every_key_of_tenants_data_begins_with_the_tenant(shared: SharedLedger) -> None:
    query = """
    SELECT c.relname AS key, (SELECT attname FROM pg_attribute WHERE attrelid = i.indrelid AND attnum = i.indkey[0]) AS first
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE t.relnamespace = 'loa'::regnamespace AND i.indisunique AND NOT t.relispartition
    """
    keys = {row["key"]: row["first"] for row in await shared.rows(query)}
    assert {key for key, first in keys.items() if first != "tenant_id"} == set(UNWALLED_KEYS)


async def test_reading_through_the_port_never_shows_another_tenant_s_rows(filled: SharedLedger) -> None:
    """Also where the conditions of a query would let them through: the wall stands behind every reading connection."""
    node: PostgresLedger = await filled.open("reader")
    await node.settle_stale(EPOCH, no_resend)

    async def everything(connection: Any) -> set[int]:
        return {row[0] for row in await connection.fetch("SELECT tenant_id FROM message")}

    assert await node._read(everything, 1) == {1}
    assert await node._read(everything, 2) == {2}
    assert await node._read(everything) == {1, 2}
    assert await node._read(everything, 1) == {1}
