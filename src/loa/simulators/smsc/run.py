"""Running the SMSC simulator as a program."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from loa.simulators.control import ControlPort
from loa.simulators.smsc.control import COMMANDS
from loa.simulators.smsc.events import SmscEvent, Watcher
from loa.simulators.smsc.script import Script
from loa.simulators.smsc.server import SmscSimulator


def _unwatched(event: SmscEvent) -> None:
    """Watch nothing."""


def _unannounced(simulator: SmscSimulator, control_port: int | None) -> None:
    """Announce nothing."""


@dataclass(frozen=True, slots=True)
class SmscOptions:
    """How to run it. `control_port`: None for no control port, 0 for any free one."""

    host: str = "127.0.0.1"
    port: int = 2775
    control_port: int | None = None
    script: Script = field(default_factory=Script)
    journal: Path | None = None
    on_event: Watcher = _unwatched
    on_ready: Callable[[SmscSimulator, int | None], None] = _unannounced


async def run_smsc(options: SmscOptions) -> None:
    """Run until cancelled. Errors: OSError when an address or the journal cannot be had."""
    simulator = SmscSimulator(
        options.host, options.port, script=options.script, journal=options.journal, on_event=options.on_event
    )
    await simulator.start()
    wanted = options.control_port
    control = None if wanted is None else ControlPort(simulator, COMMANDS, port=wanted)
    try:
        if control is not None:
            await control.start()
        options.on_ready(simulator, None if control is None else control.port)
        await asyncio.Event().wait()
    finally:
        if control is not None:
            await control.stop()
        await simulator.stop()
