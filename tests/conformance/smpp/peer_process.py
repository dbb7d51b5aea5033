"""Foreign programs as child processes whose output a test can wait on."""

import asyncio
import json
import os
import signal


class PeerProcess:
    """Runs one program; every line it writes is kept, and a test waits for lines, never for time."""

    def __init__(self, process):
        self._process = process
        self.lines = []

    @classmethod
    async def start(cls, *command, cwd=None):
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=1024 * 1024,
        )
        return cls(process)

    async def line(self):
        """Give the next line; fail with everything it said when it has ended."""
        raw = await self._process.stdout.readline()
        if not raw:
            raise AssertionError("the program ended:\n" + "\n".join(self.lines[-40:]))
        self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
        return self.lines[-1]

    async def line_with(self, *words):
        while True:
            line = await self.line()
            if any(word in line for word in words):
                return line

    async def json_with(self, key):
        """Give the next line that is a JSON object with this member."""
        while True:
            line = await self.line()
            if line.startswith("{") and key in (found := json.loads(line)):
                return found

    def drain(self):
        """Keep reading what it writes, so that it never blocks; give the task."""

        async def read_on():
            while raw := await self._process.stdout.readline():
                self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))

        return asyncio.create_task(read_on())

    async def stop(self):
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self._process._transport.close()
