"""One API worker, as `loa serve --workers N` starts it: `python -m loa.cli.worker`, its settings on standard input."""

import asyncio
import os
import signal
import socket
import sys

from loa.app.gateway import Gateway
from loa.app.workers import READY, read
from loa.cli import process
from loa.cli.command import tell
from loa.cli.failures import exit_for
from loa.cli.terminal import Terminal
from loa.errors import LoaError
from loa.settings.load import Loaded


async def _work(loaded: Loaded, bound: socket.socket) -> int:
    gateway = Gateway(loaded.settings, main=bound, origins=loaded.origins)
    loop = asyncio.get_running_loop()
    # A service manager or a terminal may signal parent and workers alike, so a second signal is no more than the first.
    for each in process.STOPPING:
        loop.add_signal_handler(each, gateway.ask_to_stop)
    loop.add_reader(sys.stdin.fileno(), gateway.ask_to_stop)
    await gateway.start()
    try:
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        return await gateway.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
        await gateway.stop()


def main() -> int:
    """Serve until told to stop, or until the parent is gone; give the exit code."""
    for each in process.STOPPING:
        signal.signal(each, lambda number, _: os._exit(128 + number))
    try:
        loaded, number = read(sys.stdin.buffer.readline())
        process.start_log(loaded.settings, Terminal())
        return process.run(_work(loaded, socket.socket(fileno=number)))
    except LoaError as error:
        tell(error, as_json=False)
        return int(exit_for(error))


if __name__ == "__main__":
    sys.exit(main())
