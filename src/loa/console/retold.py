"""What was sent and told for a message, composed again from what is kept."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loa.console.parts import Parts
from loa.domain.callback_body import ToldAgain, callback_body
from loa.domain.lifecycle import State
from loa.errors import ConfigError
from loa.observe.redact import mask_msisdn
from loa.ports.channel import Exchange
from loa.ports.records import Row
from loa.smpp import commands as c
from loa.smpp.pdu import DeliverSm
from loa.smpp.receipt import ReceiptText
from loa.smpp.receipt import read as read_receipt

HEX_WIDTH: Final = 16
HIDDEN: Final = "•••"
_SAID: Final = ("sub", "delivered", "submitted", "done", "error")
"""Fields of a receipt's text that give nothing of the message away."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request of an attempt, laid out."""

    name: str
    fields: tuple[tuple[str, str], ...]
    dump: str
    body: str


async def sent_for(parts: Parts, tenant_id: int, row: Row) -> dict[int, list[Sent]]:
    """Compose what was sent again, by attempt; those of which nothing is kept are not there."""
    channels = {each.id: each for each in await parts.ledger.channels()}
    found: dict[int, list[Sent]] = {}
    for each in row["attempts"]:
        attempt = await parts.ledger.attempt(tenant_id, row["id"], each["number"])
        record = None if attempt is None else channels.get(attempt.channel_id)
        reteller = None if record is None else parts.retells.get(record.provider)
        if attempt is None or record is None or reteller is None or not (attempt.text or attempt.rich):
            continue
        try:
            exchanges = reteller.retell(record.settings, attempt, each["claimed_at"])
        except ConfigError:
            # Its settings have changed since, so that nothing could be sent with them.
            continue
        found[each["number"]] = [_laid_out(exchange) for exchange in exchanges]
    return found


def _laid_out(exchange: Exchange) -> Sent:
    return Sent(exchange.name, exchange.fields, dump(exchange.octets), indented(exchange.body))


def dump(octets: bytes) -> str:
    """Write octets in rows of hexadecimal, each with its place and its printable characters."""
    rows = []
    for place in range(0, len(octets), HEX_WIDTH):
        row = octets[place : place + HEX_WIDTH]
        rows.append(f"{place:04x}  {row.hex(' '):<{3 * HEX_WIDTH - 1}}  {printable(row)}")
    return "\n".join(rows)


def printable(octets: bytes) -> str:
    """Give octets as text, a point for what is not printable ASCII."""
    return "".join(chr(each) if 32 <= each < 127 else "." for each in octets)


def indented(text: str) -> str:
    """Write JSON over several lines; what is none stays."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text


def receipt_fields(raw: str, *, whole: bool) -> list[tuple[str, str]]:
    """Read a raw receipt field by field; without `whole` only what gives nothing of message and number away.

    Shapes: hexadecimal digits.
    """
    octets = bytes.fromhex(raw)
    report = _report(octets)
    if report is not None:
        return [(str(name), _plain(value)) for name, value in report.items()] if whole else []
    read = read_receipt(DeliverSm(esm_class=c.ESM_RECEIPT, short_message=octets))
    return [] if read is None else list(_said(read, whole=whole))


def _report(octets: bytes) -> Mapping[str, Any] | None:
    try:
        read = json.loads(octets)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _said(read: ReceiptText, *, whole: bool) -> Iterable[tuple[str, str]]:
    names = (*_SAID, "text") if whole else _SAID
    return ((name, value) for name in names if (value := getattr(read, name)))


def callback_texts(row: Row, ext: Mapping[str, Any], *, whole: bool) -> dict[int, str]:
    """Write the body of each callback of a message again, by its id; the number masked unless it may be seen whole."""
    events = {each["id"]: each for each in row["events"]}
    last: Sequence[Row] = row["attempts"][-1:]
    bodies = {}
    for owed in row["callbacks"]:
        event = events[owed["id"]]
        told = ToldAgain(
            row["id"],
            owed["sequence"],
            State[owed["state"].upper()],
            event["error"],
            event["at"],
            row["possible_duplicate"],
            row["double_reach"],
            row["cost"],
            row["destination"],
            event["channel"],
            row["segment_count"],
            row["referent_id"],
            row["request_id"],
            last[0]["claimed_at"] if last else row["accepted_at"],
            (last[0]["done_at"] or 0) if last and last[0]["outcome"] == "accepted" else 0,
            ext.get("metadata"),
        )
        body = callback_body(told, retry_count=max(0, len(owed["tries"]) - 1))
        if not whole:
            body |= {"msisdn": mask_msisdn(row["destination"]), "metadata": HIDDEN}
        bodies[owed["id"]] = json.dumps(body, ensure_ascii=False, indent=2)
    return bodies
