"""The supervisor of a demo: the gateway is started again whenever it ends, on the same socket, and never outlives it."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvloop

from loa.app import demo_keeper
from loa.app.demo_keeper import Keeper, NeverServed
from loa.app.servers import bind
from loa.observe.clock import SystemClock
from loa.settings.tree import Settings

GATEWAY = """
import json, os, select, signal, socket, sys
given = json.loads(sys.stdin.readline() or sys.exit(1))
if BROKEN:
    sys.exit(3)
name = os.path.join(given["settings"]["data_dir"], str(os.getpid()))
door = socket.socket(fileno=int(sys.argv[1]))
bound = socket.socket(fileno=given["socket"])
signal.signal(signal.SIGTERM, signal.SIG_IGN if STUBBORN else lambda *_: os._exit(0))
open(name, "w").close()
print("ready", flush=True)
door.sendall(b"hello")
while True:
    # As an event loop does: one that is killed while it waits here has taken nobody away.
    select.select([bound], [], [])
    asked, _ = bound.accept()
    asked.sendall(str(os.getpid()).encode())
    asked.close()
"""
"""Speaks as the gateway does: says hello at its door, and tells who connects its process id."""


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


class WatchedClock(SystemClock):
    """Notes the pauses and does not wait for them."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await super().sleep(0)


@dataclass
class Kept:
    """A running supervisor. `served`: how often a gateway was ready; `heard`: what came through doors."""

    keeper: Keeper
    port: int
    clock: WatchedClock
    heard: asyncio.Queue[bytes]
    served: asyncio.Queue[int] = field(default_factory=asyncio.Queue)

    async def connect(self) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        said = await reader.read()
        writer.close()
        return int(said)


@asynccontextmanager
async def kept(directory: Path, *, broken: bool = False, stubborn: bool = False) -> AsyncIterator[Kept]:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    served: asyncio.Queue[int] = asyncio.Queue()
    clock = WatchedClock()

    async def door(end: socket.socket) -> None:
        heard.put_nowait(await asyncio.get_running_loop().sock_recv(end, 100))

    def back() -> None:
        assert keeper.pid is not None
        served.put_nowait(keeper.pid)

    command = (sys.executable, "-c", GATEWAY.replace("BROKEN", str(broken)).replace("STUBBORN", str(stubborn)))
    with bind("127.0.0.1", 0) as bound:
        settings = Settings(data_dir=directory, drain_s=0.1)
        keeper = Keeper(settings, bound, command, clock, door=door, back=back)
        async with asyncio.timeout(60):
            try:
                await keeper.start()
                yield Kept(keeper, bound.getsockname()[1], clock, heard, served)
            finally:
                await keeper.stop()


async def test_a_gateway_that_is_killed_is_back_on_the_same_port_and_who_waits_is_answered(tmp_path: Path) -> None:
    async with kept(tmp_path) as found:
        first = await found.served.get()
        assert await found.connect() == first
        os.kill(first, signal.SIGSTOP)
        asked = asyncio.create_task(found.connect())
        found.keeper.crash()
        second = await found.served.get()
        answered = await asked
        assert second != first
        assert answered == second
        assert found.clock.pauses == []
        assert [await found.heard.get(), await found.heard.get()] == [b"hello"] * 2
    assert found.keeper.pid is None


async def test_one_that_nobody_asked_to_end_and_that_ends_soon_waits_longer_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_keeper, "LONGEST_PAUSE_S", 0.5)
    async with kept(tmp_path) as found:
        for _ in range(4):
            os.kill(await found.served.get(), signal.SIGKILL)
        await found.served.get()
        assert found.clock.pauses == [0.2, 0.4, 0.5, 0.5]
        # After one that was asked for it comes back at once.
        found.keeper.crash()
        await found.served.get()
        assert len(found.clock.pauses) == 4


async def test_one_that_never_serves_is_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(NeverServed, match="ended with 3"):
        async with kept(tmp_path, broken=True):
            pass


async def test_one_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_keeper, "GRACE_S", 0.0)
    async with kept(tmp_path, stubborn=True) as found:
        pid = await found.served.get()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
