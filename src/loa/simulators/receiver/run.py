"""Running the callback receiver as a program."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from loa.simulators.receiver.script import ReceiverScript
from loa.simulators.receiver.server import CallbackReceiver, Delivery


def _unannounced(receiver: CallbackReceiver) -> None:
    """Announce nothing."""


@dataclass(frozen=True, slots=True)
class ReceiverOptions:
    """How to run it. `scripts`: by path, for paths that differ from `script`."""

    host: str = "127.0.0.1"
    port: int = 8099
    script: ReceiverScript = field(default_factory=ReceiverScript)
    scripts: tuple[tuple[str, ReceiverScript], ...] = ()
    secret: str = ""
    journal: Path | None = None
    on_event: Callable[[Delivery], None] | None = None
    on_ready: Callable[[CallbackReceiver], None] = _unannounced


async def run_receiver(options: ReceiverOptions) -> None:
    """Run until cancelled. Errors: OSError when the address or the journal cannot be had."""
    receiver = CallbackReceiver(
        options.host,
        options.port,
        script=options.script,
        journal=options.journal,
        secret=options.secret,
        on_event=options.on_event,
    )
    for path, script in options.scripts:
        receiver.change(script, path)
    try:
        await receiver.start()
        options.on_ready(receiver)
        await asyncio.Event().wait()
    finally:
        await receiver.stop()
