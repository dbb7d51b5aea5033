"""`loa keys`."""

from typing import Annotated, Literal

import typer

from loa.app.admin_people import ALL_PERMISSIONS
from loa.app.admin_reach import administer
from loa.cli.command import command, group
from loa.cli.options import DEFAULT_TENANT, AnyTenant, TenantName, Yes
from loa.cli.terminal import Terminal
from loa.cli.values import ahead, read_text
from loa.observe.clock import SystemClock

app = group("API keys: a tenant's credentials. Only a digest is kept, so a key is shown once.")

_PERMISSIONS = (
    "What it may do; repeat it. send, send:otp, send:transactional, send:advertising, read:messages, read:content,"
    f" report, manage, or {ALL_PERMISSIONS}. Without it: send and read:messages."
)

Expires = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="When it ends: a span such as 90d, or an instant.", show_default=False),
]


@command(
    app,
    "create",
    example="""
loa keys create --name shop
loa keys create --name trial --test
loa keys create --name otp-service --tenant acme --permission send:otp --network 203.0.113.0/24 --expires 90d
""",
)
async def create(
    terminal: Terminal,
    *,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What people recognise it by.")],
    tenant: TenantName = DEFAULT_TENANT,
    test: Annotated[bool, typer.Option("--test", help="A test key: it reaches only the sandbox.")] = False,
    permission: Annotated[
        list[str] | None, typer.Option(metavar="PERMISSION", help=_PERMISSIONS, show_default=False)
    ] = None,
    sender: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only these senders.", show_default=False)
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(metavar="CIDR", help="Only from these networks.", show_default=False)
    ] = None,
    expires: Expires = None,
    request_id_mode: Annotated[
        Literal["off", "fingerprint", "strict"],
        typer.Option(
            metavar="off|fingerprint|strict",
            help="How a repeated requestId is taken; strict refuses it with another body.",
        ),
    ] = "fingerprint",
    success_code: Annotated[
        int | None,
        typer.Option(metavar="N", help="`code` of a success where a client wants 0.", show_default=False),
    ] = None,
    endpoint: Annotated[
        str,
        typer.Option(metavar="ENDPOINT", help="Where its messages are reported: a URL or an id.", show_default=False),
    ] = "",
    import_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Take over another gateway's key; - is standard input.", show_default=False),
    ] = None,
) -> None:
    """Create an API key and show it, this once.

    The tenant "default" is made when it is missing.
    """
    wanted = {
        "name": name,
        "tenant": tenant,
        "live": not test,
        "permissions": permission or [],
        "senders": sender or [],
        "networks": network or [],
        "expires_at": ahead(expires, SystemClock().now()),
        "request_id_mode": request_id_mode,
        "success_code": success_code,
        "endpoint": endpoint,
        "imported": read_text(import_file).strip() if import_file else "",
    }
    made = await administer(terminal.settings, "keys.create", wanted)
    if not terminal.as_json:
        terminal.note(f"key {made['id']} of tenant {made['tenant']}; it is shown this once:")
    terminal.data(made, made["apiKey"])


@command(app, "list", example="loa keys list\nloa keys list --tenant acme --json")
async def list_all(terminal: Terminal, tenant: AnyTenant = None) -> None:
    """List keys, without the keys themselves."""
    rows = await administer(terminal.settings, "keys.list", {"tenant": tenant})
    columns = {
        "id": "ID",
        "tenant": "TENANT",
        "name": "NAME",
        "display": "KEY",
        "live": "LIVE",
        "permissions": "PERMISSIONS",
        "expiresAt": "EXPIRES",
        "revokedAt": "REVOKED",
        "lastUsedAt": "LAST USED",
    }
    terminal.rows(rows, columns, "there is no key yet; make one with: loa keys create --name NAME")


@command(app, "rotate", example="loa keys rotate 3\nloa keys rotate 3 --expires 180d")
async def rotate(
    terminal: Terminal,
    key: Annotated[str, typer.Argument(help="Its id as `loa keys list` shows it, or the key itself.")],
    *,
    expires: Expires = None,
) -> None:
    """Create a key with the rights of another and show it, this once; the other stays valid until it is revoked.

    `loa keys list` tells when the old one was used last, and so when it is free to go.
    """
    given = {"key": key, "expires_at": ahead(expires, SystemClock().now())}
    made = await administer(terminal.settings, "keys.rotate", given)
    if not terminal.as_json:
        terminal.note(f"key {made['id']} of tenant {made['tenant']}; it is shown this once:")
    terminal.data(made, made["apiKey"])


@command(app, "revoke", example="loa keys revoke 3\nloa keys revoke 3 --yes")
async def revoke(
    terminal: Terminal,
    key: Annotated[str, typer.Argument(help="Its id as `loa keys list` shows it, or the key itself.")],
    yes: Yes = False,
) -> None:
    """Revoke a key for good; a running Loa refuses it within a second."""
    terminal.confirm("Callers with this key are refused from now on. Revoke it?", yes=yes)
    revoked = await administer(terminal.settings, "keys.revoke", {"key": key})
    terminal.data(revoked, f"revoked key {revoked['id']} ({revoked['name']})")
