"""A copy may be killed at any moment: run again, it goes on, loses nothing and doubles nothing."""

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest

from loa.app.ledger_copy import Ends, copy_ledger
from loa.errors import StorageUnavailable
from loa.ledger.postgres.ledger import PostgresLedger, PostgresOptions
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.observe.clock import SystemClock
from tests.support.fakes import FakeClock, QuietProbe
from tests.support.full_ledger import everything, make_full
from tests.support.postgres import Postgres
from tests.support.process import ROOT, environment
from tests.support.shared_ledger import APP, OWNER, as_user, prepare_empty

KILLED = -9
PATIENCE_S = 60


async def run_until(file: Path, url: str, *words: str) -> str:
    """Run a copy that dies; give the step at which it did."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.postgres.copy_process"),
        *(str(file), as_user(url, APP), as_user(url, OWNER), *words),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=environment(),
    )
    async with asyncio.timeout(PATIENCE_S):
        said, _ = await process.communicate()
    assert process.returncode == KILLED
    return said.decode().strip()


async def rows_copied(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT coalesce(sum(rows), 0)::bigint FROM loa.copy_step"))
    finally:
        await connection.close()


async def read(url: str, folder: Path) -> dict[str, object]:
    options = PostgresOptions(owner=as_user(url, OWNER))
    ledger = await PostgresLedger.open(
        as_user(url, APP), folder=folder, probe=QuietProbe(), clock=FakeClock(), options=options
    )
    try:
        return await everything(ledger)
    finally:
        await ledger.close()


@pytest.mark.crash
@pytest.mark.timeout(300)
async def test_killed_after_every_batch_it_ends_as_if_nothing_had_happened(postgres: Postgres, tmp_path: Path) -> None:
    file = tmp_path / "loa.db"
    await make_full(file)
    ledger = await SqliteLedger.open(file, probe=QuietProbe())
    before = await everything(ledger)
    await ledger.close()
    async with postgres.database() as url:
        await prepare_empty(url)
        assert await run_until(file, url, "inside") == "inside"
        assert await rows_copied(url) == 0, "a batch that was not committed is not there"
        died_at: list[str] = []
        while not (died_at and died_at[-1].startswith("proving")):
            done = await rows_copied(url)
            died_at.append(await run_until(file, url, "copying", "proving"))
            assert await rows_copied(url) > done or died_at[-1].startswith("proving")
            if len(died_at) == 4:
                assert await run_until(file, url, "inside") == "inside"
            with pytest.raises(StorageUnavailable, match="is not finished"):
                await read(url, tmp_path)
        assert len(died_at) > 22, "tables of several batches were cut between them"
        assert await run_until(file, url, "proving callback_try") == "proving callback_try"
        assert await run_until(file, url, "opening") == "opening the database"
        with pytest.raises(StorageUnavailable, match="was copied to"):
            await SqliteLedger.open(file, probe=QuietProbe())
        done = await copy_ledger(
            Ends(file, as_user(url, APP), as_user(url, OWNER)), SystemClock(), lambda *_: None, page_rows=9
        )
        assert not done.again
        assert await read(url, tmp_path) == before
