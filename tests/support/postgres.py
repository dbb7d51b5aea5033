"""PostgreSQL for tests: one quick cluster a process with databases that cost milliseconds, and private durable ones.

The fixtures are taken over by a conftest: `from tests.support.postgres import postgres` and `__all__ = ["postgres"]`. All
conftests of a process share one cluster, made when it is first asked for and removed with the session; each worker of
xdist is a process.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import pytest

from loa.certify.cluster import Cluster
from loa.certify.postgres import PostgresEngine

T = TypeVar("T")
Prepare = Callable[[str], Awaitable[object]]
MakeCluster = Callable[..., Awaitable[Cluster]]


class Postgres:
    """A cluster without fsync. A template is prepared once for each function that prepares one."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._templates: dict[Prepare, str] = {}
        self._numbers = count(1)

    @asynccontextmanager
    async def database(self, prepare: Prepare | None = None) -> AsyncIterator[str]:
        """Give the URL of a fresh database until the block ends."""
        url = await self.make(prepare)
        try:
            yield url
        finally:
            await self.drop(url)

    async def make(self, prepare: Prepare | None = None) -> str:
        """Make a database as `prepare(url)` left its own, and give its URL; `prepare` has to close its connections."""
        template = await self._template(prepare) if prepare is not None else None
        return await self.cluster.create_database(f"test_{next(self._numbers)}", template)

    async def drop(self, url: str) -> None:
        """Delete a database and end the connections to it."""
        await self.cluster.drop_database(unquote(urlsplit(url).path.removeprefix("/")))

    async def _template(self, prepare: Prepare) -> str:
        if prepare not in self._templates:
            name = f"template_{next(self._numbers)}"
            await prepare(await self.cluster.create_database(name))
            self._templates[prepare] = name
        return self._templates[prepare]


class _Shared:
    """The cluster of this process while somebody uses it."""

    def __init__(self) -> None:
        self._users = 0
        self._postgres: Postgres | None = None

    @contextmanager
    def use(self) -> Iterator[Postgres]:
        if self._postgres is None:
            self._postgres = Postgres(_apart(Cluster.create(fsync=False)))
        used = self._postgres
        self._users += 1
        try:
            yield used
        finally:
            self._users -= 1
            if self._users == 0:
                self._postgres = None
                _apart(used.cluster.remove())


_shared = _Shared()


def _apart(work: Coroutine[Any, Any, T]) -> T:
    """Run on a loop of its own: a session outlives the loops of its tests."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Share the quick cluster of this process."""
    with _shared.use() as shared:
        yield shared


@pytest.fixture(scope="module")
def durable_cluster() -> Iterator[Cluster]:
    """A durable cluster that the tests of one module break and mend again, each with a database of its own."""
    cluster = _apart(Cluster.create())
    yield cluster
    _apart(cluster.remove())


@pytest.fixture(scope="session")
def durable_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresEngine]:
    """The certificate's own server, durable, for the tests of one process; each makes a store of its own on it."""
    engine = PostgresEngine()
    _apart(engine.start(tmp_path_factory.mktemp("engine")))
    yield engine
    _apart(engine.stop())


@pytest.fixture
async def make_cluster() -> AsyncIterator[MakeCluster]:
    """Make private, durable clusters: `await make_cluster(options={…})`; they and their standbys go with the test."""
    made: list[Cluster] = []

    async def make(**wanted: Any) -> Cluster:
        made.append(await Cluster.create(**wanted))
        return made[-1]

    yield make
    for cluster in reversed(made):
        await cluster.remove()
