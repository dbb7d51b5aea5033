"""The way from a demo's gateway to the world outside, which lives in the process of its supervisor.

A pair of sockets that only these two processes hold: nothing else can reach it, and a gateway that was started by
`loa serve` has none.

Shapes: one JSON object a line, {"id", "verb", "args"} -> {"id", "result"} or {"id", "error", "code", "detail"}.
"""

import asyncio
import json
import socket
from collections.abc import Mapping
from dataclasses import asdict
from itertools import count
from typing import Any, Final

from pydantic import TypeAdapter

from loa.app.control_wire import failure, raised
from loa.app.demo_knobs import KNOBS
from loa.app.demo_world import DemoWorld
from loa.console.world import Sight
from loa.errors import LoaError, StorageUnavailable
from loa.observe.log import get_logger

LONGEST: Final = 4 * 1024 * 1024
GONE: Final = "the supervisor of the demo is gone"
_SIGHT: Final = TypeAdapter(Sight)

log = get_logger("loa.app.demo")


async def serve_door(world: DemoWorld, end: socket.socket) -> None:
    """Answer a gateway until it is gone."""
    reader, writer = await asyncio.open_connection(sock=end, limit=LONGEST)
    try:
        while line := await reader.readline():
            asked = json.loads(line)
            writer.write(json.dumps({"id": asked["id"], **_answer(world, asked)}).encode() + b"\n")
            await writer.drain()
    except ConnectionError:
        log.info("the gateway broke off")
    finally:
        writer.close()


def _answer(world: DemoWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    verb, args = asked["verb"], asked["args"]
    try:
        if verb == "look":
            return {"result": asdict(world.look(**args))}
        if verb == "hold":
            world.hold(**args)
            return {"result": None}
        return {"result": world.do(verb, args)}
    except LoaError as error:
        return failure(error)


class Door:
    """The gateway's end of it: see loa.console.world.World. Whoever asks may give up waiting at any time."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = count(1)
        self._opening = asyncio.Lock()

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
        writer, number = await self._opened(), next(self._numbers)
        if self._reading is None or self._reading.done():
            raise StorageUnavailable(GONE)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            writer.write(json.dumps({"id": number, "verb": verb, "args": dict(args)}).encode() + b"\n")
            said = await answer
        finally:
            del self._waiting[number]
        if "result" in said:
            return said["result"]
        raise raised(said)

    async def _opened(self) -> asyncio.StreamWriter:
        async with self._opening:
            if self._writer is None:
                reader, self._writer = await asyncio.open_connection(sock=self._end, limit=LONGEST)
                self._reading = asyncio.create_task(self._read(reader))
        return self._writer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Hand each answer to whoever waits for it."""
        try:
            while line := await reader.readline():
                said = json.loads(line)
                waiting = self._waiting.get(said["id"])
                if waiting is not None and not waiting.done():
                    waiting.set_result(said)
        except ConnectionError:
            log.info("the supervisor broke off")
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(StorageUnavailable(GONE))

    async def close(self) -> None:
        """Close it."""
        if self._writer is not None and self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
            self._writer.close()
        else:
            self._end.close()
