"""A child process that is told line by line what to do, in JSON, and answers each line with one of its own."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from tests.support.process import ROOT, environment

PATIENCE_S = 30.0


class Told:
    """One such process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.first: Any = None

    @classmethod
    async def start(cls, module: str, *args: object) -> "Told":
        """Start a module and wait for the first thing it says."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *map(str, args)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env=environment({"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}),
        )
        told = cls(process)
        told.first = await told.hear()
        return told

    def tell(self, *order: object) -> None:
        """Tell it something without waiting for what it says."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")

    async def hear(self) -> Any:
        """Wait for the next thing it says; None when it has ended."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = await self._process.stdout.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    async def ask(self, *order: object) -> Any:
        """Tell it something and wait for what it says."""
        self.tell(*order)
        return await self.hear()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def kill(self) -> None:
        """End it the hard way, also while it is stopped; said things that were not heard are gone."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()


def module_of(path: Path) -> str:
    """Give the name under which a file of the tests is run."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)
