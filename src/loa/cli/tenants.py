"""`loa tenants`."""

from typing import Annotated

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


@command(app, "list", example="loa tenants list\nloa tenants list --json")
async def list_all(terminal: Terminal) -> None:
    """List tenants."""
    rows = await administer(terminal.settings, "tenants.list")
    columns = {"id": "ID", "name": "NAME", "policies": "POLICIES"}
    terminal.rows(rows, columns, "there is no tenant yet; the first key makes one: loa keys create")
