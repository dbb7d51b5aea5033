"""A ledger on PostgreSQL as it stands in production: one role owns the tables, another works with them, several nodes.

The role that works is no superuser and owns nothing, so that the walls between tenants stand while the tests run.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from loa.ledger.postgres.connection import SCHEMA, WRITING, run_once
from loa.ledger.postgres.ledger import PostgresLedger, PostgresOptions
from loa.ledger.postgres.migrate import make_days, migrate
from loa.observe.clock import SystemClock
from loa.ports.clock import Clock
from loa.seal.keyfile import NAME, KeyFile
from loa.seal.sealer import Sealer
from tests.support.fakes import EPOCH, QuietProbe

OWNER, APP = "loa_owner", "loa_app"
PATIENCE_S = 20.0
LOOK_AGAIN_S = 0.01
CLOCK = SystemClock()

_ROLES = f"""
DO $$ BEGIN
  CREATE ROLE {OWNER} LOGIN;
  CREATE ROLE {APP} LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""


def as_user(url: str, user: str) -> str:
    """Give an address with another user in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{quote(user)}@{parts.netloc.rpartition('@')[2]}"))


async def prepare(url: str) -> None:
    """Make the roles, the schema, and the days around the tests' own and around today."""
    await prepare_empty(url)
    await migrate(as_user(url, OWNER), role=APP)
    for now in (EPOCH, CLOCK.now()):
        await run_once(as_user(url, APP), WRITING, "prepare", 30, partial(make_days, now=now))


async def prepare_empty(url: str) -> None:
    """Make the roles and let the owner make a schema."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_ROLES)
        name = urlsplit(url).path.removeprefix("/")
        await connection.execute(f'GRANT CREATE ON DATABASE "{name}" TO {OWNER}')
    finally:
        await connection.close()


async def until(condition: Callable[[], Awaitable[object]], patience_s: float = PATIENCE_S) -> None:
    """Look again and again until something is so."""
    async with asyncio.timeout(patience_s):
        while not await condition():
            await CLOCK.sleep(LOOK_AGAIN_S)


class SharedLedger:
    """One database, any number of nodes with a folder each and one key file, and the tests' own look into it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self._opened: list[PostgresLedger] = []

    @property
    def app_url(self) -> str:
        """The address a node is given."""
        return as_user(self.url, APP)

    async def open(
        self, name: str = "a", *, url: str = "", clock: Clock | None = None, **options: Any
    ) -> PostgresLedger:
        """Open a node; `url` leads another way to the same database. Unclosed ones are closed with the test."""
        chosen = PostgresOptions(owner=as_user(self.url, OWNER), **options)
        node = await PostgresLedger.open(
            url or self.app_url,
            folder=self.folder / name,
            probe=QuietProbe(),
            clock=clock or CLOCK,
            options=chosen,
            sealer=Sealer(KeyFile(self.folder / NAME)),
        )
        self._opened.append(node)
        return node

    @asynccontextmanager
    async def sql(self, user: str = "", tenant: str | None = "*") -> AsyncIterator[Any]:
        """Give a connection of the superuser, or of another role, that works for a tenant; None names none."""
        connection = await asyncpg.connect(as_user(self.url, user) if user else self.url)
        try:
            await connection.execute(f"SET search_path = {SCHEMA}")
            if tenant is not None:
                await connection.execute("SELECT set_config('loa.tenant', $1, false)", tenant)
            yield connection
        finally:
            await connection.close()

    async def value(self, query: str, *values: Any) -> Any:
        """Give the one value of a query, as the superuser sees it."""
        async with self.sql() as connection:
            return await connection.fetchval(query, *values)

    async def rows(self, query: str, *values: Any) -> list[Any]:
        """Give the rows of a query, as the superuser sees them."""
        async with self.sql() as connection:
            return list(await connection.fetch(query, *values))

    async def leave(self, node: PostgresLedger) -> None:
        """Have a node leave in order."""
        self._opened.remove(node)
        await node.close()

    async def kill(self, node: PostgresLedger) -> None:
        """End a node as a kill does: its lines cut, its lock free, nothing said to anybody."""
        self._opened.remove(node)
        await end_abruptly(node)

    async def silence(self, node: PostgresLedger) -> None:
        """Have a node's last beat be long ago, so that the others may take it for dead."""
        await self.rows("UPDATE node SET beat_at = beat_at - interval '1 day' WHERE boot = $1", node._node.boot)

    async def close(self) -> None:
        """Close what is open, the last one first."""
        while self._opened:
            await self._opened.pop().close()


def long_here(node: PostgresLedger) -> PostgresLedger:
    """Have a node be there for so long that it may judge who is dead."""
    node._node._steady_since = -1e9
    return node


async def end_abruptly(node: PostgresLedger) -> None:
    """Cut all that a node holds, and see its tasks to their end."""
    desks = set(node._desks.values())
    tasks = [node._node._task, node._hints._task, *(task for desk in desks for task in desk._tasks)]
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    lines = [
        node._node.line,
        node._hints._line,
        *node._readers._lines,
        *(each for desk in desks for each in desk._lines),
    ]
    for line in lines:
        line.drop()
    node._node.name.release()
