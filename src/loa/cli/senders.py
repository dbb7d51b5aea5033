"""`loa senders`."""

from typing import Annotated, Literal

import typer

from loa.app.admin_reach import administer
from loa.cli.command import command, group
from loa.cli.options import DEFAULT_TENANT, AnyTenant, TenantName
from loa.cli.terminal import Terminal

app = group("Senders: what the handset shows as the origin of a message.")


@command(app, "add", example="loa senders add ACME\nloa senders add 8099 --kind short_code --tenant acme")
async def add(
    terminal: Terminal,
    name: Annotated[str, typer.Argument(help="Brandname or number, exactly as registered with the carriers.")],
    tenant: TenantName = DEFAULT_TENANT,
    kind: Annotated[
        Literal["brandname", "short_code", "long_number"],
        typer.Option(metavar="brandname|short_code|long_number", help="What it is."),
    ] = "brandname",
) -> None:
    """Add a sender of a tenant; adding it again changes nothing."""
    added = await administer(terminal.settings, "senders.add", {"name": name, "tenant": tenant, "kind": kind})
    terminal.data(added, f"{added['name']} is a sender of tenant {added['tenant']}")


@command(app, "list", example="loa senders list")
async def list_all(terminal: Terminal, tenant: AnyTenant = None) -> None:
    """List senders."""
    rows = await administer(terminal.settings, "senders.list", {"tenant": tenant})
    columns = {"id": "ID", "tenant": "TENANT", "name": "NAME", "kind": "KIND"}
    terminal.rows(rows, columns, "there is no sender yet; add one with: loa senders add NAME")
