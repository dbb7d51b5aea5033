"""One database of the quick cluster a test, with as many nodes on it as are asked for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.postgres import Postgres, durable_cluster, make_cluster, postgres
from tests.support.shared_ledger import SharedLedger, prepare

__all__ = ["durable_cluster", "make_cluster", "postgres"]


@pytest.fixture
async def shared(postgres: Postgres, tmp_path: Path) -> AsyncIterator[SharedLedger]:
    async with postgres.database(prepare) as url:
        ledger = SharedLedger(url, tmp_path)
        yield ledger
        await ledger.close()
