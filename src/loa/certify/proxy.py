"""A TCP proxy that breaks connections on demand. Knows octets, not protocols."""

import asyncio
import socket
import struct
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, assert_never

from loa.observe.clock import SystemClock
from loa.ports.clock import Clock
from loa.simulators.waits import Waits

_CHUNK: Final = 64 * 1024
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class Mode(Enum):
    """What happens to connections, those that are open and those to come.

    A black hole forwards nothing and tells nobody, not even of an end: all of it arrives once it may pass again.
    """

    PASS = auto()
    BLACKHOLE = auto()
    BLACKHOLE_TO_TARGET = auto()
    BLACKHOLE_TO_CLIENT = auto()
    REFUSE = auto()
    """Open ones go on; new ones are closed at once."""
    RESET = auto()
    """Open ones and new ones are reset (RST)."""


class FaultProxy:
    """Forwards connections to one target. `delay_s`: each piece that is read waits so long; `slices`: octet by octet.

    `accepted` counts the connections that came, `connections` those that are open.
    """

    def __init__(
        self, target_host: str, target_port: int, *, host: str = "127.0.0.1", clock: Clock | None = None
    ) -> None:
        self._target = (target_host, target_port)
        self._host = host
        self._clock = clock or SystemClock()
        self._server: asyncio.Server | None = None
        self._links: dict[asyncio.Task[None], _Link] = {}
        self._to_target, self._to_client = asyncio.Event(), asyncio.Event()
        self._waits = Waits(self)
        self._mode = Mode.PASS
        self.behave(Mode.PASS)
        self.port = 0
        self.accepted = 0
        self.delay_s = 0.0
        self.slices = False

    async def start(self) -> None:
        """Listen; `port` then tells where, and stays the same when stopped and started again."""
        self._server = await asyncio.start_server(self._connected, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and reset what is open."""
        if self._server is not None:
            self._server.close()
            links = list(self._links)
            self.reset()
            await asyncio.gather(*links, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    @property
    def mode(self) -> Mode:
        """The mode in force."""
        return self._mode

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._links)

    def behave(self, mode: Mode) -> None:
        """Put a mode in force, at once and for all connections."""
        self._mode = mode
        _open_if(self._to_target, mode not in {Mode.BLACKHOLE, Mode.BLACKHOLE_TO_TARGET})
        _open_if(self._to_client, mode not in {Mode.BLACKHOLE, Mode.BLACKHOLE_TO_CLIENT})
        if mode is Mode.RESET:
            self.reset()

    def reset(self) -> None:
        """Reset every open connection now, on both sides; the mode stays."""
        for task, link in self._links.items():
            link.reset()
            task.cancel()

    async def until(self, condition: Callable[["FaultProxy"], bool]) -> None:
        """Wait until the counts satisfy a condition."""
        await self._waits.until(condition)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        match self._mode:
            case Mode.REFUSE:
                writer.close()
            case Mode.RESET:
                _reset(writer)
            case Mode.PASS | Mode.BLACKHOLE | Mode.BLACKHOLE_TO_TARGET | Mode.BLACKHOLE_TO_CLIENT:
                link = _Link(reader, writer)
                task = asyncio.get_running_loop().create_task(self._serve(link))
                self._links[task] = link
                task.add_done_callback(self._ended)
            case _ as never:
                assert_never(never)
        self._waits.changed()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._links.pop(task).reset()
        self._waits.changed()

    async def _serve(self, link: "_Link") -> None:
        await self._to_target.wait()
        try:
            reader, writer = await asyncio.open_connection(*self._target)
            link.writers.append(writer)
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump(link.reader, writer, self._to_target))
                pumps.create_task(self._pump(reader, link.writers[0], self._to_client))
            link.close()
        except* OSError:
            link.reset()  # as abruptly as one side went, the other is left

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, gate: asyncio.Event) -> None:
        """Forward one direction to its end."""
        while True:
            await gate.wait()
            data = await source.read(_CHUNK)
            if self.delay_s > 0:
                await self._clock.sleep(self.delay_s)
            await gate.wait()
            if not data:
                break
            await self._write(sink, data)
        if not sink.is_closing():
            sink.write_eof()

    async def _write(self, sink: asyncio.StreamWriter, data: bytes) -> None:
        width = 1 if self.slices else len(data)
        for start in range(0, len(data), width):
            sink.write(data[start : start + width])
            await sink.drain()
            if self.slices:
                await asyncio.sleep(0)


class _Link:
    """One connection from a client, and ours to the target once it is made."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writers = [writer]

    def close(self) -> None:
        """Close both sides once they are written out."""
        for writer in self.writers:
            writer.close()

    def reset(self) -> None:
        """Reset both sides, unless they are closing already."""
        for writer in self.writers:
            _reset(writer)


def _open_if(gate: asyncio.Event, wanted: bool) -> None:
    if wanted:
        gate.set()
    else:
        gate.clear()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket | None = writer.get_extra_info("socket")
    if not writer.is_closing() and sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        writer.transport.abort()
