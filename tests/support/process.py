"""The program itself, run as people run it: one command to its end, or one that goes on and is waited upon."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 40.0
SMALL = {"LOA_LEDGER__RESERVE_BYTES": "0", "LOA_LIMITS__DISK_FREE_MIN_BYTES": "0"}


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give an environment without settings of whoever runs the tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("LOA_")}
    return {**own, "PYTHONPATH": str(ROOT / "src"), "TERM": "dumb", **SMALL, **(extra or {})}


def loa(
    *args: object, cwd: Path, given: str = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "loa", *map(str, args)],
        input=given,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        cwd=cwd,
        env=environment(env),
        check=False,
    )


def loa_json(*args: object, cwd: Path, env: Mapping[str, str] | None = None) -> Any:
    """Run one command with --json and give what it says; it must end well."""
    ended = loa(*args, "--json", cwd=cwd, env=env)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


class Running:
    """A command that goes on. Leaving its context kills it, if it is still there."""

    def __init__(self, *args: object, cwd: Path, env: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "loa", *map(str, args)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
            env=environment(env),
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.seen: list[str] = []
        self.errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read_output, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _read_output(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self.errors.extend(self._process.stderr)

    def line(self, fits: Callable[[str], bool] = bool) -> str:
        """Wait for the next line of output that fits."""
        end = time.monotonic() + DEADLINE_S
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                line = None
            assert line is not None, f"no such line came:\n{self.said()}"
            self.seen.append(line)
            if fits(line):
                return line

    def json(self) -> Any:
        """Wait for the next line and read it as JSON."""
        return json.loads(self.line())

    def said(self) -> str:
        """Give all that was said so far, for messages."""
        return "\n".join((*self.seen, "--- errors:", *self.errors))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end; give the exit code as a shell would see it."""
        code = self._process.wait(timeout=DEADLINE_S)
        return code if code >= 0 else 128 - code

    def kill(self) -> None:
        """End it the hard way."""
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
