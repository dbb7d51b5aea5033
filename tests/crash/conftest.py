"""What crash tests share: a world on each engine, the server one and the same for all tests of a process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loa.certify.engines import Engine
from loa.certify.postgres import PostgresEngine
from loa.certify.sqlite import SqliteEngine
from loa.certify.world import World, open_world
from tests.support.postgres import durable_engine

__all__ = ["durable_engine"]


@pytest.fixture(params=["sqlite", "postgres"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A test that takes it runs on each engine, on a fresh ledger."""
    engine: Engine = SqliteEngine()
    if request.param == PostgresEngine.name:
        engine = request.getfixturevalue("durable_engine")
    store = engine.store(tmp_path)
    await store.prepare("none")
    try:
        async with open_world(tmp_path, store) as built:
            yield built
    finally:
        await store.remove()
