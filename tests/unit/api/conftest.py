"""The API over a real ledger."""

import io
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from tests.support.native_api import House, open_house

from loa.observe.log import configure


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    opened = await open_house(tmp_path / "loa.db")
    yield opened
    await opened.ledger.close()


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """Give what is logged, as a running gateway would write it."""
    kept = list(logging.getLogger().handlers), logging.getLogger().level
    stream = io.StringIO()
    configure(json=True, stream=stream)
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers[:], logging.getLogger().level = kept
