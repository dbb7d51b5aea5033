"""`loa send`."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from loa.cli.client import SEND_PATH, Client, calling
from loa.cli.command import command, group
from loa.cli.failures import Exit
from loa.cli.request import Destinations, Ext, From, Scheduled, Text, Type, Unicode, Wish, body_of
from loa.cli.terminal import Terminal
from loa.domain.lifecycle import FINAL, State

app = group("Send a message through a running Loa.")

LOOK_S: Final = 0.3
PAGE: Final = 500


@command(
    app,
    "send",
    example="""
loa send 0912345678 --from ACME --text "Your parcel is on its way"
loa send 0912345678 --from ACME --type otp --text "Code 135790" --wait
loa send 0912345678 0987654321 --from ACME --unicode fold --request-id order-77 --text - < notice.txt
""",
)
async def send(
    terminal: Terminal,
    *,
    destinations: Destinations,
    text: Text,
    sender: From = None,
    type_name: Type = "care",
    unicode: Unicode = "auto",
    request_id: Annotated[
        str, typer.Option(metavar="ID", help="Your own id: the same one again sends nothing.", show_default=False)
    ] = "",
    scheduled: Scheduled = "",
    ext: Ext = "",
    wait: Annotated[bool, typer.Option("--wait", help="Follow it until every message is final.")] = False,
    wait_s: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long --wait waits.")] = 120.0,
) -> int:
    """Send a text to one or many phones through a running Loa.

    Key and address: LOA_CLIENT__API_KEY and LOA_CLIENT__URL. Beside a demo its own key is used. With --wait the exit
    code is 0 only if every message was delivered.
    """
    wish = Wish(destinations, text, sender, type_name, unicode, scheduled, ext, request_id)
    async with calling(terminal) as client:
        accepted = await client.post(SEND_PATH, body_of(terminal, wish))
        shown = {
            "referentId": accepted["referentId"],
            "token": accepted["data"]["token"],
            "code": accepted["code"],
            "message": accepted["message"],
        }
        if not wait:
            terminal.data(shown)
            return Exit.OK
        if not terminal.as_json:
            terminal.note(f"accepted as {shown['referentId']}")
        with terminal.working("waiting for receipts"):
            messages, settled = await _follow(client, shown["referentId"], wait_s)
    return _tell(terminal, shown, messages, settled=settled)


async def _follow(client: Client, referent_id: str, timeout_s: float) -> tuple[list[dict[str, Any]], bool]:
    """Look again and again until every message is final or the time is over."""
    messages: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                messages = await all_messages(client, referent_id)
                if all(map(_settled, messages)):
                    return messages, True
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        return messages, False


async def all_messages(client: Client, referent_id: str) -> list[dict[str, Any]]:
    """Read every message of a submission, page by page."""
    messages: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await client.get(f"/api/v1/submissions/{referent_id}", {"limit": PAGE, "cursor": cursor})
        messages += page["messages"]
        cursor = page["nextCursor"]
        if cursor is None:
            return messages


def _settled(message: dict[str, Any]) -> bool:
    state = State[message["state"].upper()]
    return state in FINAL or (state is State.UNKNOWN and message["dueAt"] is None)


def _tell(terminal: Terminal, shown: dict[str, Any], messages: Sequence[dict[str, Any]], *, settled: bool) -> int:
    if terminal.as_json:
        terminal.line({**shown, "settled": settled, "messages": list(messages)})
    elif len(messages) <= 20:
        columns = {"messageId": "MESSAGE", "destination": "NUMBER", "state": "STATE", "error": "ERROR"}
        terminal.rows(messages, columns, "no message")
    else:
        for state, count in Counter(message["state"] for message in messages).most_common():
            terminal.text(f"{count:>7} {state}")
    if not settled:
        terminal.note("not every message is final yet; look again with: loa messages list")
    delivered = all(message["state"] == State.DELIVERED.label for message in messages)
    return Exit.OK if delivered else Exit.FAILURE
