"""`loa endpoints`."""

from typing import Annotated

import typer

from loa.app.admin_reach import administer
from loa.cli.command import command, group
from loa.cli.failures import Exit
from loa.cli.options import DEFAULT_TENANT, AnyTenant, TenantName
from loa.cli.terminal import Terminal

EndpointId = Annotated[int, typer.Argument(help="Its id as `loa endpoints list` shows it.")]

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
async def enable(terminal: Terminal, endpoint: EndpointId) -> None:
    """Switch an endpoint on again that was switched off after failing for long."""
    enabled = await administer(terminal.settings, "endpoints.enable", {"endpoint_id": endpoint})
    said = f"endpoint {endpoint} is on; send what it missed with: loa callbacks replay --endpoint {endpoint}"
    terminal.data(enabled, said)


@command(
    app,
    "change",
    example="""
loa endpoints change 2 --every-step
loa endpoints change 2 --no-inbound
""",
)
async def change(
    terminal: Terminal,
    *,
    endpoint: EndpointId,
    every_step: Annotated[
        bool | None, typer.Option("--every-step/--no-every-step", help="Also tell of `sent`.", show_default=False)
    ] = None,
    inbound: Annotated[
        bool | None,
        typer.Option("--inbound/--no-inbound", help="Also tell of inbound events.", show_default=False),
    ] = None,
) -> None:
    """Change what an endpoint is told."""
    wanted = {"endpoint_id": endpoint, "every_step": every_step, "inbound": inbound}
    changed = await administer(terminal.settings, "endpoints.change", wanted)
    terminal.data(changed, f"endpoint {endpoint} is changed")


@command(app, "rotate-secret", example="loa endpoints rotate-secret 2")
async def rotate_secret(terminal: Terminal, endpoint: EndpointId) -> None:
    """Give an endpoint a new signing secret and show it, this once; the former one signs too until it is retired."""
    rotated = await administer(terminal.settings, "endpoints.rotate_secret", {"endpoint_id": endpoint})
    if not terminal.as_json:
        terminal.note(
            f"callbacks to endpoint {endpoint} are signed with its former secret and with this one, shown this once;"
            f" when the receiver knows it: loa endpoints retire-secret {endpoint}"
        )
    terminal.data(rotated, rotated["secret"])


@command(app, "retire-secret", example="loa endpoints retire-secret 2")
async def retire_secret(terminal: Terminal, endpoint: EndpointId) -> None:
    """Sign with the current secret alone, once the receiver knows it."""
    retired = await administer(terminal.settings, "endpoints.retire_secret", {"endpoint_id": endpoint})
    terminal.data(retired, f"endpoint {endpoint} has one secret now")


@command(app, "test", example="loa endpoints test 2")
async def test(terminal: Terminal, endpoint: EndpointId) -> int:
    """Post a signed test event to an endpoint, once, and show the request and the answer."""
    told = await administer(terminal.settings, "endpoints.test", {"endpoint_id": endpoint})
    said = f"answered {told['status']}" if told["status"] else f"no answer: {told['error']}"
    taken = "taken" if told["taken"] else "not taken"
    terminal.data(
        told, f"{told['request']}\n\n{taken}, {said}, after {told['elapsedMs']} ms\n{told['answer']}".rstrip()
    )
    return Exit.OK if told["taken"] else Exit.FAILURE
