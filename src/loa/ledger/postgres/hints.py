"""Hints between processes: something may be due. A hint may be lost; polling finds everything without it.

They go over a connection of their own, apart from the transactions they speak of: a NOTIFY inside a transaction makes
all commits of the server wait for each other.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from loa.ledger.postgres.connection import Line
from loa.ledger.postgres.errors import SERVER_ERRORS
from loa.observe.log import get_logger
from loa.ports.clock import Clock

CHANNEL: Final = "loa_hint"
PAUSE_S: Final = 0.02
"""The shortest time between two hints of one process."""
AGAIN_S: Final = 1.0
CHECK_S: Final = 10.0
"""How often a connection on which nothing comes is asked whether it is still one."""

log = get_logger("loa.ledger")


class Hints:
    """Gives and takes hints."""

    def __init__(self, line: Line, clock: Clock, boot: Callable[[], int]) -> None:
        self._line = line
        self._clock = clock
        self._heard_on: Any = None
        self._boot = boot
        self._woken: list[Callable[[], None]] = []
        self._to_tell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tell."""
        self._task = asyncio.create_task(self._run(), name="loa-ledger-hints")

    def listen(self, woken: Callable[[], None]) -> None:
        """Have a function called at every hint of another process."""
        self._woken.append(woken)

    def tell(self) -> None:
        """Let the others know that something may be due."""
        self._to_tell.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._turn()
            except SERVER_ERRORS as error:
                log.debug("hints are away", error=type(error).__name__)
                await self._clock.sleep(AGAIN_S)

    async def _turn(self) -> None:
        connection = await self._connected()
        try:
            async with asyncio.timeout(CHECK_S):
                await self._to_tell.wait()
        except TimeoutError:
            async with self._line.use():
                await connection.execute("SELECT 1")
            return
        self._to_tell.clear()
        async with self._line.use():
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(self._boot()))
        await self._clock.sleep(PAUSE_S)

    async def _connected(self) -> Any:
        async with self._line.use() as connection:
            if self._heard_on is not connection:
                await connection.add_listener(CHANNEL, self._heard)
                self._heard_on = connection
                self._wake()
        return connection

    def _heard(self, _connection: object, _pid: int, _channel: str, boot: object) -> None:
        if boot != str(self._boot()):
            self._wake()

    def _wake(self) -> None:
        for woken in self._woken:
            woken()

    async def close(self) -> None:
        """Tell no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._line.drop()
