"""The control port: one JSON object a line in, one a line out, to script a running SMSC from a shell.

Shapes: {"do":"status"} · {"do":"script","set":{…},"recount":true} · {"do":"reset"} · {"do":"close"} · {"do":"unbind"}
-> {"ok":true,…} or {"ok":false,"error":"…"}.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from loa.errors import ConfigError
from loa.simulators.smsc.script import script_from, script_values
from loa.simulators.smsc.server import SmscSimulator

LONGEST_LINE: Final = 1024 * 1024


class ControlPort:
    """Listens for commands for one simulator; meant for the local machine only."""

    def __init__(self, simulator: SmscSimulator, host: str = "127.0.0.1", port: int = 0) -> None:
        self._simulator = simulator
        self._host = host
        self._wanted_port = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = port

    async def start(self) -> None:
        """Listen; `port` then tells where."""
        self._server = await asyncio.start_server(self._serve, self._host, self._wanted_port, limit=LONGEST_LINE)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and close what is open."""
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._writers):
                writer.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(answer(self._simulator, line)).encode() + b"\n")
                await writer.drain()
        except (ValueError, ConnectionError):
            writer.write(b'{"ok": false, "error": "the line is too long"}\n')
        finally:
            self._writers.discard(writer)
            writer.close()


def answer(simulator: SmscSimulator, line: bytes) -> dict[str, Any]:
    """Carry out one command and say what came of it; a wrong one changes nothing."""
    try:
        command = json.loads(line)
        carry_out = _COMMANDS[command["do"]]
    except (ValueError, TypeError, LookupError):
        names = ", ".join(_COMMANDS)
        return {"ok": False, "error": f'a line holds one JSON object with "do": one of {names}'}
    try:
        return {"ok": True, **carry_out(simulator, command)}
    except ConfigError as wrong:
        return {"ok": False, "error": str(wrong)}


def _status(simulator: SmscSimulator, _: dict[str, Any]) -> dict[str, Any]:
    return {"port": simulator.port, "counts": asdict(simulator.counts)}


def _script(simulator: SmscSimulator, command: dict[str, Any]) -> dict[str, Any]:
    if "set" in command:
        if not isinstance(command["set"], dict):
            raise ConfigError('"set" must be an object of script fields')
        changed = script_from(command["set"], simulator.script)
        simulator.change(changed, recount=bool(command.get("recount")))
    return {"script": script_values(simulator.script)}


_COMMANDS: Final[dict[str, Callable[[SmscSimulator, dict[str, Any]], dict[str, Any]]]] = {
    "status": _status,
    "script": _script,
    "reset": lambda simulator, _: {"links": simulator.reset_all()},
    "close": lambda simulator, _: {"links": simulator.close_all()},
    "unbind": lambda simulator, _: {"links": simulator.unbind_all()},
}
