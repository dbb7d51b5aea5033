"""The body of a callback and of the event feed: of a message the vendor's seven fields and ours. Pure.

One function says what it is, so that a receiver that was away reads in the feed exactly what it missed; a second one
writes the same as bytes, because that happens once for every message.
"""

# ruff: noqa: D102 - the class docstrings speak for the properties of what is told

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Protocol

from loa.domain.destination import written
from loa.domain.ids import MESSAGE_PREFIX, message_id_from, message_public_id
from loa.domain.lifecycle import VENDOR_STATUS, State

CALLBACK_PREFIX = "cb_"
INBOUND_PREFIX = "in_"

_LABEL = {state: f'"{state.label}"' for state in State}
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Told(Protocol):
    """What a tenant is told: one state that a message reached. Units: times in milliseconds, 0 for not yet."""

    @property
    def message_id(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    @property
    def state(self) -> State: ...
    @property
    def error(self) -> str: ...
    @property
    def occurred_at(self) -> int: ...
    @property
    def possible_duplicate(self) -> bool: ...
    @property
    def double_reach(self) -> bool: ...
    @property
    def cost(self) -> int: ...
    @property
    def destination(self) -> int: ...
    @property
    def channel(self) -> str: ...
    @property
    def segment_count(self) -> int: ...
    @property
    def referent_id(self) -> str: ...
    @property
    def request_id(self) -> str: ...
    @property
    def sent_at(self) -> int: ...
    @property
    def handed_over_at(self) -> int: ...
    @property
    def metadata(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class ToldAgain:
    """The same, written from what was read: for people and the feed. See Told."""

    message_id: int
    sequence: int
    state: State
    error: str
    occurred_at: int
    possible_duplicate: bool
    double_reach: bool
    cost: int
    destination: int
    channel: str
    segment_count: int
    referent_id: str
    request_id: str
    sent_at: int
    handed_over_at: int
    metadata: Any


def callback_body(told: Told, *, retry_count: int = 0) -> dict[str, Any]:
    """Give the body as JSON values.

    `retryCount` counts how often this callback was repeated: 0 on the first try, and always in the feed. A state that
    is never told of is a KeyError. Source: vendor page sms/callback; docs/reference/native-api.md.
    """
    return {
        "msisdn": written(told.destination),
        "requestId": told.request_id,
        "sendTime": utc_text(told.sent_at),
        "responseTimeTelco": utc_text(told.handed_over_at) if told.handed_over_at else None,
        "status": VENDOR_STATUS[told.state],
        "referentId": told.referent_id,
        "retryCount": retry_count,
        "state": told.state.label,
        "sequence": told.sequence,
        "occurredAt": utc_text(told.occurred_at),
        "error": told.error or None,
        "channel": told.channel or None,
        "messageId": message_public_id(told.message_id),
        "segmentCount": told.segment_count,
        "possibleDuplicate": told.possible_duplicate,
        "doubleReach": told.double_reach,
        "cost": told.cost,
        "metadata": told.metadata,
    }


def callback_bytes(told: Told, *, retry_count: int = 0) -> bytes:
    """Write `callback_body` as JSON without spaces, in UTF-8; made to be fast, field by field the same.

    Errors: KeyError as `callback_body`; UnicodeEncodeError for lone surrogates.
    """
    handed_over = f'"{utc_text(told.handed_over_at)}"' if told.handed_over_at else "null"
    error, channel, metadata = told.error, told.channel, told.metadata
    return (
        f'{{"msisdn":"{written(told.destination)}","requestId":{encode_basestring(told.request_id)},'
        f'"sendTime":"{utc_text(told.sent_at)}","responseTimeTelco":{handed_over},'
        f'"status":{VENDOR_STATUS[told.state]},"referentId":{encode_basestring(told.referent_id)},'
        f'"retryCount":{retry_count},"state":{_LABEL[told.state]},"sequence":{told.sequence},'
        f'"occurredAt":"{utc_text(told.occurred_at)}","error":{encode_basestring(error) if error else "null"},'
        f'"channel":{encode_basestring(channel) if channel else "null"},'
        f'"messageId":"{message_public_id(told.message_id)}","segmentCount":{told.segment_count},'
        f'"possibleDuplicate":{"true" if told.possible_duplicate else "false"},'
        f'"doubleReach":{"true" if told.double_reach else "false"},"cost":{told.cost},'
        f'"metadata":{"null" if metadata is None else _json(metadata)}}}'
    ).encode()


class ToldInbound(Protocol):
    """What a tenant is told of an inbound event. Units: times in milliseconds, 0 for not known."""

    @property
    def id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def subject(self) -> int: ...
    @property
    def body(self) -> Mapping[str, Any]: ...
    @property
    def received_at(self) -> int: ...
    @property
    def at(self) -> int: ...


def inbound_body(told: ToldInbound) -> dict[str, Any]:
    """Give the body that tells of an inbound event, as JSON values; the same in a callback and in the feed.

    What the provider's event says has names of its own beside ours, and stands in `raw` as it came; null once it is
    forgotten.
    """
    ours = {
        "type": "inbound",
        "id": inbound_public_id(told.id),
        "event": told.kind,
        "channel": told.channel or None,
        "from": written(told.subject) if told.subject else None,
        "receivedAt": utc_text(told.received_at),
        "at": utc_text(told.at) if told.at else None,
    }
    theirs = {name: value for name, value in told.body.items() if name not in ours and name != "raw"}
    return {**ours, **theirs, "raw": told.body.get("raw")}


def inbound_bytes(told: ToldInbound) -> bytes:
    """Write `inbound_body` as JSON without spaces, in UTF-8."""
    return _json(inbound_body(told)).encode("utf-8", "replace")


def test_bytes(number: str, at: int) -> bytes:
    """Write the body of a test event, which tells of nothing."""
    return _json({"type": "test", "id": number, "at": utc_text(at)}).encode()


def utc_text(at: int) -> str:
    """Write an instant as the vendor does: ISO 8601 in UTC with milliseconds and `Z`.

    Shapes: 1734665624757 -> "2024-12-20T03:33:44.757Z".
    """
    seconds, rest = divmod(at, 1000)
    return f"{_second_text(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=4_096)
def _second_text(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def callback_public_id(callback_id: int) -> str:
    """Give the public form of a callback's id: the same on every try, and what a receiver recognises repeats by.

    Shapes: 0 <= callback_id < 2**63 -> "cb_" + at most 13 characters.
    """
    return CALLBACK_PREFIX + message_public_id(callback_id).removeprefix(MESSAGE_PREFIX)


def inbound_public_id(inbound_id: int) -> str:
    """Give the public form of an inbound event's id. Shapes: 0 <= inbound_id < 2**63 -> "in_" + up to 13 characters."""
    return INBOUND_PREFIX + message_public_id(inbound_id).removeprefix(MESSAGE_PREFIX)


def callback_id_from(public: str) -> int | None:
    """Read a callback's public id, or None when it is not the exact form that `callback_public_id` gives."""
    digits = public.removeprefix(CALLBACK_PREFIX)
    return None if len(digits) == len(public) else message_id_from(MESSAGE_PREFIX + digits)
