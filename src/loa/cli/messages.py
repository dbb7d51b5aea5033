"""`loa messages`."""

import asyncio
import getpass
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from loa.app.admin_reach import administer
from loa.cli import timeline
from loa.cli.client import Client, calling
from loa.cli.command import command, group
from loa.cli.options import DEFAULT_TENANT, TenantName, Yes
from loa.cli.send import all_messages
from loa.cli.terminal import Terminal
from loa.cli.values import ago
from loa.domain.callback_body import utc_text
from loa.domain.ruling import Effect, Ruling
from loa.observe.clock import SystemClock

app = group(
    "Messages of the tenant whose API key is used: LOA_CLIENT__API_KEY, or the key of a demo. Only settle"
    " takes no key, but the way of commands that change something."
)

PAGE: Final = 500
LOOK_S: Final = 0.5
COLUMNS: Final = {
    "acceptedAt": "ACCEPTED",
    "messageId": "MESSAGE",
    "destination": "NUMBER",
    "sender": "SENDER",
    "class": "CLASS",
    "state": "STATE",
    "channel": "CHANNEL",
    "error": "ERROR",
}


def _filter(name: str, text: str) -> Any:
    return typer.Option(f"--{name}", metavar=name.upper().replace("-", "_"), help=text, show_default=False)


@command(
    app,
    "list",
    example="""
loa messages list
loa messages list --state unknown,undelivered --since 2h
loa messages list --destination 0912345678 --json
""",
)
async def list_some(
    terminal: Terminal,
    *,
    state: Annotated[str | None, _filter("state", "One or several, with commas.")] = None,
    traffic_class: Annotated[str | None, _filter("class", "otp, transactional or advertising.")] = None,
    sender: Annotated[str | None, _filter("sender", "Only of this sender.")] = None,
    channel: Annotated[str | None, _filter("channel", "Only over this channel.")] = None,
    destination: Annotated[str | None, _filter("destination", "Only to this number.")] = None,
    request_id: Annotated[str | None, _filter("request-id", "Only of this requestId.")] = None,
    since: Annotated[str | None, _filter("since", "Accepted since: 2h, or an instant.")] = None,
    until: Annotated[str | None, _filter("until", "Accepted before: 1h, or an instant.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Only dead letters.")] = False,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="How many at most.")] = 50,
) -> None:
    """List messages, newest first."""
    now = SystemClock().now()
    query = {
        "state": state,
        "class": traffic_class,
        "sender": sender,
        "channel": channel,
        "destination": destination,
        "requestId": request_id,
        "since": _instant(ago(since, now)),
        "until": _instant(ago(until, now)),
        "dead": True if dead else None,
    }
    with terminal.working("reading"):
        async with calling(terminal) as client:
            rows = await _pages(client, query, limit)
    terminal.rows(rows, COLUMNS, "no message matches")


def _instant(at: int | None) -> str | None:
    return None if at is None else utc_text(at)


async def _pages(client: Client, query: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor = None
    while len(rows) < limit:
        wanted = {**query, "limit": min(PAGE, limit - len(rows)), "cursor": cursor}
        page = await client.get("/api/v1/messages", wanted)
        rows += page["messages"]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    return rows


@command(app, "show", example="loa messages show msg_1B4\nloa messages show sub_01KAV2Z8Q4W6X9Y0T1R2E3A5B7")
async def show(
    terminal: Terminal,
    name: Annotated[str, typer.Argument(metavar="ID", help="A message (msg_…) or a submission (sub_…).")],
) -> None:
    """Show a message with everything that happened to it, or the messages of a submission."""
    async with calling(terminal) as client:
        if name.startswith("sub_"):
            terminal.rows(await all_messages(client, name), COLUMNS, "no message")
            return
        message = await client.get(f"/api/v1/messages/{name}")
    if terminal.as_json:
        terminal.line(message)
    else:
        timeline.show(terminal.out, message)


@command(app, "tail", example="loa messages tail\nloa messages tail --from-start --json | jq .state")
async def tail(
    terminal: Terminal,
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin with the oldest event.")] = False,
    count: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="End after so many events.", show_default=False)
    ] = None,
) -> None:
    """Follow what becomes of messages, as it happens, until Ctrl-C: sent and every final state."""
    async with calling(terminal) as client:
        cursor = None
        if not from_start:
            with terminal.working("looking for the newest event"):
                cursor = await _newest(client)
        if not terminal.as_json:
            terminal.note("following; Ctrl-C ends")
        left = count
        while left is None or left > 0:
            page = await client.get("/api/v1/events", {"after": cursor, "limit": PAGE})
            cursor = page["nextCursor"]
            for event in page["events"][:left]:
                _event(terminal, event)
            left = None if left is None else left - len(page["events"])
            if not page["events"]:
                await asyncio.sleep(LOOK_S)


@command(
    app,
    "settle",
    example="""
loa messages settle msg_1B4 msg_1B5 --as delivered --reason "carrier's report of 26 November"
loa messages settle msg_1B6 --as undelivered --reason "the customer called" --tenant acme
loa messages settle msg_1B7 --as dealt_with --reason "sent by hand"
""",
)
async def settle(
    terminal: Terminal,
    messages: Annotated[list[str], typer.Argument(help="Ids of messages, at most 500.", metavar="ID...")],
    *,
    ruling: Annotated[
        Ruling,
        typer.Option("--as", metavar="WHAT", help="delivered or undelivered; or dealt_with, of dead letters."),
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="How you know; kept with the message.")],
    tenant: TenantName = DEFAULT_TENANT,
    yes: Yes = False,
) -> None:
    """Say what became of unknown messages, or that dead letters are dealt with. Nothing is sent; there is no way back.

    Of an unknown message the tenant is told as of any final state. A receipt that comes later is kept beside it and
    changes nothing more.
    """
    terminal.confirm(f"{len(messages)} messages are settled as {ruling.value} for good. Settle them?", yes=yes)
    wanted = {
        "messages": messages,
        "ruling": ruling.value,
        "reason": reason,
        "who": getpass.getuser(),
        "tenant": tenant,
    }
    done = await administer(terminal.settings, "messages.settle", wanted)
    said = ", ".join(f"{done[effect.value]} {words}" for effect, words in EFFECTS.items() if done[effect.value])
    terminal.data(done, said)


EFFECTS: Final = {
    Effect.DONE: "settled",
    Effect.ALREADY: "were settled so before",
    Effect.UNFIT: "cannot be settled so: they are not unknown, or no dead letters",
    Effect.MISSING: "not found",
}


async def _newest(client: Client) -> str | None:
    """Read the feed to its end; its cursors only lead forward."""
    cursor = None
    while True:
        page = await client.get("/api/v1/events", {"after": cursor, "limit": PAGE})
        cursor = page["nextCursor"]
        if len(page["events"]) < PAGE:
            return str(cursor)


def _event(terminal: Terminal, event: Mapping[str, Any]) -> None:
    if terminal.as_json:
        terminal.line(event)
        return
    parts = (event["occurredAt"], event["state"].ljust(11), event["msisdn"], event["messageId"], event["error"] or "")
    terminal.text("  ".join(parts).rstrip())
