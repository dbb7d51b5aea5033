"""What crash tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.crash_world import World, crash_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with crash_world(tmp_path) as built:
        yield built
