"""The body of the send call from the options of a command: shared by `loa send` and `loa routes explain`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import typer

from loa.app.demo_state import DEMO_SENDER
from loa.cli.client import demo_here
from loa.cli.terminal import Terminal
from loa.cli.values import read_text
from loa.errors import CallerError

TYPES: Final = {"care": 0, "advertising": 1, "otp": 2}
UNICODE: Final = {"plain": 0, "auto": 1, "fold": 2}

Destinations = Annotated[list[str], typer.Argument(metavar="NUMBER...", help="Phone numbers, as 0912345678 or +84….")]
Text = Annotated[str, typer.Option("--text", "-t", metavar="TEXT", help="The text; - reads it from standard input.")]
From = Annotated[
    str | None, typer.Option("--from", "-f", metavar="SENDER", help="A sender of the tenant.", show_default=False)
]
Type = Annotated[
    Literal["care", "advertising", "otp"],
    typer.Option("--type", metavar="care|advertising|otp", help="What it is for: `type` 0, 1 or 2."),
]
Unicode = Annotated[
    Literal["plain", "auto", "fold"],
    typer.Option(
        "--unicode",
        metavar="plain|auto|fold",
        help="plain refuses what is not plain, auto sends as written, fold drops the accents.",
    ),
]
Ext = Annotated[str, typer.Option(metavar="JSON", help="The `ext` object.", show_default=False)]
Scheduled = Annotated[
    str, typer.Option(metavar="WHEN", help="Not before this time; without an offset Vietnam's.", show_default=False)
]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants sent."""

    destinations: Sequence[str]
    text: str
    sender: str | None
    type_name: str
    unicode_name: str
    scheduled: str = ""
    ext: str = ""
    request_id: str = ""


def body_of(terminal: Terminal, wish: Wish) -> dict[str, Any]:
    """Write the body of the send call. Errors: CallerError."""
    sender = wish.sender or (DEMO_SENDER if demo_here(terminal) else "")
    if not sender:
        raise CallerError("from", "name the sender with --from; loa senders list shows them")
    return {
        "destinations": list(wish.destinations),
        "from": sender,
        "text": read_text("-").rstrip("\n") if wish.text == "-" else wish.text,
        "scheduled": wish.scheduled,
        "requestId": wish.request_id,
        "useUnicode": UNICODE[wish.unicode_name],
        "type": TYPES[wish.type_name],
        "ext": _ext(wish.ext),
    }


def _ext(written: str) -> dict[str, Any]:
    try:
        ext = json.loads(written) if written else {}
    except ValueError as wrong:
        raise CallerError("ext", f"--ext is not JSON: {wrong}") from None
    if not isinstance(ext, dict):
        raise CallerError("ext", '--ext must be a JSON object, as in {"ttl": 60}')
    return ext
