"""One suite, every engine: a test that takes `ledger` runs on each."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from loa.ledger.postgres.connection import WRITING, run_once
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.postgres.migrate import make_days, migrate
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.ledger import Ledger
from tests.support.fakes import EPOCH, FakeClock, QuietProbe
from tests.support.postgres import Postgres, postgres

__all__ = ["postgres"]

Opener = Callable[[], Awaitable[Ledger]]


async def prepare(url: str) -> None:
    """Make the schema and the days around the tests' own."""
    await migrate(url)
    await run_once(url, WRITING, "prepare", 30, lambda connection: make_days(connection, EPOCH))


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def open_ledger(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opener]:
    """Give a function that opens the same ledger again, as a restart would."""
    if engine == "sqlite":

        async def sqlite() -> Ledger:
            return await SqliteLedger.open(tmp_path / "loa.db", probe=QuietProbe())

        yield sqlite
        return
    server: Postgres = request.getfixturevalue("postgres")
    async with server.database(prepare) as url:

        async def on_server() -> Ledger:
            return await PostgresLedger.open(url, folder=tmp_path, probe=QuietProbe(), clock=FakeClock())

        yield on_server


@pytest.fixture
async def ledger(open_ledger: Opener) -> AsyncIterator[Ledger]:
    opened = await open_ledger()
    yield opened
    await opened.close()
