"""The cluster engine under test: Loa against a PostgreSQL server of its own, which is killed, held and thrown away."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncpg

from loa.certify.cluster import Cluster
from loa.certify.engines import NotTried, Server
from loa.certify.process import Program
from loa.errors import StorageUnavailable

DURABLE: Final[Mapping[str, str]] = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
"""Settings without which a commit that was answered may be lost with the power."""


class PostgresStore:
    """One ledger on the server."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._name = name
        self._url = ""

    @property
    def environment(self) -> Mapping[str, str]:
        """See engines.Store."""
        return {"DATABASE": self._url}

    def command(self, program: Program) -> tuple[str, ...]:
        """See engines.Store."""
        return program.plain

    async def prepare(self, *, faults: bool) -> None:  # noqa: ARG002 - a server can always be held
        """See engines.Store. Errors: StorageUnavailable when the server would forget what it answered."""
        self._url = await self._cluster.create_database(self._name)
        await _insist_on_durability(self._url)

    async def stall(self) -> None:
        """See engines.Store."""
        await self._cluster.pause()

    async def stalled(self) -> None:
        """See engines.Store: all its processes are held, so that whatever comes has to wait."""

    async def resume(self) -> None:
        """See engines.Store."""
        await self._cluster.resume()

    async def fill(self) -> None:
        """See engines.Store."""
        raise NotTried("the server's disk is this machine's own: it is not filled up")

    async def clear(self) -> None:
        """See engines.Store: it was never filled."""

    async def fail_syncs(self, *, failing: bool) -> None:  # noqa: ARG002 - no sync can be made to fail
        """See engines.Store."""
        raise NotTried("the syncs of a server cannot be made to fail from outside")

    async def unsound(self) -> str:
        """See engines.Store: the server checks its own files when it recovers."""
        return ""

    async def remove(self) -> None:
        """See engines.Store."""
        await self._cluster.resume()
        await self._cluster.start()
        await self._cluster.drop_database(self._name)


class PostgresEngine:
    """PostgreSQL, as a server of its own below the folder of the certificate."""

    name = "postgres"

    def __init__(self) -> None:
        self._cluster: Cluster | None = None
        self._made = 0

    @property
    def server(self) -> Server | None:
        """See engines.Engine."""
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
        assert self._cluster is not None
        self._made += 1
        return PostgresStore(self._cluster, f"loa_{self._made}")

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
