"""The API on a real socket: uvicorn and the ledger on a thread and a loop of their own."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from loa.app.servers import make_listener
from tests.support.native_api import House, open_house

T = TypeVar("T")


@dataclass
class Served:
    """A running API."""

    url: str
    house: House
    loop: asyncio.AbstractEventLoop

    def do(self, work: Callable[[House], Awaitable[T]]) -> T:
        """Have something done on the house's own loop."""

        async def run() -> T:
            return await work(self.house)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(30)


@contextmanager
def serve(directory: Path) -> Iterator[Served]:
    """Run the API until the block ends."""
    ready: threading.Event = threading.Event()
    running: list[Served] = []
    failed: list[BaseException] = []
    stop = asyncio.Event()

    async def life() -> None:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            bound.listen()
            house = await open_house(directory / "loa.db")
            listener = make_listener(house.app, keep_alive_s=5)
            serving = asyncio.create_task(listener.serve(sockets=[bound]))
            url = f"http://127.0.0.1:{bound.getsockname()[1]}"
            running.append(Served(url, house, asyncio.get_running_loop()))
            ready.set()
            await stop.wait()
            listener.should_exit = True
            await serving
            await house.ledger.close()

    def run() -> None:
        try:
            asyncio.run(life())
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="served")
    thread.start()
    ready.wait(30)
    if failed:
        raise failed[0]
    try:
        yield running[0]
    finally:
        running[0].loop.call_soon_threadsafe(stop.set)
        thread.join(30)
