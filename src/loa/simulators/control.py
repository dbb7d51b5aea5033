"""The control port: one JSON object a line in, one a line out, to script a running simulator from a shell.

Shapes: {"do":"…",…} -> {"ok":true,…} or {"ok":false,"error":"…"}; a wrong one changes nothing.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

from loa.errors import ConfigError

LONGEST_LINE: Final = 1024 * 1024

Controlled = TypeVar("Controlled")
Command = Callable[[Controlled, dict[str, Any]], dict[str, Any]]
"""Carries out one command. Errors: ConfigError."""


class ControlPort(Generic[Controlled]):
    """Listens for commands for one simulator; meant for the local machine only."""

    def __init__(
        self,
        simulator: Controlled,
        commands: Mapping[str, Command[Controlled]],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._simulator = simulator
        self._commands = commands
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
                writer.write(json.dumps(self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ValueError, ConnectionError):
            writer.write(b'{"ok": false, "error": "the line is too long"}\n')
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            command = json.loads(line)
            carry_out = self._commands[command["do"]]
        except (ValueError, TypeError, LookupError):
            names = ", ".join(self._commands)
            return {"ok": False, "error": f'a line holds one JSON object with "do": one of {names}'}
        try:
            return {"ok": True, **carry_out(self._simulator, command)}
        except ConfigError as wrong:
            return {"ok": False, "error": str(wrong)}


def fields_of(command: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Give a member that must be an object. Errors: ConfigError."""
    found = command.get(name)
    if not isinstance(found, dict):
        raise ConfigError(f'"{name}" must be an object')
    return found
