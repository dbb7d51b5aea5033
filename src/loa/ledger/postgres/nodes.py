"""This process among the others: its name, its boot number, its heart.

A boot number is given once. Whoever is silent too long is taken for dead by the others, which then settle its claims
and take its slots; when it comes back it finds its boot number buried, takes a new one and starts over, and whatever
it still writes for the old one meets the fences. A process that cannot reach the server hands nothing over from the
moment when the others may take it for dead.
"""

import asyncio
import fcntl
import os
import secrets
import socket
from pathlib import Path
from typing import IO, Any, Final

from loa import __version__
from loa.errors import StorageUnavailable
from loa.ledger.postgres.connection import Line
from loa.ledger.postgres.errors import SERVER_ERRORS
from loa.ledger.postgres.statements import QUERIES
from loa.observe.log import get_logger
from loa.ports.clock import Clock

BEATS: Final = 4
"""How many times the heart beats while the others wait before they take a process for dead."""
SAFE_PART: Final = 0.7
"""After this part of that time without a beat on record, nothing is handed over any more."""
PROCESSES_MAX: Final = 256

log = get_logger("loa.ledger")


class Name:
    """A name that no other living process has: this machine, this data folder, and the first free number in it."""

    def __init__(self, folder: Path) -> None:
        """Take a name. Errors: StorageUnavailable when the folder cannot be written."""
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._handle, number = _first_free(folder)
            self.text = f"{socket.gethostname()}/{_folder_id(folder)}#{number}"
        except OSError as error:
            message = f"cannot write in {folder}: {error.strerror}; choose another folder with --data"
            raise StorageUnavailable(message) from error

    def release(self) -> None:
        """Give the name up; it falls with the process in any case."""
        self._handle.close()


def _first_free(folder: Path) -> tuple[IO[str], int]:
    for number in range(1, PROCESSES_MAX + 1):
        handle = (folder / f"node-{number}.lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            continue
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        return handle, number
    raise StorageUnavailable(f"{PROCESSES_MAX} processes use {folder} already; choose another folder with --data")


def _folder_id(folder: Path) -> str:
    """Give the folder's own random name, made once, so that two machines with one host name differ."""
    path = folder / "node.id"
    if not path.exists():
        part = folder / f".node.id.{secrets.token_hex(4)}"
        part.write_text(secrets.token_hex(8), encoding="ascii")
        try:
            os.link(part, path)
        except FileExistsError:
            pass
        finally:
            part.unlink()
    return path.read_text(encoding="ascii").strip()


class Node:
    """The process as the ledger knows it. `failed`: set once another process runs under the same name."""

    def __init__(self, name: Name, line: Line, clock: Clock, dead_after_s: float) -> None:
        self.name = name
        self.line = line
        self._clock = clock
        self.dead_after_s = dead_after_s
        self.boot = 0
        self.up = False
        self.failed = asyncio.Event()
        self._fenced = False
        self._beat_at = 0.0
        self._steady_since = 0.0
        self._task: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Take a boot number and begin to beat. Errors: those of the driver."""
        await self._enter()
        self._task = asyncio.create_task(self._run(), name="loa-ledger-heart")

    async def _enter(self) -> None:
        moment = self._clock.monotonic()
        async with self.line.use() as connection, connection.transaction():
            self.boot = await connection.fetchval(QUERIES["join"], self.name.text, __version__)
            await connection.execute(QUERIES["bury_namesakes"], self.name.text, self.boot)
            await connection.execute(QUERIES["keep_feed_order"])
        self._beat_at, self._steady_since, self._fenced, self.up = moment, moment, False, True

    @property
    def interval_s(self) -> float:
        """How often the heart beats."""
        return self.dead_after_s / BEATS

    def holds(self) -> bool:
        """Tell whether the others cannot have taken this process for dead yet."""
        return not self._fenced and self._clock.monotonic() - self._beat_at < SAFE_PART * self.dead_after_s

    def may_judge(self) -> bool:
        """Tell whether this process may take others for dead.

        After a server that stood still for all, everybody's last beat is old: only who has beaten steadily for as long
        as the others are given can tell who is silent.
        """
        return self._clock.monotonic() - self._steady_since >= self.dead_after_s

    def fenced(self) -> None:
        """Note that others took this process for dead; it enters anew at the next beat."""
        self._fenced = True

    async def _run(self) -> None:
        while not self.failed.is_set():
            try:
                await self._beat()
            except SERVER_ERRORS as error:
                self.up = False
                log.warning("the ledger does not answer", error=type(error).__name__)
            await self._clock.sleep(self.interval_s)

    async def _beat(self) -> None:
        moment = self._clock.monotonic()
        async with self.line.use() as connection:
            alive = await connection.fetchval(QUERIES["beat"], self.boot)
            usurped = alive is None and await self._usurped(connection)
            await connection.execute(QUERIES["note_feed_order"])
        if usurped:
            log.error("another process runs under this one's name", hint="give each machine a data folder of its own")
            self.failed.set()
        elif alive is None:
            log.warning("this process was taken for dead and starts over", boot=self.boot)
            await self._enter()
        else:
            if moment - self._beat_at > 2 * self.interval_s:
                self._steady_since = moment
            self._beat_at, self.up = moment, True

    async def _usurped(self, connection: Any) -> bool:
        return bool(await connection.fetchval(QUERIES["younger_namesake"], self.name.text, self.boot))

    async def leave(self) -> None:
        """Say that this process ends; where that cannot be said, the others find out."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            async with self.line.use() as connection:
                await connection.execute(QUERIES["leave"], self.boot)
                await connection.execute(QUERIES["release_callbacks"])
        except SERVER_ERRORS as error:
            log.warning("could not leave the ledger", error=type(error).__name__)
        await self.line.close()
        self.name.release()
