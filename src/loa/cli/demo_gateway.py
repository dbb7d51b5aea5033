"""The gateway of a demo, as its supervisor starts it: `python -m loa.cli.demo_gateway N`, settings on standard input.

N is the number of the socket that leads to the world outside.
"""

import asyncio
import os
import signal
import socket
import sys

from loa.app.control import open_control
from loa.app.demo_door import Door
from loa.app.gateway import Gateway
from loa.app.workers import READY, read
from loa.cli import process
from loa.cli.command import tell
from loa.cli.failures import exit_for
from loa.cli.terminal import Terminal
from loa.errors import LoaError
from loa.settings.tree import Settings

ORPHANED = 1


def _parent_is_gone() -> None:
    """End at once, so that the next demo in this folder finds its ledger free; what was accepted is on disk."""
    os._exit(ORPHANED)


async def _work(settings: Settings, bound: socket.socket, door: Door) -> int:
    gateway = Gateway(settings, main=bound, world=door)
    loop = asyncio.get_running_loop()
    for each in process.STOPPING:
        loop.add_signal_handler(each, gateway.ask_to_stop)
    loop.add_reader(sys.stdin.fileno(), _parent_is_gone)
    await gateway.start()
    try:
        await open_control(gateway)
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        return await gateway.wait()
    finally:
        await gateway.stop()
        await door.close()


def main() -> int:
    """Serve until told to stop, or until the supervisor is gone; give the exit code."""
    for each in process.STOPPING:
        signal.signal(each, lambda number, _: os._exit(128 + number))
    told = sys.stdin.buffer.readline()
    if not told:
        return ORPHANED
    try:
        loaded, number = read(told)
        settings = loaded.settings
        process.start_log(settings, Terminal())
        end = socket.socket(fileno=int(sys.argv[1]))
        end.setblocking(False)
        return process.run(_work(settings, socket.socket(fileno=number), Door(end)))
    except LoaError as error:
        tell(error, as_json=False)
        return int(exit_for(error))


if __name__ == "__main__":
    sys.exit(main())
