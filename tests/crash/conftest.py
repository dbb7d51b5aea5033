"""What crash tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loa.certify.sqlite import SqliteStore
from loa.certify.world import World, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path, SqliteStore(tmp_path)) as built:
        yield built
