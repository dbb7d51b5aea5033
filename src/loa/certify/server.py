"""One run of a PostgreSQL server under its guard: from start to end, held and let go in between.

Knows the processes, nothing of SQL. Not tied to an event loop: what one loop has started another may stop.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from loa.certify.processes import descendants, is_stopped, runs
from loa.certify.programs import RunAs, environment, tail
from loa.errors import StorageUnavailable
from loa.ports.clock import Clock

STOPS: Final = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_POLL_S: Final = 0.01
_SIGNAL_LIMIT_S: Final = 30.0
_PID_LINE, _SHARED_MEMORY_LINE, _STATUS_LINE = 0, 6, 7  # of postmaster.pid


async def until(condition: Callable[[], bool], clock: Clock, limit_s: float) -> bool:
    """Wait until a condition holds; say whether it came to hold in time."""
    end = clock.monotonic() + limit_s
    while not condition():
        if clock.monotonic() >= end:
            return False
        await clock.sleep(_POLL_S)
    return True


class Server:
    """A server that runs; once `ended`, it is of no more use."""

    def __init__(self, command: Sequence[str], *, folder: Path, run_as: RunAs, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._log = folder / "server.log"
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            self._guard = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "loa.certify.guard", str(folder), str(run_as), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(folder),
                start_new_session=True,  # a Ctrl-C is for us; we then end the server in our order
            )
        assert self._guard.stdout is not None
        os.set_blocking(self._guard.stdout.fileno(), False)
        self.pid = 0
        self._paused = False

    @property
    def ended(self) -> bool:
        """Whether the server is gone."""
        if self._guard.poll() is None:
            return False
        for stream in (self._guard.stdin, self._guard.stdout):
            assert stream is not None
            stream.close()
        return True

    async def ready(self, limit_s: float) -> None:
        """Return once it takes connections. Errors: StorageUnavailable when it ends, or is not ready in time."""
        await until(self._is_ready_or_ended, self._clock, limit_s)
        if self._is_ready():
            return
        why = f"is not ready after {limit_s:g} s"
        if self.ended:
            why = f"ended with {self._guard.returncode}"
        else:
            await self.kill()
        raise StorageUnavailable(f"the PostgreSQL server in {self._folder} {why}:\n{self.last_words()}")

    async def stop(self, mode: str, limit_s: float) -> None:
        """Shut down as pg_ctl does. Errors: StorageUnavailable when it takes longer; the server then goes on ending."""
        await self._met()
        self.resume()
        self._signal(self.pid, STOPS[mode])
        if not await until(lambda: self.ended, self._clock, limit_s):
            raise StorageUnavailable(
                f"the PostgreSQL server in {self._folder} is still there {limit_s:g} s after it was asked for a {mode} "
                f"shutdown:\n{self.last_words()}"
            )

    async def kill(self) -> None:
        """End all its processes at once, without a word to them; return when none is left."""
        family = await self._hold()
        for pid in (*family, self.pid):
            self._signal(pid, signal.SIGKILL)
        if not await until(lambda: self.ended and not any(map(runs, family)), self._clock, _SIGNAL_LIMIT_S):
            raise StorageUnavailable(f"the PostgreSQL server in {self._folder} does not end, though it was killed")

    async def pause(self) -> None:
        """Hold the server and all its processes where they are; return when none moves."""
        self._paused = True
        family = await self._hold()
        for pid in family:
            self._signal(pid, signal.SIGSTOP)
        await until(lambda: not any(map(_moves, family)), self._clock, _SIGNAL_LIMIT_S)

    def resume(self) -> None:
        """Let a held server go on."""
        if self._paused:
            self._paused = False
            for pid in (*self._children(), self.pid):
                self._signal(pid, signal.SIGCONT)

    def last_words(self) -> str:
        """Give the last lines that this run has logged."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return tail(log.read().decode(errors="replace"))

    async def _hold(self) -> list[int]:
        """Stop the parent, so that it has no more children than those given."""
        await self._met()
        self._signal(self.pid, signal.SIGSTOP)
        await until(lambda: self.ended or not _moves(self.pid), self._clock, _SIGNAL_LIMIT_S)
        return self._children()

    def _children(self) -> list[int]:
        """Give the server's children, also those that have lost it."""
        return [] if self.ended else [pid for pid in descendants(self._guard.pid) if pid != self.pid]

    async def _met(self) -> None:
        await until(lambda: self.ended or self._knows_pid(), self._clock, _SIGNAL_LIMIT_S)

    def _signal(self, pid: int, number: signal.Signals) -> None:
        """Signal one of our processes; once the server has ended its id may be another's."""
        if pid > 0 and not self.ended:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _is_ready_or_ended(self) -> bool:
        return self._is_ready() or self.ended

    def _is_ready(self) -> bool:
        if not self._knows_pid():
            return False
        lines = pid_file_lines(self._folder)
        return len(lines) > _STATUS_LINE and lines[_PID_LINE] == str(self.pid) and lines[_STATUS_LINE] == "ready"

    def _knows_pid(self) -> bool:
        assert self._guard.stdout is not None
        if not self.pid and not self._guard.stdout.closed:
            told: bytes | None = self._guard.stdout.readline()
            self.pid = int(told) if told else 0
        return self.pid > 0


def _moves(pid: int) -> bool:
    return runs(pid) and not is_stopped(pid)


def pid_file_lines(folder: Path) -> list[str]:
    """Give the lines of postmaster.pid, none where there is no such file."""
    try:
        return [line.strip() for line in (folder / "data" / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return []


def shared_memory_id(folder: Path) -> str:
    """Give the id of the System V segment that a killed server has left behind, "" when there is none."""
    lines = pid_file_lines(folder)
    words = lines[_SHARED_MEMORY_LINE].split() if len(lines) > _SHARED_MEMORY_LINE else []
    return words[1] if len(words) == 2 else ""
