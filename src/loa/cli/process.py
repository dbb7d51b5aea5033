"""What the commands share that go on until they are stopped: event loop, signals, log."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any, Final

import uvloop

from loa.cli.terminal import Terminal
from loa.observe.log import configure
from loa.settings.tree import Settings

STOPPING: Final = (signal.SIGTERM, signal.SIGINT)


def run(main: Coroutine[Any, Any, int]) -> int:
    """Run a program on a fast event loop; give its exit code."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def on_signal(stop: Callable[[], object]) -> None:
    """Have the first SIGTERM or SIGINT begin an orderly stop and the second end the process at once."""
    loop = asyncio.get_running_loop()

    asked = False

    def take(number: signal.Signals) -> None:
        nonlocal asked
        if asked:
            os._exit(128 + number)
        asked = True
        stop()

    for each in STOPPING:
        loop.add_signal_handler(each, take, each)


def start_log(settings: Settings, terminal: Terminal) -> None:
    """Set up the log on standard error as the settings say."""
    own = settings.log
    as_json = own.format == "json" or (own.format == "auto" and not terminal.err.is_terminal)
    configure(json=as_json, level=own.level)
