"""One suite, every engine: a test that takes `ledger` runs on each."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.ledger import Ledger
from tests.support.fakes import FakeClock, QuietProbe
from tests.support.postgres import Postgres, postgres
from tests.support.shared_ledger import APP, as_user, prepare

__all__ = ["postgres"]

Opener = Callable[[], Awaitable[Ledger]]


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
            return await PostgresLedger.open(as_user(url, APP), folder=tmp_path, probe=QuietProbe(), clock=FakeClock())

        yield on_server


@pytest.fixture
async def ledger(open_ledger: Opener) -> AsyncIterator[Ledger]:
    opened = await open_ledger()
    yield opened
    await opened.close()
