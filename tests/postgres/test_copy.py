"""An embedded ledger is copied whole, only into an empty database, and only one of the two goes on."""

import asyncio
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest

from loa.app.ledger_copy import Copied, Ends, Progress, copy_ledger
from loa.errors import CallerError, CannotOpen, LedgerBusy, NotFound, SchemaMismatch, StorageError, StorageUnavailable
from loa.ledger.postgres import copying
from loa.ledger.postgres.ledger import PostgresLedger, PostgresOptions
from loa.ledger.sqlite.copying import STEPS, Source
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.observe.clock import SystemClock
from loa.ports.records import NewInbound
from loa.ports.sealing import KeyUse
from loa.seal.keyfile import NAME, KeyFile
from loa.seal.keyring import Keyring, MasterKey
from loa.seal.sealer import FixedKeys
from tests.contract.ledger.values import DAY, claim, keep, no_resend, receipt, resend, submission
from tests.support.fakes import EPOCH, FakeClock, QuietProbe
from tests.support.full_ledger import LATER, MUCH_LATER, everything, make_full
from tests.support.postgres import Postgres
from tests.support.shared_ledger import APP, OWNER, SharedLedger, as_user, prepare_empty

CLOCK = SystemClock()
LONG_AFTER = LATER + 86_400_000


def unwatched(_what: str, _done: int, _total: int) -> None:
    """Watch nothing."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("full") / "loa.db"
    asyncio.run(make_full(path))
    return path


@pytest.fixture
def full(made: Path, tmp_path: Path) -> Path:
    """Give each test a file of its own, and its master key."""
    shutil.copy(made.with_name(NAME), tmp_path / NAME)
    return Path(shutil.copy(made, tmp_path / "loa.db"))


@pytest.fixture
async def url(postgres: Postgres) -> Any:
    async with postgres.database() as made:
        await prepare_empty(made)
        yield made


async def copied(path: Path, url: str, progress: Progress = unwatched, page_rows: int = 5) -> Copied:
    """Copy as the owner of the tables, for the role that works with them."""
    return await copy_ledger(Ends(path, as_user(url, APP), as_user(url, OWNER)), CLOCK, progress, page_rows)


async def read_file(path: Path) -> dict[str, Any]:
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    try:
        return await everything(ledger)
    finally:
        await ledger.close()


async def start(url: str, folder: Path) -> PostgresLedger:
    options = PostgresOptions(owner=as_user(url, OWNER))
    return await PostgresLedger.open(
        as_user(url, APP), folder=folder, probe=QuietProbe(), clock=FakeClock(), options=options
    )


async def test_all_that_can_be_read_is_the_same_there(full: Path, url: str, tmp_path: Path) -> None:
    before = await read_file(full)
    states = {row["state"] for name, rows in before.items() if name.startswith("messages") for row in rows}
    assert len(states) == 9, "every state there is"
    done = await copied(full, url)
    assert done.place == url.rpartition("@")[2]
    assert all(done.rows.values()), "a table of which nothing was copied proves nothing"
    ledger = await start(url, tmp_path)
    try:
        after = await everything(ledger)
        assert after == before
        assert await ledger.revision() > 1
    finally:
        await ledger.close()


async def test_every_column_there_is_filled_from_here(full: Path, shared: SharedLedger) -> None:
    with closing(Source.open(full)) as source:
        for step in STEPS:
            query = "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped"
            there = {row[0] for row in await shared.rows(query, f"loa.{step.name}")}
            assert set(source.columns(step)) == there, step.name


async def test_what_is_queued_goes_on_and_what_was_on_its_way_is_not_sent_again(
    full: Path, url: str, tmp_path: Path
) -> None:
    await copied(full, url)
    ledger = await start(url, tmp_path)
    try:
        rows = [row for tenant in (1, 2) for row in (await everything(ledger))[f"messages {tenant}"]]
        queued = {row["id"] for row in rows if row["state"] == "queued"}
        sending = {row["id"]: row["attempts"] for row in rows if row["state"] == "sending"}
        assert await ledger.settle_stale(LATER, no_resend, former=True) == len(sending) == 2
        found = {row["id"]: row for t in (1, 2) for row in (await everything(ledger))[f"messages {t}"]}
        for number, attempts in sending.items():
            assert (found[number]["state"], found[number]["attempts"]) == ("unknown", attempts)
        handed = [a.message_id for c in (1, 2) for a in await claim(ledger, MUCH_LATER, channel=c)]
        expired = {number for number in queued if found[number]["expires_at"] <= MUCH_LATER}
        assert set(handed) == queued - expired
        assert await claim(ledger, MUCH_LATER) == []
        depths = {row["class"]: row["count"] for row in await ledger.depths()}
        assert depths == {}
    finally:
        await ledger.close()


async def test_an_attempt_cut_off_by_the_move_follows_the_policy_of_its_class(
    full: Path, url: str, tmp_path: Path
) -> None:
    await copied(full, url)
    ledger = await start(url, tmp_path)
    try:
        assert await ledger.settle_stale(LATER, resend, former=True) == 2
        resent, _ = await ledger.settle_unknown(100, LATER + 120_000)
        assert resent == 2
        attempts = [a for c in (1, 2) for a in await claim(ledger, LATER + 120_000, channel=c) if a.number == 2]
        assert [a.possible_duplicate for a in attempts] == [True] * 2, "sent once more, and flagged"
    finally:
        await ledger.close()


async def test_receipts_repeats_and_new_messages_work_on_what_was_copied(full: Path, url: str, tmp_path: Path) -> None:
    await copied(full, url)
    ledger = await start(url, tmp_path)
    try:
        counts = await ledger.store([receipt("part-2", destination=84_912_345_718, received_at=LONG_AFTER)])
        assert counts.applied == 1
        again = submission(request_id="r-0", fingerprint=bytes([0]) * 8, numbers=[84_912_345_678], at=EPOCH + 9)
        known = await ledger.accept(again)
        assert getattr(known, "token", "").startswith("0")
        rows = (await everything(ledger))["messages 1"]
        assert [r["state"] for r in rows if r["destination"] == 84_912_345_718] == ["delivered"]
        made = [await ledger.add_tenant("new", 1), await ledger.add_channel("new", "sandbox", {})]
        assert [each.id for each in made] == [3, 3]
        (first,) = await ledger.events(1, 0, 1)
        assert await ledger.replay(1, [first["id"]], None, 0, LONG_AFTER) == 1
        due = await ledger.claim_due(100, 100, LONG_AFTER, LONG_AFTER + 1, [])
        assert len({callback.id for callback in due}) == len(due) > 5
    finally:
        await ledger.close()


async def test_inbound_events_are_recognised_there_and_forgotten_in_their_time(
    full: Path, url: str, tmp_path: Path
) -> None:
    await copied(full, url)
    ledger = await start(url, tmp_path)
    try:
        again = NewInbound(1, "follow", "follow:2", -186, 2, {}, b"{}", LONG_AFTER)
        assert await ledger.take_inbound([again, replace(again, key="follow:3")]) == 1
        assert await _kinds(ledger, 2) == ["follow", "follow"]
        await ledger.purge(1_000, LONG_AFTER, keep(content=DAY // 2))
        found = [row["inbound"] for row in await ledger.events(2, 0, 1_000) if row["inbound"]]
        assert [event.raw for event in found] == [b"", b"{}"]
        await ledger.purge(1_000, LONG_AFTER, keep(history=DAY // 2))
        assert (await _kinds(ledger, 1), await _kinds(ledger, 2)) == ([], ["follow"])
    finally:
        await ledger.close()


async def _kinds(ledger: PostgresLedger, tenant_id: int) -> list[str]:
    return [row["inbound"].kind for row in await ledger.events(tenant_id, 0, 1_000) if row["inbound"]]


async def test_the_file_is_marked_and_no_loa_starts_on_it_until_the_mark_is_gone(full: Path, url: str) -> None:
    as_it_was = full.read_bytes()
    await copied(full, url)
    assert full.read_bytes() == as_it_was
    with pytest.raises(StorageUnavailable, match=r"was copied to 127\.0\.0\.1.*remove .*loa\.db\.moved") as refused:
        await SqliteLedger.open(full, probe=QuietProbe())
    assert "loa_app" not in str(refused.value)
    Path(f"{full}.moved").unlink()
    await (await SqliteLedger.open(full, probe=QuietProbe())).close()


async def test_copying_again_finds_it_done(full: Path, url: str) -> None:
    first = await copied(full, url)
    seen: list[str] = []
    again = await copied(full, url, lambda what, _done, _total: seen.append(what))
    assert (again.again, again.rows, seen) == (True, first.rows, [])


async def test_a_marked_file_is_not_copied_into_a_second_database(full: Path, url: str, postgres: Postgres) -> None:
    await copied(full, url)
    async with postgres.database() as second:
        await prepare_empty(second)
        with pytest.raises(StorageUnavailable, match="was copied to"):
            await copied(full, second)


async def test_only_an_empty_database_is_taken(full: Path, shared: SharedLedger) -> None:
    node = await shared.open()
    with pytest.raises(CallerError, match="a Loa runs on the target"):
        await copied(full, shared.url)
    await node.add_tenant("t", 1)
    await shared.leave(node)
    with pytest.raises(CallerError, match="tenant has rows"):
        await copied(full, shared.url)
    assert not Path(f"{full}.moved").exists()
    await (await shared.open()).close()


async def test_sealed_values_are_taken_over_as_they_are_under_the_same_keys(
    full: Path, url: str, tmp_path: Path
) -> None:
    key = KeyFile(full.with_name(NAME)).read().ids[0]
    KeyFile(full.with_name(NAME)).add_fresh()
    await copied(full, url)
    ledger = await start(url, tmp_path)
    try:
        assert {key_id: state.use for key_id, state in (await ledger.master_keys()).items()} == {key: KeyUse.CURRENT}
        counts = await ledger.sealed_counts()
        assert {key_id for each in counts.values() for key_id in each} == {key}
    finally:
        await ledger.close()


async def test_nothing_is_copied_without_the_master_key(full: Path, url: str) -> None:
    key = KeyFile(full.with_name(NAME)).read().ids[0]
    ends = Ends(
        full, as_user(url, APP), as_user(url, OWNER), FixedKeys(Keyring((MasterKey.fresh(),)), "LOA_SEAL__KEYS")
    )
    with pytest.raises(CannotOpen, match=f"{key}, which is not in LOA_SEAL__KEYS.* by default {full.with_name(NAME)}"):
        await copy_ledger(ends, CLOCK, unwatched)
    assert (await copied(full, url)).again is False, "the target is as empty as before"


async def test_a_loa_that_runs_on_the_file_is_not_disturbed(full: Path, url: str) -> None:
    running = await SqliteLedger.open(full, probe=QuietProbe())
    try:
        with pytest.raises(LedgerBusy):
            await copied(full, url)
    finally:
        await running.close()
    with pytest.raises(NotFound):
        await copied(full.with_name("gone.db"), url)


class Stopped(Exception):
    """The test stops a copy."""


async def stop_at(path: Path, url: str, what: str) -> None:
    def stop(now: str, _done: int, _total: int) -> None:
        if now.startswith(what):
            raise Stopped

    with pytest.raises(Stopped):
        await copied(path, url, stop)


async def test_no_loa_starts_on_an_unfinished_copy_and_a_used_file_cannot_finish_it(
    full: Path, url: str, tmp_path: Path
) -> None:
    await stop_at(full, url, "copying event")
    with pytest.raises(StorageUnavailable, match="is not finished: run loa ledger copy again"):
        await start(url, tmp_path)
    await (await SqliteLedger.open(full, probe=QuietProbe())).close()
    with pytest.raises(CallerError, match="used again: create a new database"):
        await copied(full, url)


async def test_between_the_last_two_steps_neither_starts(full: Path, url: str, tmp_path: Path) -> None:
    await stop_at(full, url, "opening")
    with pytest.raises(StorageUnavailable, match="is not finished"):
        await start(url, tmp_path)
    with pytest.raises(StorageUnavailable, match="was copied to"):
        await SqliteLedger.open(full, probe=QuietProbe())
    assert not (await copied(full, url)).again
    await (await start(url, tmp_path)).close()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE message SET error = 'x' WHERE id = 3", "message has 26 rows, but not the same"),
        ("UPDATE api_key SET live = false WHERE id = 1", "api_key has 2 rows, but not the same"),
        ("UPDATE claim SET numbers = ARRAY[7]", "claim has 2 rows, but not the same"),
        ("DELETE FROM queue WHERE message_id = (SELECT max(message_id) FROM queue)", "queue has 8 rows of 9"),
        ("INSERT INTO tenant (id, name, created_at) VALUES (9, 'late', 1)", "tenant has 3 rows of 2"),
    ],
)
async def test_what_was_changed_on_the_way_is_found_out(
    full: Path, url: str, tmp_path: Path, statement: str, found: str
) -> None:
    await stop_at(full, url, "proving tenant")
    connection = await asyncpg.connect(url, server_settings={"search_path": "loa"})
    await connection.execute(statement)
    await connection.close()
    for _ in range(2):
        with pytest.raises(StorageError, match=found):
            await copied(full, url)
    with pytest.raises(StorageUnavailable, match="is not finished"):
        await start(url, tmp_path)
    await (await SqliteLedger.open(full, probe=QuietProbe())).close()


async def test_a_second_copy_waits_for_the_first_and_gives_up(
    full: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(copying.SETTINGS, "lock_timeout", "50")
    await stop_at(full, url, "copying submission")
    holder = await asyncpg.connect(url)
    await holder.execute("SELECT pg_advisory_lock(7603297, 3)")
    try:
        with pytest.raises(CallerError, match="another loa ledger copy works"):
            await copied(full, url)
    finally:
        await holder.close()


async def test_a_file_of_another_schema_is_refused(full: Path, url: str) -> None:
    connection = apsw.Connection(str(full))
    connection.pragma("user_version", 9_999)
    connection.close()
    with pytest.raises(SchemaMismatch, match="newer Loa"):
        await copied(full, url)
