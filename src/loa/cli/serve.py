"""`loa serve`."""

from typing import Annotated

import typer

from loa.app.control import open_control
from loa.app.gateway import Gateway
from loa.cli import process
from loa.cli.command import command, group
from loa.cli.terminal import Terminal

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


@command(
    app,
    "serve",
    example="""
loa serve --data /var/lib/loa
loa serve --config /etc/loa.toml --port 8081 --set log.level=debug
loa serve --config /etc/loa.toml --roles dispatch,receipts,upkeep --port 8081
""",
)
def serve(terminal: Terminal, *, host: Host = None, port: Port = None, roles: Roles = None) -> int:
    """Run the gateway until it is told to stop.

    SIGTERM and Ctrl-C stop it in order: nothing new is taken, what is in flight comes to its end. A second one ends it
    at once; what was accepted is on disk either way. With --json one line {"url", "data", "control"} tells when it is
    ready. The exit code is 7 when the ledger failed: then the process must be started again.

    Roles are api, dispatch, callbacks, receipts and upkeep, and console, which starts nothing in this release. Fewer
    than all need PostgreSQL as the ledger; without api the port serves health and metrics only.
    """
    terminal.give("server.listen_host", host)
    terminal.give("server.listen_port", port)
    terminal.give("roles", roles)
    settings = terminal.settings
    process.start_log(settings, terminal)
    return process.run(_serve(terminal))


async def _serve(terminal: Terminal) -> int:
    gateway = Gateway(terminal.settings)
    process.on_signal(gateway.ask_to_stop)
    await gateway.start()
    try:
        control = await open_control(gateway)
        if terminal.as_json:
            terminal.line({"url": gateway.url, "data": str(terminal.settings.data_dir), "control": str(control)})
        return await gateway.wait()
    finally:
        await gateway.stop()
