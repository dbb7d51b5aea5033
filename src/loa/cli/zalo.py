"""`loa zalo`."""

from typing import Annotated

import typer

from loa.app.admin_reach import administer
from loa.cli.command import command, group
from loa.cli.terminal import Terminal
from loa.cli.values import read_text

app = group("Grants of Zalo channels: the tokens that a person consented to. No token is ever shown.")

Channel = Annotated[str, typer.Argument(help="Name of the channel.")]


@command(
    app,
    "connect",
    example="""
loa zalo connect shop
loa zalo connect shop --redirect-uri https://sms.example.vn/v1/consent/callback
""",
)
async def connect(
    terminal: Terminal,
    channel: Channel,
    redirect_uri: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where the browser comes back to, as saved in the Zalo console; usually that of server.public_url.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make a link; an administrator of the Official Account opens it and consents, within ten minutes."""
    wanted = {"name": channel, "redirect_uri": redirect_uri or ""}
    made = await administer(terminal.settings, "grants.connect", wanted)
    if not terminal.as_json:
        terminal.note(f"open this until {made['expiresAt']}; the browser comes back to {made['redirectUri']}")
    terminal.data(made, made["link"])


@command(app, "grants", example="loa zalo grants\nloa zalo grants --json")
async def grants(terminal: Terminal) -> None:
    """List channels that work with grants: state, ages, next renewal, and whether a person must consent."""
    rows = await administer(terminal.settings, "grants.list")
    columns = {
        "channel": "CHANNEL",
        "state": "STATE",
        "issuedAt": "ISSUED",
        "renewsAt": "RENEWS BY",
        "accessExpiresAt": "ACCESS UNTIL",
        "refreshExpiresAt": "REFRESH UNTIL",
        "consentNeeded": "WHY CONSENT IS NEEDED",
    }
    terminal.rows(rows, columns, "no channel works with a grant; add one with: loa channels add NAME zalo")


@command(
    app,
    "token",
    example="""
loa zalo token shop --refresh-token-file ./refresh-token
loa zalo token shop --refresh-token-file -
""",
)
async def token(
    terminal: Terminal,
    channel: Channel,
    refresh_token_file: Annotated[
        str, typer.Option(metavar="FILE", help="File with the refresh token; - is standard input.")
    ],
) -> None:
    """Bring a refresh token along from another system. It is spent at once: stop that system first."""
    wanted = {"name": channel, "refresh_token": read_text(refresh_token_file).strip()}
    kept = await administer(terminal.settings, "grants.keep", wanted)
    terminal.data(kept, f"channel {channel} has a pair of its own; the token in the file is spent")
