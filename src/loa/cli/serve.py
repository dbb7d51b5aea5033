"""`loa serve`."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Annotated, Any, Final

import typer

from loa.app.console import first_link
from loa.app.control import open_control
from loa.app.gateway import Gateway
from loa.app.systemd import READY, STOPPING, Systemd
from loa.app.workers import Workers, of_the_parent
from loa.cli import process
from loa.cli.command import command, group
from loa.cli.terminal import Terminal

WORKER: Final = (sys.executable, "-m", "loa.cli.worker")

app = group("Run the gateway.")

Host = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Address of the API; 127.0.0.1 without.", show_default=False)
]
Port = Annotated[
    int | None, typer.Option(metavar="N", help="Port of the API; 8080 without, 0 for a free one.", show_default=False)
]

Roles = Annotated[
    str | None,
    typer.Option(metavar="NAMES", help="What this process does, with commas between: all without.", show_default=False),
]

WorkerCount = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", help="Processes that serve the API; 1 without.", show_default=False),
]


@command(
    app,
    "serve",
    example="""
loa serve --data /var/lib/loa
loa serve --config /etc/loa.toml --port 8081 --set log.level=debug
loa serve --config /etc/loa.toml --workers 3
loa serve --config /etc/loa.toml --roles dispatch,receipts,upkeep --port 8081
""",
)
def serve(
    terminal: Terminal, *, host: Host = None, port: Port = None, roles: Roles = None, workers: WorkerCount = None
) -> int:
    """Run the gateway until it is told to stop.

    SIGTERM and Ctrl-C stop it in order: /readyz says 503, nothing new is taken, what is in flight comes to its end. A
    second one ends it at once; what was accepted is on disk either way. The exit code is 7 when the ledger failed: then
    the process must be started again.

    While there is no user of the console, it shows the link by which its owner is made, good once, for 15 minutes. With
    --json one line {"url", "data", "control", "console"} tells when it is ready; "console" is that link, or null.

    Roles are api, dispatch, callbacks, receipts, upkeep and console. Fewer than all, the console apart, need PostgreSQL
    as the ledger; without api the port serves health and metrics, and the console where that is a role. With --workers
    API and console are served by so many processes on one port, which this one starts, watches and ends; it has the
    other roles.
    """
    terminal.give("server.listen_host", host)
    terminal.give("server.listen_port", port)
    terminal.give("roles", roles)
    terminal.give("server.workers", workers)
    settings = terminal.settings
    process.start_log(settings, terminal)
    return process.run(_serve(terminal))


async def _serve(terminal: Terminal) -> int:
    settings, systemd = terminal.settings, Systemd(os.environ, os.getpid())
    many = settings.server.workers > 1
    gateway = Gateway(of_the_parent(settings) if many else settings, origins=terminal.loaded.origins)
    process.on_signal(gateway.ask_to_stop)
    alive = asyncio.create_task(systemd.watch(gateway.clock))
    workers: Workers | None = None
    await gateway.start()
    try:
        if many:
            workers = Workers(terminal.loaded, gateway.mains, WORKER, gateway.clock)
            await _either(workers.start(), gateway.wait())
        control = await open_control(gateway)
        link = await first_link(gateway.ledger, gateway.clock, settings, gateway.url)
        if terminal.as_json:
            ready = {"url": gateway.url, "data": str(settings.data_dir), "control": str(control), "console": link}
            terminal.line(ready)
        elif link is not None:
            terminal.note(f"Make the owner of the console with this link, good once, for 15 minutes:\n{link}")
        systemd.say(READY)
        return await gateway.wait()
    finally:
        systemd.say(STOPPING)
        await asyncio.gather(gateway.stop(), *([workers.stop()] if workers is not None else []))
        alive.cancel()
        await asyncio.gather(alive, return_exceptions=True)


async def _either(*works: Coroutine[Any, Any, Any]) -> None:
    """Wait until one of several is done, and drop the others."""
    tasks = [asyncio.create_task(work) for work in works]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
