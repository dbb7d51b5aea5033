"""What a scenario asks of a gateway under test; one module each implements it for Loa and for Kannel."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Protocol

from tools import BenchError
from zalo import Platform


@dataclass(frozen=True, slots=True)
class Setup:
    """One run: where to keep files, which SMSC to use, where callbacks go, and what is switched on."""

    directory: Path
    smsc_port: int
    receiver_port: int
    receipts: bool
    any_hour: bool = False  # True: advertising is sent at any time of day
    zalo: Platform | None = None  # messages go there first


class Gateway(Protocol):
    """A gateway that can be started fresh in a directory and stopped."""

    name: str
    engine: str
    """The ledger's: sqlite or postgres; empty where it has none."""

    def start(self, setup: Setup) -> None: ...
    def stop(self) -> None: ...
    def pids(self) -> list[int]: ...
    def database_pids(self) -> list[int]: ...
    def load_options(self, destinations: int) -> dict[str, Any]: ...


def wait_until(condition: Callable[[], bool], what: str, patience: float = 30.0) -> None:
    """Poll until `condition` holds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(0.05)


def listens(port: int) -> bool:
    """Whether something accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(port: int) -> bool:
    """Whether an HTTP server on this loopback port says that it is ready; one that only listens does not."""
    link = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        link.request("GET", "/readyz")
        return link.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        link.close()


def start_process(command: list[str], log: Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a program in its own session with its output in `log`."""
    with log.open("ab") as out:
        return subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, start_new_session=True
        )


def stop_process(process: subprocess.Popen[bytes], patience: float = 20.0) -> None:
    """SIGTERM, then SIGKILL for one that does not go."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
