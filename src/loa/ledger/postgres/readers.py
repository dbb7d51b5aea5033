"""Connections that read for callers: each call sees one tenant's rows, by the wall in the database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from loa.errors import StorageUnavailable
from loa.ledger.postgres.connection import EVERYTHING, Line
from loa.ledger.postgres.errors import SERVER_ERRORS, breaks_connection, translate

T = TypeVar("T")


class Readers:
    """A few lines, lent to one call at a time. Units: seconds."""

    def __init__(self, lines: list[Line], waiting_max: int) -> None:
        self._lines = lines
        self._idle = list(lines)
        self._free = asyncio.Semaphore(len(lines))
        self._waiting = 0
        self._waiting_max = waiting_max

    async def read(self, query: Callable[[Any], Awaitable[T]], tenant_id: int | None = None) -> T:
        """Run a query as a tenant, or for the house itself. Errors: StorageError."""
        if self._waiting >= self._waiting_max:
            raise StorageUnavailable("too many readers wait for the ledger")
        try:
            # For a line, for an answer and for a second try together: nobody waits longer.
            async with asyncio.timeout(self._lines[0].timeout_s):
                return await self._read(query, EVERYTHING if tenant_id is None else str(tenant_id))
        except TimeoutError:
            raise StorageUnavailable("PostgreSQL did not answer in time") from None

    async def _read(self, query: Callable[[Any], Awaitable[T]], tenant: str) -> T:
        again = True
        while True:
            try:
                async with self._borrowed() as line, line.use() as connection:
                    await _work_for(line, connection, tenant)
                    return await query(connection)
            except SERVER_ERRORS as error:
                # A connection that broke while idle is found out only now; reading again does no harm.
                if not again or not breaks_connection(error) or isinstance(error, TimeoutError):
                    raise translate(error) from error
                again = False

    @contextlib.asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[Line]:
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        line = self._idle.pop()
        try:
            yield line
        finally:
            self._idle.append(line)
            self._free.release()

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.gather(*(line.close() for line in self._lines))


async def _work_for(line: Line, connection: Any, tenant: str) -> None:
    if line.tenant != tenant:
        await connection.execute("SELECT set_config('loa.tenant', $1, false)", tenant)
        line.tenant = tenant
