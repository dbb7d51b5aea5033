"""The way from a demo's gateway to the world outside, which lives in the process of its supervisor.

A pair of sockets that only these two processes hold: nothing else can reach it, and a gateway that was started by
`loa serve` has none.

Shapes: one JSON object a line, {"verb", "args"} -> {"result"} or {"error", "code", "detail"}.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from pydantic import TypeAdapter

from loa.app.control_wire import failure, raised
from loa.app.demo_knobs import KNOBS
from loa.app.demo_world import DemoWorld
from loa.console.world import Sight
from loa.errors import LoaError, StorageUnavailable

LONGEST: Final = 4 * 1024 * 1024
_SIGHT: Final = TypeAdapter(Sight)


async def serve_door(world: DemoWorld, end: socket.socket) -> None:
    """Answer a gateway until it is gone."""
    reader, writer = await asyncio.open_connection(sock=end, limit=LONGEST)
    with contextlib.suppress(ConnectionError):
        while line := await reader.readline():
            writer.write(json.dumps(await _answer(world, json.loads(line))).encode() + b"\n")
            await writer.drain()
    writer.close()


async def _answer(world: DemoWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    verb, args = asked["verb"], asked["args"]
    try:
        if verb == "look":
            return {"result": asdict(world.look(**args))}
        if verb == "hold":
            world.hold(**args)
            return {"result": None}
        return {"result": await world.do(verb, args)}
    except LoaError as error:
        return failure(error)


class Door:
    """The gateway's end of it: see loa.console.world.World. One question at a time."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    @property
    def knobs(self) -> tuple[str, ...]:
        """See loa.console.world.World."""
        return tuple(KNOBS)

    async def look(self, handset: int = 0) -> Sight:
        """See loa.console.world.World."""
        return _SIGHT.validate_python(await self._ask("look", {"handset": handset}))

    async def hold(self, run: str) -> None:
        """See loa.console.world.World."""
        await self._ask("hold", {"run": run})

    async def do(self, verb: str, **args: Any) -> Any:
        """See loa.console.world.World."""
        return await self._ask(verb, args)

    async def _ask(self, verb: str, args: Mapping[str, Any]) -> Any:
        async with self._turn:
            if self._streams is None:
                self._streams = await asyncio.open_connection(sock=self._end, limit=LONGEST)
            reader, writer = self._streams
            writer.write(json.dumps({"verb": verb, "args": dict(args)}).encode() + b"\n")
            line = await reader.readline()
        if not line:
            raise StorageUnavailable("the supervisor of the demo is gone")
        said = json.loads(line)
        if "result" in said:
            return said["result"]
        raise raised(said)
