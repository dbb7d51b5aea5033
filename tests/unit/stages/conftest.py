"""Intake over a real ledger."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.intake_desk import Desk, open_desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    opened = await open_desk(tmp_path / "loa.db")
    yield opened
    await opened.ledger.close()
