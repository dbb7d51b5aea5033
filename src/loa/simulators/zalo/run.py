"""Running the Zalo platform as a program."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from loa.simulators.control import ControlPort
from loa.simulators.zalo.control import COMMANDS
from loa.simulators.zalo.script import ZaloScript
from loa.simulators.zalo.server import ZaloSimulator
from loa.simulators.zalo.watch import Watcher
from loa.simulators.zalo.world import PLAIN_OA, Oa


def _unannounced(simulator: ZaloSimulator, control_port: int | None) -> None:
    """Announce nothing."""


@dataclass(frozen=True, slots=True)
class ZaloOptions:
    """How to run it. `control_port`: None for no control port, 0 for any free one."""

    host: str = "127.0.0.1"
    port: int = 8098
    control_port: int | None = None
    script: ZaloScript = field(default_factory=ZaloScript)
    oas: tuple[Oa, ...] = (PLAIN_OA,)
    journal: Path | None = None
    on_event: Watcher | None = None
    on_ready: Callable[[ZaloSimulator, int | None], None] = _unannounced


async def run_zalo(options: ZaloOptions) -> None:
    """Run until cancelled. Errors: OSError when an address or the journal cannot be had."""
    simulator = ZaloSimulator(
        options.host,
        options.port,
        script=options.script,
        oas=options.oas,
        journal=options.journal,
        on_event=options.on_event,
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
