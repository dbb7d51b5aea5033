"""A private PostgreSQL cluster to throw away: made, stopped, killed, held, doubled and deleted at will.

Never the machine's own server: each has a folder below /tmp and listens on 127.0.0.1, on a port that it keeps, and on a
socket in its folder. Authentication is `trust`: whoever may open connections on this machine may read and change it.

A guard is the parent of each running server; when this process ends, in whatever way, it shuts the server down and
deletes its folder. What remains then: the folder of a cluster that was not running, and a server whose guard was killed
as well.
"""

import random
import shutil
import socket
import tempfile
from asyncio import to_thread
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import asyncpg

from loa.certify.programs import RunAs, find_programs, run
from loa.certify.server import STOPS, Server, shared_memory_id
from loa.errors import ConfigError, StorageUnavailable
from loa.observe.clock import SystemClock
from loa.ports.clock import Clock

__all__ = ["Cluster", "find_programs"]

ADMIN: Final = "postgres"
_HOST: Final = "127.0.0.1"
_HOME: Final = Path("/tmp")  # noqa: S108 - mkdtemp below it; the account that runs the server has to get there
_PORTS: Final = range(20_000, 32_000)  # below those that systems hand out: nobody gets ours while the server is down
_START_LIMIT_S: Final = 60.0
_STOP_LIMIT_S: Final = 30.0
_PORT_TRIES: Final = 5

SETTINGS: Final[Mapping[str, object]] = {
    "listen_addresses": _HOST,
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",  # files in the folder: nothing stays in /dev/shm after a kill
    "wal_keep_size": "256MB",
    "wal_retrieve_retry_interval": "100ms",
}
FAST: Final[Mapping[str, object]] = {"fsync": False, "synchronous_commit": False, "full_page_writes": False}


class Cluster:
    """One cluster. Made by `create` or `standby`, ended by `remove`; calls are made one after the other."""

    def __init__(self, folder: Path, programs: Path, run_as: RunAs, clock: Clock) -> None:
        self.folder = folder
        self.port = _free_port()
        self._programs = programs
        self._run_as = run_as
        self._clock = clock
        self._server: Server | None = None
        self._standbys: list[Cluster] = []
        self._synchronous: list[str] = []

    @classmethod
    async def create(
        cls,
        directory: Path | None = None,
        *,
        fsync: bool = True,
        options: Mapping[str, object] | None = None,
        programs: Path | None = None,
        clock: Clock | None = None,
    ) -> "Cluster":
        """Make a cluster in a new folder below `directory` and start it.

        Without `fsync` nothing is made durable, for speed. `options` are settings of the server; they come last.
        Errors: ConfigError when programs are missing or refuse, StorageUnavailable when the server does not start.
        """
        cluster = cls(*_settle(directory, programs), clock or SystemClock())
        try:
            await cluster._program(
                "initdb", "-D", cluster._data, "-U", ADMIN, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
            )
            settings = {**SETTINGS, **({} if fsync else FAST), **(options or {})}
            _append(cluster._data / "postgresql.conf", settings)
            await cluster._start_on_a_free_port()
        except BaseException:
            await cluster.remove()
            raise
        return cluster

    @property
    def pid(self) -> int:
        """The process id of the running server, 0 when it is down."""
        running = self._running
        return running.pid if running is not None else 0

    @property
    def _running(self) -> Server | None:
        return self._server if self._server is not None and not self._server.ended else None

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres", user: str | None = None, *, port: int | None = None) -> str:
        """Give the URL of a database over TCP; `port` leads through a proxy."""
        return f"postgresql://{quote(user or ADMIN, safe='')}@{_HOST}:{port or self.port}/{quote(database, safe='')}"

    # --- its life ---

    async def start(self) -> None:
        """Start, recover if need be, and return when connections are taken; when it runs, do nothing.

        Errors: StorageUnavailable with the last lines of the log.
        """
        if self._running is not None:
            return
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        command += ["-p", str(self.port), "-k", str(self.folder)]
        self._server = Server(command, folder=self.folder, run_as=self._run_as, clock=self._clock)
        await self._server.ready(_START_LIMIT_S)

    async def stop(self, mode: str = "fast") -> None:
        """Shut down: `smart` waits for clients, `fast` lets them go, `immediate` leaves recovery to the next start."""
        if mode not in STOPS:
            raise ConfigError(f"no way to shut down is called {mode!r}; there are: {', '.join(STOPS)}")
        if (running := self._running) is not None:
            await running.stop(mode, _STOP_LIMIT_S)

    async def restart(self, mode: str = "fast") -> None:
        """Stop and start again, on the same port."""
        await self.stop(mode)
        await self.start()

    async def kill(self) -> None:
        """Crash: SIGKILL to the server and every backend; return when none is left. Disk and port are as they were."""
        if (running := self._running) is not None:
            await running.kill()

    async def pause(self) -> None:
        """Hold all its processes: connections stay open, new ones are taken by the system, nothing answers."""
        if (running := self._running) is not None:
            await running.pause()

    async def resume(self) -> None:
        """Let it go on after `pause`."""
        if (running := self._running) is not None:
            running.resume()

    async def remove(self) -> None:
        """End the cluster and its standbys the quick way and delete their folders; may be called again."""
        while self._standbys:
            await self._standbys.pop().remove()
        try:
            await self.stop("immediate")
        except StorageUnavailable:
            await self.kill()
        await self._forget_shared_memory()
        await to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    # --- databases ---

    async def create_database(self, name: str, template: str | None = None) -> str:
        """Make a database, a copy of `template` if one is named, and give its URL."""
        await self._execute(f"CREATE DATABASE {_quoted(name)}" + (f" TEMPLATE {_quoted(template)}" if template else ""))
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        """Delete a database and end the connections to it; one that is not there is no error."""
        await self._execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    # --- replicas ---

    async def standby(self, synchronous: bool = False) -> "Cluster":
        """Make a replica that follows this cluster, and return when it does.

        Synchronous: from then on a commit returns when every synchronous standby has it as well. `remove` of this
        cluster removes the standby. Errors: as `create`.
        """
        name = f"standby_{len(self._standbys) + 1}"
        standby = Cluster(*_settle(self.folder.parent, self._programs), self._clock)
        self._standbys.append(standby)
        source = f"host={_HOST} port={self.port} user={ADMIN} application_name={name}"
        await standby._program(
            "pg_basebackup", "-D", standby._data, "-d", source, "-X", "stream", "-R", "-c", "fast", "-N"
        )
        _append(standby._data / "postgresql.auto.conf", {"synchronous_standby_names": ""})
        await standby._start_on_a_free_port()
        if synchronous:
            await self._wait_for(name)
        await self._until_followed_by(name, "sync" if synchronous else "async")
        return standby

    async def promote(self) -> None:
        """Make a standby a primary that takes writes. Errors: StorageUnavailable when it is none or stays one."""
        if not await self._fetch("SELECT pg_promote(true, 60)"):
            raise StorageUnavailable(f"the standby in {self.folder} was not promoted within 60 s")

    async def _wait_for(self, name: str) -> None:
        self._synchronous.append(name)
        names = ", ".join(map(_quoted, self._synchronous))
        await self._execute(f"ALTER SYSTEM SET synchronous_standby_names = 'FIRST {len(self._synchronous)} ({names})'")
        await self._execute("ALTER SYSTEM SET synchronous_commit = on")
        await self._execute("SELECT pg_reload_conf()")

    async def _until_followed_by(self, name: str, kind: str) -> None:
        end = self._clock.monotonic() + _START_LIMIT_S
        query = "SELECT sync_state FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming'"
        while await self._fetch(query, name) != kind:
            if self._clock.monotonic() >= end:
                raise StorageUnavailable(f"{name} did not follow as {kind} within {_START_LIMIT_S:g} s")
            await self._clock.sleep(0.02)

    # --- within ---

    async def _start_on_a_free_port(self) -> None:
        """Start for the first time; whoever was quicker keeps the port."""
        for _ in range(_PORT_TRIES - 1):
            try:
                return await self.start()
            except StorageUnavailable as error:
                if "could not bind" not in error.detail:
                    raise
                self.port = _free_port()
        return await self.start()

    async def _program(self, name: str, *args: str | Path) -> str:
        return await run((self._programs / name, *args), run_as=self._run_as, home=self.folder)

    async def _forget_shared_memory(self) -> None:
        segment = shared_memory_id(self.folder)
        if segment:
            with suppress(ConfigError, FileNotFoundError):  # gone, or no such program: a few octets stay until a reboot
                await run(("ipcrm", "-m", segment), run_as=self._run_as, home=self.folder)

    async def _execute(self, statement: str) -> None:
        async with self._connected() as connection:
            await connection.execute(statement)

    async def _fetch(self, query: str, *args: object) -> object:
        async with self._connected() as connection:
            return await connection.fetchval(query, *args)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        try:
            connection = await asyncpg.connect(
                host=_HOST, port=self.port, user=ADMIN, database="postgres", ssl=False, timeout=30, command_timeout=90
            )
            try:
                yield connection
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StorageUnavailable(f"the cluster in {self.folder} refused: {error}") from error


def _settle(directory: Path | None, programs: Path | None) -> tuple[Path, Path, RunAs]:
    found, run_as = find_programs(programs), RunAs.choose()
    folder = Path(tempfile.mkdtemp(prefix="loa-postgres-", dir=directory or _HOME))
    if run_as.lent:
        shutil.chown(folder, run_as.uid, run_as.gid)
    return folder, found, run_as


def _append(file: Path, settings: Mapping[str, object]) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.writelines(f"{name} = {_value(value)}\n" for name, value in settings.items())


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _free_port() -> int:
    for port in random.sample(_PORTS, 100):
        with socket.socket() as tried, suppress(OSError):
            tried.bind((_HOST, port))
            return port
    raise ConfigError(f"no free port was found on {_HOST} between {_PORTS[0]} and {_PORTS[-1]}")
