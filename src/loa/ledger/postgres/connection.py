"""Lines to the server: one connection each, made when it is needed, dropped when it is in doubt, made again.

A line never hangs: whoever uses it sets a time, and when that is over the connection is thrown away without asking the
server, because a server that does not answer would not answer that either. No statement time-out is set: it could end
the wait of a COMMIT for the synchronous standby and make it look successful.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from loa.errors import StorageUnavailable
from loa.ledger.postgres.errors import SERVER_ERRORS, breaks_connection, translate

SCHEMA: Final = "loa"
EVERYTHING: Final = "*"
"""What a session says that works for all tenants, see `protect` in the migrations."""

_EVERY_LINE: Final = {
    "search_path": SCHEMA,
    "timezone": "UTC",
    "jit": "off",
    "lock_timeout": "3000",
    # Whatever the role has: it would end the wait of a COMMIT for the standby as if that were a success.
    "statement_timeout": "0",
    # A process that stops in the middle of a transaction must not hold its rows for ever.
    "idle_in_transaction_session_timeout": "10000",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
WRITING: Final = _EVERY_LINE | {
    "loa.tenant": EVERYTHING,
    # The statements are few and each has its index; a plan made for an empty table must not stay when it is full.
    # For the same reason look-ups are LATERAL (… OFFSET 0): always from the values of the call to the rows they name.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
    "enable_material": "off",
}
READING: Final = _EVERY_LINE | {
    "loa.tenant": "",
    "enable_seqscan": "off",
    "default_transaction_read_only": "on",
    # A plan made for the values at hand leaves out the days they exclude.
    "plan_cache_mode": "force_custom_plan",
}


def each_host(url: str) -> list[str]:
    """Give an address for each of the hosts that one names."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    if "," not in hosts:
        return [url]
    return [urlunsplit(parts._replace(netloc=f"{user}{at}{host}")) for host in hosts.split(",")]


@dataclass(slots=True)
class Line:
    """One connection at most. Used by one task at a time. Units: seconds."""

    url: str
    settings: dict[str, str]
    name: str
    timeout_s: float
    tenant: str = ""
    _connection: Any = field(default=None)
    _host: int = 0

    async def connect(self) -> Any:
        """Give the connection, made anew where there is none. Errors: those of the driver."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._reach_a_host()
            self.tenant = self.settings["loa.tenant"]
        return self._connection

    async def _reach_a_host(self) -> Any:
        """Try the hosts of the address in turn, that which served last first; a silent one holds up no other."""
        hosts = each_host(self.url)
        for left in range(len(hosts) - 1, -1, -1):
            try:
                return await asyncpg.connect(
                    hosts[self._host % len(hosts)],
                    timeout=self.timeout_s / len(hosts),
                    server_settings={**self.settings, "application_name": self.name},
                    statement_cache_size=1_000,
                    max_cached_statement_lifetime=0,
                    target_session_attrs=SessionAttribute.primary,
                )
            except SERVER_ERRORS:
                self._host += 1
                if not left:
                    raise
        raise AssertionError(hosts)

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[Any]:
        """Use the connection for at most `timeout_s`. Errors: those of the driver; after them it may be another one."""
        try:
            async with asyncio.timeout(self.timeout_s):
                yield await self.connect()
        except SERVER_ERRORS as error:
            if breaks_connection(error):
                self.drop()
            raise
        except asyncio.CancelledError:
            # Nobody knows what the server made of it.
            self.drop()
            raise

    def drop(self) -> None:
        """Throw the connection away without a word."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """Say good-bye, or drop it where that takes too long."""
        if self._connection is None:
            return
        try:
            await self._connection.close(timeout=2)
        except SERVER_ERRORS:
            self.drop()
        self._connection = None


async def run_once(url: str, settings: dict[str, str], name: str, timeout_s: float, work: Any) -> Any:
    """Do one piece of work over a line of its own. Errors: StorageError."""
    line = Line(url, settings, name, timeout_s)
    try:
        async with line.use() as connection:
            return await work(connection)
    except asyncpg.exceptions.TargetServerAttributeNotMatched:
        raise StorageUnavailable("the PostgreSQL server only reads: it is a standby, name the primary") from None
    except SERVER_ERRORS as error:
        raise translate(error) from error
    finally:
        await line.close()
