"""API workers: several processes that serve one port, started, watched and ended by the one that has the other roles.

Each has a socket of its own on that port, bound and held here: the kernel spreads new connections evenly, and what
waits for a worker that died is served by the one that takes its place. A worker gets its settings over a pipe, one line
of JSON, and says `ready` on another; when the first pipe closes its parent is gone, and it ends.
"""

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from loa.observe.log import get_logger
from loa.ports.clock import Clock
from loa.settings.load import Loaded, load
from loa.settings.outline import outline, value_of
from loa.settings.secret import Secret
from loa.settings.tree import Settings

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 10.0
STEADY_S: Final = 30.0
"""A worker that ran this long counts as having worked."""
GRACE_S: Final = 5.0
"""Time beyond notice and drain after which a worker that still runs is killed."""
READY: Final = b"ready\n"
SERVED: Final = ("api", "console")
"""Roles that answer on the main port."""

log = get_logger("loa.app.workers")


def of_the_parent(settings: Settings) -> Settings:
    """Give what the process does that watches the workers: everything but what they serve."""
    return replace(settings, roles=tuple(role for role in settings.roles if role not in SERVED))


def of_a_worker(settings: Settings, number: int) -> Settings:
    """Give what worker `number` does, counted from 1: API and console, with an admin listener of its own."""
    own = settings.server
    admin_port = own.admin_port + number if own.admin_port else 0
    served = tuple(role for role in settings.roles if role in SERVED)
    return replace(settings, roles=served, server=replace(own, workers=1, admin_port=admin_port))


def written(settings: Settings, socket_number: int, origins: Mapping[str, str]) -> bytes:
    """Write what a worker reads first. Holds secrets: it goes through a pipe only."""
    values = {name: _plain(value_of(settings, name)) for name in outline()}
    return json.dumps({"socket": socket_number, "settings": values, "origins": dict(origins)}).encode() + b"\n"


def read(line: bytes) -> tuple[Loaded, int]:
    """Read what `written` wrote. Errors: ConfigError."""
    given = json.loads(line)
    flags: Mapping[str, object] = given["settings"]
    return Loaded(load(flags=flags).settings, given["origins"]), int(given["socket"])


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


class Workers:
    """Keeps the workers of these settings running, each on its bound socket. `command` starts one."""

    def __init__(self, loaded: Loaded, bound: Sequence[socket.socket], command: Sequence[str], clock: Clock) -> None:
        self._settings = loaded.settings
        self._origins = loaded.origins
        self._bound = bound
        self._command = command
        self._clock = clock
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._ready = {number: asyncio.Event() for number in range(1, len(bound) + 1)}
        self._stopping = asyncio.Event()

    @property
    def pids(self) -> list[int]:
        """The workers that run now."""
        return [process.pid for process in self._running.values()]

    async def start(self) -> None:
        """Start the workers; return when every one has served once."""
        self._tasks = [asyncio.create_task(self._keep(number)) for number in self._ready]
        await asyncio.gather(*(event.wait() for event in self._ready.values()))

    async def _keep(self, number: int) -> None:
        """Start a worker again whenever it ends, after a pause that grows while it ends soon."""
        pause_s = FIRST_PAUSE_S
        while True:
            began = self._clock.monotonic()
            code = await self._run(number)
            if self._stopping.is_set():
                return
            if self._clock.monotonic() - began >= STEADY_S:
                pause_s = FIRST_PAUSE_S
            log.warning("an API worker ended", number=number, code=code, retry_s=pause_s)
            if await self._stop_comes(pause_s):
                return
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _stop_comes(self, within_s: float) -> bool:
        waits = [asyncio.ensure_future(self._clock.sleep(within_s)), asyncio.ensure_future(self._stopping.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return self._stopping.is_set()

    async def _run(self, number: int) -> int:
        """Run one worker to its end; give its exit code, negative for a signal."""
        bound = self._bound[number - 1].fileno()
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, pass_fds=(bound,)
        )
        self._running[number] = process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if self._stopping.is_set():
                process.send_signal(signal.SIGTERM)
            process.stdin.write(written(of_a_worker(self._settings, number), bound, self._origins))
            if await process.stdout.readline() == READY:
                log.info("an API worker serves", number=number, pid=process.pid)
                self._ready[number].set()
            return await process.wait()
        finally:
            del self._running[number]

    async def stop(self) -> None:
        """Ask every worker to end, and wait until all have; one that takes too long is killed."""
        self._stopping.set()
        self._signal(signal.SIGTERM)
        hurrying = asyncio.create_task(self._hurry())
        await asyncio.gather(*self._tasks, return_exceptions=True)
        hurrying.cancel()
        await asyncio.gather(hurrying, return_exceptions=True)

    async def _hurry(self) -> None:
        """Close the port when the workers do, so that nobody waits there in vain; kill what takes too long."""
        await self._clock.sleep(self._settings.server.drain_notice_s)
        for bound in self._bound:
            bound.close()
        await self._clock.sleep(self._settings.drain_s + GRACE_S)
        log.error("API workers did not end in time and are killed", count=len(self._running))
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        for process in list(self._running.values()):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
