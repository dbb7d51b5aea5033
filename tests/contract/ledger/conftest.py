"""One suite, every engine: a test that takes `ledger` runs on each."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.ledger import Ledger
from tests.support.fakes import QuietProbe

Opener = Callable[[], Awaitable[Ledger]]


@pytest.fixture(params=["sqlite"])
def open_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Give a function that opens the same ledger again, as a restart would."""

    async def sqlite() -> Ledger:
        return await SqliteLedger.open(tmp_path / "loa.db", probe=QuietProbe())

    return {"sqlite": sqlite}[request.param]


@pytest.fixture
async def ledger(open_ledger: Opener) -> AsyncIterator[Ledger]:
    opened = await open_ledger()
    yield opened
    await opened.close()
