"""A Loa in a process of its own, which is killed and started again on the same data."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loa.certify.invariants import Violated, Violation

LOG: Final = "loa.log"
TAIL: Final = 2_000
"""Octets of the log that are shown when a process did not do as it should."""

SHORT_WAITS: Final[Mapping[str, str]] = {
    "OTP__EVIDENCE_WAIT_S": "1",
    "TRANSACTIONAL__EVIDENCE_WAIT_S": "1",
    "ADVERTISING__EVIDENCE_WAIT_S": "1",
    "ADVERTISING__HOURS_ENFORCED": "false",
    "ADVERTISING__LIFETIME_S": "3600",
    "CALLBACKS__ALLOW_HTTP": "true",
    "CALLBACKS__ALLOW_NETWORKS": "127.0.0.0/8",
    "CALLBACKS__PORTS": "",
    "CALLBACKS__CONCURRENCY": "32",
    "CALLBACKS__PER_ENDPOINT": "16",
    "DISPATCH__CLAIM_S": "20",
    "DRAIN_S": "5",
    "LEDGER__RESERVE_BYTES": "0",
    "LIMITS__DISK_FREE_MIN_BYTES": "0",
    "LOG__FORMAT": "json",
    "SERVER__LISTEN_PORT": "0",
}
"""Settings under test: any port, callbacks to this machine, and short waits so that everything comes to an end soon."""


@dataclass(frozen=True, slots=True)
class Program:
    """The command lines that run Loa; `plain` as people do, `faulty` on a disk whose faults a folder switches."""

    plain: tuple[str, ...] = (sys.executable, "-m", "loa")
    faulty: tuple[str, ...] = (sys.executable, "-m", "loa.cli.faulty_disk")


@dataclass(frozen=True, slots=True)
class Ready:
    """What `loa serve --json` says when it serves. `control`: its control socket."""

    url: str
    control: Path


class LoaProcess:
    """One incarnation."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log

    @classmethod
    async def start(cls, command: Sequence[str], data: Path, settings: Mapping[str, str]) -> "LoaProcess":
        """Start `loa serve` on a folder; the ready line is not awaited."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("LOA_")}
        env |= {f"LOA_{name}": value for name, value in {**SHORT_WAITS, "DATA_DIR": str(data), **settings}.items()}
        log = data / LOG
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *command,
                "serve",
                "--json",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=env,
            )
        return cls(process, log)

    async def ready(self) -> Ready:
        """Wait until it serves. Errors: Violated when it ends instead."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            code = await self._process.wait()
            raise Violated(Violation("start", f"Loa ended with {code} instead of serving", self.last_words()))
        said = json.loads(line)
        return Ready(said["url"], Path(said["control"]))

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._process.returncode is not None

    async def ended(self) -> int:
        """Wait until it ends by itself or by a probe; give its exit code."""
        return await self._process.wait()

    async def kill(self) -> int:
        """End it at once."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
        return await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end, and wait until it has."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await self._process.wait()

    def last_words(self) -> tuple[str, ...]:
        """Give the end of its log, for the text of a failure."""
        return tuple(self.log.read_text(encoding="utf-8", errors="replace")[-TAIL:].splitlines())
