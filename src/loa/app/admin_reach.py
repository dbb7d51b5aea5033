"""Reaching administration from another process: over the control socket of the Loa that runs, else at the ledger.

A running gateway owns its ledger file, so a change has to go through it; where none runs in this data folder, the
ledger is opened for the one command. A ledger on PostgreSQL can always be opened, beside the processes that share it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from loa.app.admin import Admin, rules_of
from loa.app.control_wire import PATH, raised, socket_path
from loa.app.ledgers import open_ledger
from loa.app.probes import NoProbe
from loa.channels.registry import providers
from loa.errors import LedgerBusy, StorageUnavailable
from loa.observe.clock import SystemClock
from loa.settings.tree import Settings

TRIES: Final = 50
PAUSE_S: Final = 0.1
"""A gateway that starts owns its file a moment before its socket is there, so a busy ledger is waited for."""
TIMEOUT_S: Final = 120.0

Ask = Callable[[str, Mapping[str, Any]], Awaitable[Any]]


class NobodyThere(OSError):
    """No process answers at the socket."""


async def ask_running(path: Path, verb: str, args: Mapping[str, Any]) -> Any:
    """Have the running Loa do a verb. Errors: NobodyThere; those of the verb; StorageUnavailable when it broke off."""
    connector = aiohttp.UnixConnector(path=str(path))
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.post(f"http://loa{PATH}", json={"verb": verb, "args": dict(args)}) as answer,
        ):
            if answer.content_type != "application/json":
                raise StorageUnavailable("the running Loa could not do this; its log says why")
            said = await answer.json()
    except aiohttp.ClientConnectorError as error:
        raise NobodyThere(str(error)) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise StorageUnavailable("the running Loa broke off; whether it was done is not known") from error
    if "result" in said:
        return said["result"]
    raise raised(said)


@asynccontextmanager
async def _at_the_ledger(settings: Settings) -> AsyncIterator[Admin]:
    clock = SystemClock()
    ledger = await open_ledger(settings, NoProbe(), clock, briefly=True)
    try:
        yield Admin(ledger, clock=clock, providers=providers(), rules=rules_of(settings))
    finally:
        await ledger.close()


async def administer(settings: Settings, verb: str, args: Mapping[str, Any] | None = None) -> Any:
    """Do a verb wherever it can be done. Errors: those of the verb, ConfigError, StorageError."""
    path, clock = socket_path(settings.data_dir), SystemClock()
    for left in range(TRIES - 1, -1, -1):
        try:
            return await ask_running(path, verb, args or {})
        except NobodyThere:
            pass
        try:
            async with _at_the_ledger(settings) as admin:
                return await admin.do(verb, args)
        except LedgerBusy:
            if not left:
                raise
            await clock.sleep(PAUSE_S)
    raise AssertionError("unreachable: the last try returns or raises")


async def running(settings: Settings) -> Mapping[str, Any] | None:
    """Say which Loa runs on these settings' data, None when none does."""
    try:
        about: Mapping[str, Any] = await ask_running(socket_path(settings.data_dir), "about", {})
    except NobodyThere:
        return None
    return about
