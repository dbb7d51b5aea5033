"""Builds and drives the three C programs: the load driver, the SMSC and the callback receiver.

They are C because they share the machine with the program they measure: in Python they would be the thing measured.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

BENCH = Path(__file__).resolve().parent
BINARIES = BENCH / "bin"
SOURCES = BENCH / "c"
PROGRAMS = ("load", "smsc", "receiver")

Json = dict[str, Any]


class BenchError(Exception):
    """Something stopped the benchmark; the message says what and how to go on."""


def build() -> None:
    """Compile what is missing or older than its sources."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise BenchError("no C compiler found; install one with: sudo apt-get install -y gcc libc6-dev")
    BINARIES.mkdir(exist_ok=True)
    newest = max(source.stat().st_mtime for source in SOURCES.iterdir())
    for program in PROGRAMS:
        binary = BINARIES / program
        if binary.exists() and binary.stat().st_mtime > newest:
            continue
        command = [compiler, "-O2", "-std=gnu11", "-Wall", "-Wextra", "-o", str(binary)]
        command += [str(SOURCES / f"{program}.c"), str(SOURCES / "wire.c")]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        if built.returncode:
            raise BenchError(f"{' '.join(command)} failed:\n{built.stderr}")


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def options(values: Json) -> list[str]:
    """`{"first_number": 5}` as `["--first-number", "5"]`."""
    words: list[str] = []
    for name, value in values.items():
        words += [f"--{name.replace('_', '-')}", str(int(value) if isinstance(value, bool) else value)]
    return words


class Tool:
    """A running SMSC or receiver: it listens on `port` and answers questions on its control port."""

    def __init__(self, program: str, **values: Any) -> None:
        command = [str(BINARIES / program), *options(values)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise BenchError(f"{program} did not start")
        ports = json.loads(line)
        self.port: int = ports["port"]
        self._control: int = ports["control"]

    def _question(self, command: str) -> str:
        with socket.create_connection(("127.0.0.1", self._control), timeout=30) as link:
            link.sendall(command.encode() + b"\n")
            with link.makefile() as answer:
                return answer.read()

    def ask(self, command: str = "stats") -> Json:
        """`stats`, `reset` to begin counting anew, or (SMSC only) `open` to let links in."""
        found: Json = json.loads(self._question(command))
        return found

    def arrivals(self) -> dict[int, int]:
        """When each watched number arrived, by the monotonic clock in nanoseconds (SMSC only)."""
        pairs = (line.split() for line in self._question("watch").splitlines())
        return {int(number): int(at) for number, at in pairs}

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_load(**values: Any) -> subprocess.Popen[str]:
    """Start the load driver; SIGTERM makes it finish what is in flight and report."""
    command = [str(BINARIES / "load"), *options(values)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def finish_load(process: subprocess.Popen[str], patience: float = 900) -> Json:
    """Wait for a load driver and read its report."""
    try:
        printed, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.terminate()
        printed, _ = process.communicate(timeout=30)
    if not printed.strip():
        raise BenchError(f"the load driver printed nothing (exit code {process.returncode})")
    report: Json = json.loads(printed)
    return report


def run_load(**values: Any) -> Json:
    """Run the load driver to its end."""
    return finish_load(start_load(**values))


def read_log(path: Path) -> list[tuple[int, int, int, int]]:
    """The rows that `--log` wrote: number, due, answered (both monotonic nanoseconds), HTTP status."""
    rows = (line.split() for line in path.read_text().splitlines())
    return [(int(number), int(due), int(answered), int(status)) for number, due, answered, status in rows]
