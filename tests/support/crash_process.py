"""A gateway in a process of its own, which tests kill and start again on the same data."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

SHORT_WAITS = {
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
    "SERVER__LISTEN_PORT": "0",
}


class GatewayProcess:
    """One incarnation."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log
        self.url = ""

    @classmethod
    async def start(
        cls, data: Path, given: Mapping[str, Any], *, probe: str = "", settings: Mapping[str, str] | None = None
    ) -> "GatewayProcess":
        """Start a gateway; the ready line is not awaited."""
        chosen = {**SHORT_WAITS, "DATA_DIR": str(data), "PROBE": probe, **(settings or {})}
        env = {name: value for name, value in os.environ.items() if not name.startswith("LOA_")}
        env |= {f"LOA_{name}": value for name, value in chosen.items()}
        env["PYTHONPATH"] = f"{ROOT / 'src'}{os.pathsep}{ROOT}"
        log = data / "gateway.log"
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.crash.gateway_process",
                json.dumps(dict(given)),
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=env,
                cwd=ROOT,
            )
        return cls(process, log)

    async def ready(self) -> str:
        """Wait until it serves; give its URL."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, f"the gateway ended with {await self._process.wait()}:\n{self.last_words()}"
        self.url = json.loads(line)["url"]
        return self.url

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
        self._process.send_signal(signal.SIGTERM)
        return await self._process.wait()

    def last_words(self) -> str:
        """The end of its log, for the text of a failure."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4_000:]
