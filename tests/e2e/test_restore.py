"""F44: a backup made under load is restored elsewhere; nothing of what it holds is sent before somebody says so."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.support.nodes import Nodes, open_nodes, until
from tests.support.postgres import Postgres
from tests.support.process import loa, loa_json

from loa.certify.client import ACKNOWLEDGED, TRANSACTIONAL
from loa.seal.keyfile import NAME
from loa.simulators.smsc.script import Script

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180), pytest.mark.xdist_group("cluster")]

SLOW = Script(response_delay_s=0.1, receipt_delay_s=0.1)
LOAD_MAX = 200
"""As many as the SMSC takes in a few seconds, however long the copy takes."""
QUICK = {"TRANSACTIONAL__EVIDENCE_WAIT_S": "1"}
Restore = Callable[[Nodes], Awaitable[str]]
"""Copies the ledger of a working Loa to another place and gives its address."""


@pytest.fixture(params=["sqlite", "postgres"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[str, Restore]]:
    """Give the address of a ledger, and how it is restored elsewhere."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'one' / 'loa.db'}", lambda _nodes: restored_file(tmp_path)
        return
    server: Postgres = request.getfixturevalue("postgres")
    async with server.database() as url, server.database() as target:
        yield url, lambda _nodes: restored_database(server, url, target)


async def restored_file(folder: Path) -> str:
    await asyncio.to_thread(loa_json, "ledger", "backup", "loa.bak", "--data", "one", cwd=folder)
    checked = await asyncio.to_thread(loa_json, "ledger", "check", "--file", "loa.bak", cwd=folder)
    assert checked["ok"] is True
    (folder / "two").mkdir()
    shutil.move(folder / "loa.bak", folder / "two" / "loa.db")
    return f"sqlite:///{folder / 'two' / 'loa.db'}"


async def restored_database(server: Postgres, url: str, target: str) -> str:
    file = server.cluster.folder / "loa.dump"
    await server.cluster._program("pg_dump", "--format", "custom", "--file", file, "--dbname", url)
    await server.cluster._program("pg_restore", "--exit-on-error", "--dbname", target, file)
    assert urlsplit(target).path != urlsplit(url).path
    return target


async def backed_up_under_load(nodes: Nodes, place: tuple[str, Restore], folder: Path) -> str:
    """Have a Loa send, copy its ledger meanwhile, have it send the rest, and end it; give the copy's address."""
    url, restore = place
    await nodes.start("one", DATABASE=url, **QUICK)
    await nodes.set_up(links=1, window=4)
    nodes.point_at("one")
    await nodes.send_all([nodes.client.ask(TRANSACTIONAL, 2) for _ in range(20)])
    await nodes.until_taken(4)

    async def load() -> None:
        for _ in range(LOAD_MAX):
            await nodes.send(nodes.client.ask(TRANSACTIONAL))

    loading = asyncio.create_task(load())
    try:
        copy = await restore(nodes)
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
    await nodes.until_final()
    await nodes.stop("one")
    status = await asyncio.to_thread(loa, "ledger", "status", "--data", "two", cwd=folder, env=there(folder, copy))
    assert status.returncode == 0, status.stderr
    refused = await asyncio.to_thread(loa, "serve", "--port", "0", "--data", "two", cwd=folder, env=there(folder, copy))
    assert (refused.returncode, "was restored from a backup of 20" in refused.stderr) == (7, True), refused.stderr
    return copy


def there(folder: Path, copy: str) -> dict[str, str]:
    """Name the copy, and the key, which is backed up apart from it."""
    return {"LOA_DATABASE": copy, "LOA_SEAL__KEY_FILE": str(folder / NAME)}


async def released(folder: Path, copy: str, way: str) -> int:
    said = await asyncio.to_thread(
        loa_json, "ledger", "release", way, "--data", "two", cwd=folder, env=there(folder, copy)
    )
    return int(sum(said["messages"].values()))


@pytest.fixture
async def nodes(place: tuple[str, Restore], tmp_path: Path) -> AsyncIterator[Nodes]:
    async with open_nodes(tmp_path, place[0], SLOW) as built:
        yield built


async def test_what_a_held_backup_holds_never_reaches_the_smsc_and_its_tenants_are_told(
    nodes: Nodes, place: tuple[str, Restore], tmp_path: Path
) -> None:
    copy = await backed_up_under_load(nodes, place, tmp_path)
    taken = Counter(number for _, number in nodes.taken)
    held = await released(tmp_path, copy, "--hold")
    await nodes.start("two", DATABASE=copy, **QUICK)
    nodes.point_at("two")
    fresh = nodes.client.ask(TRANSACTIONAL)
    await nodes.send(fresh)
    assert fresh.statuses[-1] in ACKNOWLEDGED

    async def fresh_one_arrived() -> bool:
        (row,) = [row for row in await nodes.messages() if row["destination"] == fresh.numbers[0]]
        return bool(row["state"] == "delivered")

    await until(fresh_one_arrived)
    rows = await nodes.messages()
    lost = [row for row in rows if row["state"] == "unknown"]
    assert (held > 0, len(lost)) == (True, held)
    assert {row["error"] for row in lost} == {"restored from a backup"}
    feed = await nodes.client.pages("events", "events")
    assert {each["msisdn"] for each in feed if each["state"] == "unknown"} == {row["destination"] for row in lost}
    assert Counter(number for _, number in nodes.taken) == taken + Counter(fresh.numbers)


async def test_a_backup_that_is_released_to_send_sends_what_was_queued(
    nodes: Nodes, place: tuple[str, Restore], tmp_path: Path
) -> None:
    copy = await backed_up_under_load(nodes, place, tmp_path)
    taken = Counter(number for _, number in nodes.taken)
    queued = await released(tmp_path, copy, "--send")
    assert queued > 0
    await nodes.start("two", DATABASE=copy, **QUICK)
    nodes.point_at("two")

    async def all_sent() -> bool:
        return {row["state"] for row in await nodes.messages()} <= {"sent", "delivered"}

    await until(all_sent)
    again = Counter(number for _, number in nodes.taken) - taken
    assert again.total() >= queued, "here the original had sent them: that is what --send warns of"
