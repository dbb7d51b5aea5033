"""The supervisor of a demo: keeps its gateway running in a process of its own, and starts it again whenever it dies.

The supervisor holds the bound socket, so who connects meanwhile waits instead of being refused. The gateway gets its
settings over a pipe and says `ready` on another; when the first pipe closes the supervisor is gone, and it ends. A
second process has loaded the program already and waits for its settings, so that little time passes after a crash.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from loa.app.workers import GRACE_S, READY, written
from loa.errors import LoaError
from loa.observe.log import get_logger
from loa.ports.clock import Clock
from loa.settings.tree import Settings

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 10.0
STEADY_S: Final = 10.0
"""A gateway that served this long is started again at once; of one that dies sooner the pause grows."""

Started = tuple[asyncio.subprocess.Process, socket.socket]
"""A process, and our end of its door."""

log = get_logger("loa.app.demo")


class NeverServed(LoaError):
    """The gateway ended before it had served once; what stands against it is in its own words on standard error."""

    code = "never_served"


class Keeper:
    """Keeps one gateway running on a bound socket. `command` starts it, with the number of its end of the door added.

    `door`: serves the other end of the door until it closes. `back`: told when a gateway serves.
    """

    def __init__(
        self,
        settings: Settings,
        bound: socket.socket,
        command: Sequence[str],
        clock: Clock,
        *,
        door: Callable[[socket.socket], Awaitable[None]],
        back: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._bound = bound
        self._command = command
        self._clock = clock
        self._door = door
        self._back = back
        self._process: asyncio.subprocess.Process | None = None
        self._spare: Started | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._stopping = asyncio.Event()
        self._asked = False

    @property
    def pid(self) -> int | None:
        """The process of the gateway, None while there is none."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start the gateway; return when it serves. Errors: NeverServed, OSError."""
        self._task = asyncio.create_task(self._keep())
        serves = asyncio.create_task(self._ready.wait())
        await asyncio.wait((self._task, serves), return_when=asyncio.FIRST_COMPLETED)
        serves.cancel()
        if self._task.done():
            await self._task

    async def wait(self) -> None:
        """Wait until the supervisor itself has failed. Errors: NeverServed, OSError."""
        assert self._task is not None
        await asyncio.shield(self._task)

    def crash(self) -> None:
        """Kill the gateway; it is started again at once."""
        if self._process is not None:
            self._asked = True
            _signal(self._process, signal.SIGKILL)

    async def _keep(self) -> None:
        pause_s = 0.0
        while True:
            began = self._clock.monotonic()
            code = await self._run()
            if self._stopping.is_set():
                return
            if not self._ready.is_set():
                raise NeverServed(f"the gateway ended with {code} before it was ready; it said why above")
            if self._asked or self._clock.monotonic() - began >= STEADY_S:
                pause_s = 0.0
            else:
                pause_s = min(max(pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            if not self._asked:
                log.warning("the gateway ended and is started again", code=code, retry_s=pause_s)
            self._asked = False
            if pause_s and await self._stop_comes(pause_s):
                return

    async def _stop_comes(self, within_s: float) -> bool:
        waits = [asyncio.ensure_future(self._clock.sleep(within_s)), asyncio.ensure_future(self._stopping.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return self._stopping.is_set()

    async def _run(self) -> int:
        """Run one gateway to its end; give its exit code, negative for a signal."""
        started, self._spare = self._spare or await self._spawn(), None
        process, ours = started
        door = asyncio.ensure_future(self._door(ours))
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if self._stopping.is_set():
                _signal(process, signal.SIGTERM)
            process.stdin.write(written(self._settings, self._bound.fileno(), {}))
            if await process.stdout.readline() == READY:
                self._ready.set()
                self._back()
                self._spare = await self._spawn()
            return await process.wait()
        finally:
            self._process = None
            door.cancel()
            await asyncio.gather(door, return_exceptions=True)
            ours.close()

    async def _spawn(self) -> Started:
        """Start a process that has loaded everything and waits for its settings."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                str(theirs.fileno()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                pass_fds=(self._bound.fileno(), theirs.fileno()),
                # A Ctrl-C is for the supervisor alone, which then ends the gateway in order.
                start_new_session=True,
            )
        return process, ours

    async def stop(self) -> None:
        """Ask the gateway to end, and wait until it has; one that takes too long is killed."""
        self._stopping.set()
        if self._task is None:
            return
        if self._process is not None:
            _signal(self._process, signal.SIGTERM)
        own = self._settings
        patience_s = own.server.drain_notice_s + own.drain_s + GRACE_S
        done, _ = await asyncio.wait((self._task,), timeout=patience_s)
        if not done and self._process is not None:
            log.error("the gateway did not end in time and is killed")
            _signal(self._process, signal.SIGKILL)
            await asyncio.wait((self._task,))
        if self._spare is not None:
            process, ours = self._spare
            _signal(process, signal.SIGKILL)
            await process.wait()
            ours.close()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
