"""`loa endpoints`."""

from typing import Annotated

import typer

from loa.app.admin_reach import administer
from loa.cli.command import command, group
from loa.cli.options import DEFAULT_TENANT, AnyTenant, TenantName
from loa.cli.terminal import Terminal

app = group("Endpoints: a tenant's addresses that are told what became of its messages.")


@command(
    app,
    "add",
    example="""
loa endpoints add https://shop.example.vn/sms-status
loa endpoints add https://shop.example.vn/sms-status --for-key 3 --every-step
loa endpoints add https://shop.example.vn/replies --inbound
""",
)
async def add(
    terminal: Terminal,
    *,
    url: Annotated[str, typer.Argument(help="An https address.")],
    tenant: TenantName = DEFAULT_TENANT,
    every_step: Annotated[bool, typer.Option("--every-step", help="Also tell of `sent`.")] = False,
    inbound: Annotated[
        bool, typer.Option("--inbound", help="Also tell of inbound events, as users' messages.")
    ] = False,
    for_key: Annotated[
        int | None,
        typer.Option(metavar="ID", help="Report this key's messages there.", show_default=False),
    ] = None,
) -> None:
    """Add an endpoint and show its signing secret, this once; one that is there is switched on again."""
    wanted = {"url": url, "tenant": tenant, "every_step": every_step, "inbound": inbound, "for_key": for_key}
    added = await administer(terminal.settings, "endpoints.add", wanted)
    if not terminal.as_json:
        new = "signs its callbacks with this secret, shown this once:"
        said = "is on again, with its old secret" if added["secret"] is None else new
        terminal.note(f"endpoint {added['id']} {said}")
    terminal.data(added, added["secret"] or "")


@command(app, "list", example="loa endpoints list")
async def list_all(terminal: Terminal, tenant: AnyTenant = None) -> None:
    """List endpoints and how they do."""
    rows = await administer(terminal.settings, "endpoints.list", {"tenant": tenant})
    columns = {
        "id": "ID",
        "tenant": "TENANT",
        "url": "URL",
        "everyStep": "EVERY STEP",
        "inbound": "INBOUND",
        "failingSince": "FAILING SINCE",
        "disabledAt": "SWITCHED OFF",
        "disabledReason": "REASON",
    }
    terminal.rows(rows, columns, "there is no endpoint yet; add one with: loa endpoints add URL")


@command(app, "enable", example="loa endpoints enable 2")
async def enable(
    terminal: Terminal, endpoint: Annotated[int, typer.Argument(help="Its id as `loa endpoints list` shows it.")]
) -> None:
    """Switch an endpoint on again that was switched off after failing for long."""
    enabled = await administer(terminal.settings, "endpoints.enable", {"endpoint_id": endpoint})
    said = f"endpoint {endpoint} is on; send what it missed with: loa callbacks replay --endpoint {endpoint}"
    terminal.data(enabled, said)
