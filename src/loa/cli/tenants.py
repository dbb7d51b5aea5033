"""`loa tenants`."""

from typing import Annotated, Any

import typer

from loa.app.admin_reach import administer
from loa.cli.command import command, group
from loa.cli.terminal import Terminal

app = group("Tenants: isolated customers, each with keys, senders, routes and endpoints of its own.")


@command(app, "add", example="loa tenants add acme")
async def add(terminal: Terminal, name: Annotated[str, typer.Argument(help="Name of the tenant.")]) -> None:
    """Add a tenant."""
    added = await administer(terminal.settings, "tenants.add", {"name": name})
    terminal.data(added, f"added tenant {added['name']}")


@command(
    app,
    "policies",
    example="loa tenants policies acme --change otp.evidence_wait_s=60\n"
    "loa tenants policies acme --change transactional.on_unknown=never --change otp.lifetime_s=default",
)
async def policies(
    terminal: Terminal,
    name: Annotated[str, typer.Argument(help="Name of the tenant.")],
    changes: Annotated[
        list[str],
        typer.Option("--change", metavar="CLASS.NAME=VALUE", help="What to change; default goes back. Repeat it."),
    ],
) -> None:
    """Change how long messages of a class live, and what becomes of unknown outcomes.

    on_unknown=resend_once may deliver a message twice, flagged; on_unknown=never may lose one. lifetime_s and
    evidence_wait_s are seconds. What was accepted before keeps its lifetime.
    """
    asked: dict[str, dict[str, Any]] = {}
    for change in changes:
        place, _, value = change.partition("=")
        label, _, member = place.partition(".")
        asked.setdefault(label, {})[member] = None if value == "default" else value
    changed = await administer(terminal.settings, "tenants.policies", {"name": name, "policies": asked})
    terminal.data(
        changed, f"policies of {changed['name']}: {changed['policies'] or 'all as the installation has them'}"
    )


@command(app, "list", example="loa tenants list\nloa tenants list --json")
async def list_all(terminal: Terminal) -> None:
    """List tenants."""
    rows = await administer(terminal.settings, "tenants.list")
    columns = {"id": "ID", "name": "NAME", "policies": "POLICIES"}
    terminal.rows(rows, columns, "there is no tenant yet; the first key makes one: loa keys create")
