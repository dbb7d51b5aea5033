"""The parent of one PostgreSQL server, a program of its own: `python -m loa.certify.guard FOLDER RUN-AS PROGRAM …`.

Starts the server, writes its process id to standard output and ends when the server ends; on Linux it also waits for
the backends of a server that was killed. When its standard input ends before, whoever asked for the server is gone,
however that came: then the server is shut down and its folder deleted.
RUN-AS is `UID:GID` of the server, or empty.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final

from loa.certify.processes import descendants

_ENDINGS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_CHILD_SUBREAPER: Final = 36


class Guard:
    """One server and its folder."""

    def __init__(self, folder: Path, run_as: str, command: list[str]) -> None:
        uid, _, gid = run_as.partition(":")
        self._folder = folder
        self._abandoned = False
        self._server = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            cwd=folder,
            user=int(uid) if run_as else None,
            group=int(gid) if run_as else None,
            extra_groups=[] if run_as else None,
        )

    def watch(self) -> int:
        """Return the server's exit code once it has ended."""
        for number in _ENDINGS:
            signal.signal(number, self._told_to_end)
        sys.stdout.write(f"{self._server.pid}\n")
        sys.stdout.flush()
        threading.Thread(target=self._end_with_owner, daemon=True).start()
        code = self._server.wait()
        with suppress(ChildProcessError):
            while True:
                os.wait()
        if self._abandoned:
            shutil.rmtree(self._folder, ignore_errors=True)
        return code

    def _end_with_owner(self) -> None:
        while os.read(0, 1024):  # sys.stdin would hold a lock that the interpreter needs when it ends
            pass
        self._end()

    def _told_to_end(self, _number: int, _frame: FrameType | None) -> None:
        self._end()

    def _end(self) -> None:
        self._abandoned = True
        for pid in descendants(self._server.pid):
            _wake(pid)
        self._server.send_signal(signal.SIGQUIT)
        self._server.send_signal(signal.SIGCONT)


def _wake(pid: int) -> None:
    with suppress(ProcessLookupError):  # it has ended meanwhile
        os.kill(pid, signal.SIGCONT)


def _adopt_orphans() -> None:
    """Become the parent of backends whose server was killed: the first process of a container may not collect them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


if __name__ == "__main__":
    _adopt_orphans()
    sys.exit(Guard(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]).watch())
