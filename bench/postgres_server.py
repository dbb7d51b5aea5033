"""A private PostgreSQL server for the benchmark: durable, with the settings a small production server would have.

Made once a session below the work directory, so that it lies on the disk to be measured; a fresh database each run;
down while something else is measured. See docs/internals/benchmark.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg

from loa.certify.cluster import Cluster, find_programs
from loa.errors import ConfigError, StorageUnavailable
from tools import BenchError

T = TypeVar("T")

ROLE: Final = "loa"
INSTALL: Final = "sudo apt-get install -y postgresql"
SETTINGS: Final[dict[str, object]] = {
    "fsync": True,
    "synchronous_commit": True,
    "full_page_writes": True,
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": 1.1,
    "wal_keep_size": 0,
}


def installed() -> bool:
    """Whether the programs of a server that Loa supports are here."""
    try:
        find_programs()
    except ConfigError:
        return False
    return True


class PostgresServer:
    """The server of this session."""

    def __init__(self, directory: Path, settings: dict[str, object] | None = None) -> None:
        self._directory = directory
        self._settings = {**SETTINGS, **(settings or {})}
        self._cluster: Cluster | None = None
        self._made = 0
        self.facts: dict[str, str] = {}

    def start(self) -> None:
        """Make the server, or start it again."""
        if self._cluster is None:
            self._cluster = _do(Cluster.create(self._directory, options=self._settings))
            self.facts = _do(_settle(self._cluster.url()))
        _do(self._cluster.start())

    def fresh(self) -> str:
        """Make a database and give its URL, for a role that is no superuser: for those there are no walls."""
        self._made += 1
        name = f"run_{self._made}"
        _do(self.cluster.create_database(name))
        _do(execute(self.cluster.url(), f"ALTER DATABASE {name} OWNER TO {ROLE}"))
        return self.cluster.url(name, ROLE)

    def admin_url(self, url: str) -> str:
        """The same database for the superuser."""
        return self.cluster.url(url.rpartition("/")[2])

    def drop(self, url: str) -> None:
        """Delete a database."""
        _do(self.cluster.drop_database(url.rpartition("/")[2]))

    def rest(self) -> None:
        """Write everything out and go down, so that what is measured next has the machine."""
        if self._cluster is not None and self._cluster.pid:
            self.checkpoint()
            _do(self._cluster.stop())

    def checkpoint(self) -> None:
        """Start every run from the same point between two checkpoints."""
        _do(execute(self.cluster.url(), "CHECKPOINT"))

    def remove(self) -> None:
        """End it and delete its folder."""
        if self._cluster is not None:
            _do(self._cluster.remove())
            self._cluster = None

    @property
    def cluster(self) -> Cluster:
        assert self._cluster is not None
        return self._cluster

    def pids(self) -> list[int]:
        """The server's first process; the others are its children."""
        return [self._cluster.pid] if self._cluster is not None and self._cluster.pid else []


def _do(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except (ConfigError, StorageUnavailable) as error:
        raise BenchError(f"PostgreSQL: {error.detail}") from error


async def execute(url: str, *statements: str) -> None:
    """Run statements, one after the other, without a limit of time."""
    connection = await asyncpg.connect(url, timeout=30)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _settle(url: str) -> dict[str, str]:
    """Compress the log with the best this server has; give the facts that reports name."""
    connection = await asyncpg.connect(url, timeout=30)
    try:
        kinds = await connection.fetchval("SELECT enumvals FROM pg_settings WHERE name = 'wal_compression'")
        best = "lz4" if kinds and "lz4" in kinds else "on"
        await connection.execute(f"CREATE ROLE {ROLE} LOGIN")
        await connection.execute(f"ALTER SYSTEM SET wal_compression = {best}")
        await connection.execute("SELECT pg_reload_conf()")
        names = ["server_version", *SETTINGS]
        rows = await connection.fetch("SELECT name, current_setting(name) FROM unnest($1::text[]) AS name", names)
        return {**dict(rows), "wal_compression": best}
    finally:
        await connection.close()
