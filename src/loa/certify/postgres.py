"""The cluster engine under test: Loa against a PostgreSQL server of its own, which is killed, held and thrown away."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncpg

from loa.certify.cluster import Cluster
from loa.certify.engines import Faults, NotTried, Server
from loa.certify.process import Program
from loa.certify.small_disk import SmallDisk
from loa.errors import StorageUnavailable

DURABLE: Final[Mapping[str, str]] = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
"""Settings without which a commit that was answered may be lost with the power."""
KEEP_TIMEOUT_S: Final = 30.0
TABLES: Final = (
    "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
)
SMALL_OCTETS: Final = 192 * 1024 * 1024
SMALL_SERVER: Final[Mapping[str, object]] = {"wal_keep_size": "0", "max_wal_size": "64MB", "min_wal_size": "32MB"}
"""A server whose log leaves room on a small disk."""


class PostgresStore:
    """One ledger on the server; one that is to be filled up lies on a server with a small disk."""

    def __init__(self, engine: "PostgresEngine", name: str) -> None:
        self._engine = engine
        self._name = name
        self._cluster: Cluster | None = None
        self._disk: SmallDisk | None = None
        self._url = ""

    @property
    def environment(self) -> Mapping[str, str]:
        """See engines.Store."""
        return {"DATABASE": self._url}

    def command(self, program: Program) -> tuple[str, ...]:
        """See engines.Store."""
        return program.plain

    async def prepare(self, faults: Faults) -> None:
        """See engines.Store. Errors: StorageUnavailable when the server would forget what it answered."""
        if faults == "fills":
            self._disk = await SmallDisk.mount(SMALL_OCTETS)
            self._cluster = await Cluster.create(self._disk.folder, options=SMALL_SERVER)
        self._url = await self._server.create_database(self._name)
        await _insist_on_durability(self._url)

    @property
    def _server(self) -> Cluster:
        return self._cluster or self._engine.cluster

    async def stall(self) -> None:
        """See engines.Store."""
        await self._server.pause()

    async def stalled(self) -> None:
        """See engines.Store: all its processes are held, so that whatever comes has to wait."""

    async def resume(self) -> None:
        """See engines.Store."""
        await self._server.resume()

    async def fill(self) -> None:
        """See engines.Store."""
        assert self._disk is not None
        await asyncio.to_thread(self._disk.fill)

    async def clear(self) -> None:
        """See engines.Store; a server that ended for lack of room is started again."""
        assert self._disk is not None
        self._disk.clear()
        await self._server.start()

    async def fail_syncs(self, *, failing: bool) -> None:  # noqa: ARG002 - no sync can be made to fail
        """See engines.Store."""
        raise NotTried("the syncs of a server cannot be made to fail from outside")

    async def unsound(self) -> str:
        """See engines.Store: the server checks its own files when it recovers."""
        return ""

    async def keep(self, folder: Path) -> None:
        """See engines.Store: every table as CSV. Errors: StorageError when the server cannot tell."""
        await self._server.resume()
        await self._server.start()
        try:
            connection = await asyncpg.connect(self._url, timeout=KEEP_TIMEOUT_S, command_timeout=KEEP_TIMEOUT_S)
            try:
                for schema, table in await connection.fetch(TABLES):
                    file = folder / f"{schema}.{table}.csv"
                    query = f'SELECT * FROM "{schema}"."{table}"'  # noqa: S608 - names from the server's own catalogue
                    await connection.copy_from_query(query, output=file, format="csv", header=True)
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StorageUnavailable(f"the tables could not be kept: {error}") from error

    async def remove(self) -> None:
        """See engines.Store."""
        if self._disk is None:
            await self._server.resume()
            await self._server.start()
            await self._server.drop_database(self._name)
            return
        if self._cluster is not None:
            await self._cluster.remove()
        await self._disk.remove()


class PostgresEngine:
    """PostgreSQL, as a server of its own that is thrown away afterwards."""

    name = "postgres"

    def __init__(self) -> None:
        self._cluster: Cluster | None = None
        self._made = 0

    @property
    def server(self) -> Server | None:
        """See engines.Engine."""
        return self._cluster

    @property
    def cluster(self) -> Cluster:
        """The server, once it is started."""
        assert self._cluster is not None
        return self._cluster

    async def start(self, folder: Path) -> str:  # noqa: ARG002 - the server's account could not enter it
        """See engines.Engine."""
        self._cluster = await Cluster.create()
        connection = await asyncpg.connect(self._cluster.url())
        try:
            version = await connection.fetchval("SHOW server_version")
        finally:
            await connection.close()
        return f"PostgreSQL {version}"

    def store(self, folder: Path) -> PostgresStore:  # noqa: ARG002 - its data lies with the server
        """See engines.Engine."""
        self._made += 1
        return PostgresStore(self, f"loa_{self._made}")

    async def stop(self) -> None:
        """See engines.Engine."""
        if self._cluster is not None:
            await self._cluster.remove()
            self._cluster = None


async def _insist_on_durability(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for name, wanted in DURABLE.items():
            found = await connection.fetchval(f"SHOW {name}")
            if found != wanted:
                message = f"the server says {name} = {found}: with that no commit is durable; set it to {wanted}"
                raise StorageUnavailable(message)
    finally:
        await connection.close()
