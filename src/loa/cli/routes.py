"""`loa routes`."""

from typing import Annotated, Literal

import typer

from loa.app.admin_reach import administer
from loa.cli.client import calling
from loa.cli.command import command, group
from loa.cli.explained import show_explained
from loa.cli.failures import Exit
from loa.cli.options import DEFAULT_TENANT, AnyTenant, TenantName, Yes
from loa.cli.request import Destinations, Ext, From, Scheduled, Text, Type, Unicode, Wish, body_of
from loa.cli.terminal import Terminal

app = group("Routes: which channels a tenant's messages take, in which order. The first rule that matches wins.")


@command(
    app,
    "add",
    example="""
loa routes add viettel
loa routes add viettel backup --tenant acme --class otp
loa routes add mobi --carrier mobifone --position 5
loa routes add zalo,after=20s,class=otp+transactional viettel
""",
)
async def add(
    terminal: Terminal,
    *,
    channels: Annotated[
        list[str],
        typer.Argument(
            metavar="CHANNEL...",
            help="Channels in the order of trying; conditions follow a comma.",
        ),
    ],
    tenant: TenantName = DEFAULT_TENANT,
    sender: Annotated[str, typer.Option(metavar="NAME", help="Only this sender.", show_default=False)] = "",
    traffic_class: Annotated[
        Literal["otp", "transactional", "advertising"] | None,
        typer.Option("--class", metavar="otp|transactional|advertising", help="Only this class.", show_default=False),
    ] = None,
    carrier: Annotated[
        str, typer.Option(metavar="CARRIER", help="Only numbers of this carrier.", show_default=False)
    ] = "",
    position: Annotated[
        int | None, typer.Option(metavar="N", help="Rules are read from low to high; last without.", show_default=False)
    ] = None,
) -> None:
    """Add a rule; conditions that are left out match everything.

    A step is CHANNEL[,after=20s|usual][,class=otp+transactional][,carrier=viettel+mobifone][,hours=07:00-22:00]. The
    next step begins at once when the channel refuses a message, and when no receipt came within `after`; `usual` is
    what receipts of that channel and class usually take.
    """
    wanted = {
        "channels": channels,
        "tenant": tenant,
        "sender": sender,
        "traffic_class": traffic_class,
        "carrier": carrier,
        "position": position,
    }
    added = await administer(terminal.settings, "routes.add", wanted)
    terminal.data(added, f"added route {added['id']} at position {added['position']}: {' then '.join(channels)}")


@command(app, "list", example="loa routes list\nloa routes list --tenant acme")
async def list_all(terminal: Terminal, tenant: AnyTenant = None) -> None:
    """List rules in the order in which they are tried."""
    rows = await administer(terminal.settings, "routes.list", {"tenant": tenant})
    columns = {
        "id": "ID",
        "tenant": "TENANT",
        "position": "POSITION",
        "sender": "SENDER",
        "class": "CLASS",
        "carrier": "CARRIER",
        "channels": "CHANNELS",
    }
    terminal.rows(rows, columns, "there is no route yet; add one with: loa routes add CHANNEL")


@command(app, "move", example="loa routes move 4 1")
async def move(
    terminal: Terminal,
    route: Annotated[int, typer.Argument(help="Its id as `loa routes list` shows it.")],
    place: Annotated[int, typer.Argument(metavar="PLACE", help="1 is tried first.", min=1, max=100_000)],
) -> None:
    """Put a rule at another place among its tenant's; the others keep their order."""
    moved = await administer(terminal.settings, "routes.move", {"route_id": route, "place": place})
    terminal.data(moved, f"route {route} is at position {moved['position']} now")


@command(app, "remove", example="loa routes remove 4 --yes")
async def remove(
    terminal: Terminal,
    route: Annotated[int, typer.Argument(help="Its id as `loa routes list` shows it.")],
    yes: Yes = False,
) -> None:
    """Remove a rule; messages that were accepted already keep their way."""
    terminal.confirm(f"Remove route {route}?", yes=yes)
    removed = await administer(terminal.settings, "routes.remove", {"route_id": route})
    terminal.data(removed, f"removed route {route}")


@command(
    app,
    "explain",
    example="""
loa routes explain 0912345678 --from ACME --text "Xin chào"
loa routes explain 0912345678 --from ACME --type advertising --text "Sale" --json
""",
)
async def explain(
    terminal: Terminal,
    *,
    destinations: Destinations,
    text: Text,
    sender: From = None,
    type_name: Type = "care",
    unicode: Unicode = "auto",
    scheduled: Scheduled = "",
    ext: Ext = "",
) -> int:
    """Say what a running Loa would do with a message, and why, without sending it.

    Needs an API key, as `loa send` does. The exit code is 0 if it would be accepted.
    """
    wish = Wish(destinations, text, sender, type_name, unicode, scheduled, ext)
    async with calling(terminal) as client:
        said = await client.post("/api/v1/explain", body_of(terminal, wish))
    if terminal.as_json:
        terminal.line(said)
    else:
        show_explained(terminal, said)
    return Exit.OK if said["wouldBeAccepted"] else Exit.FAILURE
