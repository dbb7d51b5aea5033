"""`loa callbacks`."""

from typing import Annotated

import typer

from loa.app.admin_reach import administer
from loa.cli.command import command, group
from loa.cli.options import DEFAULT_TENANT, TenantName
from loa.cli.terminal import Terminal
from loa.cli.values import ago
from loa.observe.clock import SystemClock

app = group("Callbacks: what endpoints are told.")


@command(
    app,
    "replay",
    example="""
loa callbacks replay cb_1B4 cb_1B5
loa callbacks replay --endpoint 2 --since 12h
""",
)
async def replay(
    terminal: Terminal,
    callbacks: Annotated[list[str] | None, typer.Argument(help="Ids of callbacks.", show_default=False)] = None,
    tenant: TenantName = DEFAULT_TENANT,
    endpoint: Annotated[
        int | None, typer.Option(metavar="ID", help="All that failed at this endpoint.", show_default=False)
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Only those since: 12h, or an instant.", show_default=False)
    ] = None,
) -> None:
    """Send callbacks once more. A receiver recognises repeats by their id."""
    wanted = {
        "tenant": tenant,
        "callbacks": callbacks or [],
        "endpoint_id": endpoint,
        "since": ago(since, SystemClock().now()) or 0,
    }
    done = await administer(terminal.settings, "callbacks.replay", wanted)
    terminal.data(done, f"{done['replayed']} callbacks are due again")
