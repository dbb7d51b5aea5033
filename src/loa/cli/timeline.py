"""The story of one message in the order in which it happened, for people."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text


class Moment(NamedTuple):
    """One thing that happened."""

    at: str
    what: str
    detail: str


_STYLES = {
    "delivered": "green",
    "sent": "cyan",
    "undelivered": "red",
    "rejected": "red",
    "expired": "yellow",
    "unknown": "magenta",
    "cancelled": "yellow",
}


def moments(message: Mapping[str, Any]) -> list[Moment]:
    """Put everything known of a message in the order of time."""
    found = [Moment(message["acceptedAt"], "accepted", _size(message))]
    found += [each for attempt in message["attempts"] for each in _attempt(attempt)]
    found += [each for receipt in message["receipts"] for each in _receipt(receipt)]
    found += [
        Moment(event["at"], event["state"], _joined(event["channel"], event["error"])) for event in message["events"]
    ]
    found += [each for callback in message["callbacks"] for each in _callback(callback)]
    return sorted(found, key=lambda moment: moment.at)


def _size(message: Mapping[str, Any]) -> str:
    count = message["segmentCount"]
    return f"{message['class']}, {count} segment{'' if count == 1 else 's'}"


def _attempt(attempt: Mapping[str, Any]) -> Iterator[Moment]:
    name = f"attempt {attempt['number']}"
    yield Moment(attempt["claimedAt"], name, f"handed to {attempt['channel']}")
    if attempt["doneAt"]:
        refs = ", ".join(segment["providerRef"] for segment in attempt["segments"] if segment["providerRef"])
        yield Moment(attempt["doneAt"], name, _joined(attempt["outcome"], attempt["reason"], refs and f"ref {refs}"))


def _receipt(receipt: Mapping[str, Any]) -> Iterator[Moment]:
    repeats = f"repeated {receipt['repeats']} times" if receipt["repeats"] else ""
    yield Moment(
        receipt["receivedAt"], "receipt", _joined(receipt["stat"], receipt["detail"], receipt["result"], repeats)
    )


def _callback(callback: Mapping[str, Any]) -> Iterator[Moment]:
    for each in callback["tries"]:
        answer = f"HTTP {each['status']}" if each["status"] else each["error"]
        detail = f"{callback['state']} to {callback['url']}: {answer} in {each['elapsedMs']} ms"
        yield Moment(each["at"], f"callback try {each['number']}", detail)


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def show(console: Console, message: Mapping[str, Any]) -> None:
    """Print a message and its story."""
    state = message["state"]
    head = Text.assemble(
        (message["messageId"], "bold"),
        f"  {message['sender']} to {message['destination']}  ",
        (state, _STYLES.get(state, "bold")),
        f"  {message['error']}" if message["error"] else "",
    )
    console.print(head)
    if message["text"] is not None:
        console.print(Text(f"  {message['text']}", style="italic"))
    began = datetime.fromisoformat(message["acceptedAt"])
    table = Table.grid(padding=(0, 2), pad_edge=False)
    for moment in moments(message):
        after = (datetime.fromisoformat(moment.at) - began).total_seconds()
        style = _STYLES.get(moment.what, "")
        table.add_row(moment.at, f"+{after:.3f} s", Text(moment.what, style=style), Text(moment.detail))
    console.print(table)
    if message["cost"]:
        console.print(f"cost {message['cost']} VND")
