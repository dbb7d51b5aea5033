"""The API over a real ledger."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.native_api import House, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    opened = await open_house(tmp_path / "loa.db")
    yield opened
    await opened.ledger.close()
