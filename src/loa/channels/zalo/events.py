"""What Zalo posts to us: checked by its signature, then read into receipts and into what came in.

An event that is no receipt is passed on with what can be read of it, and whole as it came: many of their members are
attested nowhere. Source: Zalo reference, section 8.
"""

import hmac
import json
import math
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from loa.channels.zalo.answers import whole, word
from loa.channels.zalo.settings import PROVIDER_NAME
from loa.domain.destination import user_destination
from loa.domain.lifecycle import State
from loa.domain.receipt import Receipt
from loa.observe.log import get_logger
from loa.ports.channel import Heard, Unheard
from loa.ports.records import ChannelRecord, NewInbound

SIGNATURE: Final = "x-zevent-signature"
SERVER: Final = "x-zevent-server"
RECEIVED, SEEN = "user_received_message", "user_seen_message"
CHANGES: Final = frozenset(
    {
        "change_template_status",
        "change_template_quality",
        "change_template_quota",
        "change_oa_daily_quota",
        "change_oa_template_tags",
    }
)
"""Events that say that templates or quotas of a channel are no longer what they were."""

KIND_CHARS: Final = 64
KEY_CHARS: Final = 160
SEEN_MAX: Final = 1_000
_HASH_CHARS: Final = 64
_NUMBER_CHARS: Final = 15

log = get_logger("loa.channels.zalo")

Event = Mapping[str, Any]


def hear(channels: Sequence[ChannelRecord], headers: Mapping[str, str], body: bytes, now: int) -> Heard | Unheard:
    """Check who signed an event and read it."""
    event = _object(body)
    if event is None:
        return Unheard("unreadable")
    app_id = word(event.get("app_id")) or word(event.get("appId"))
    of_app = [each for each in channels if app_id and str(each.settings.get("app_id", "")) == app_id]
    if not of_app:
        return Unheard("unknown_app")
    ids = _ids(event)
    channel = next((each for each in of_app if str(each.settings.get("oa_id", "")) in ids), None)
    if channel is None:
        return Unheard("unknown_oa")
    signed = headers.get(SIGNATURE, "")
    timestamp = word(event.get("timestamp"))
    if not _signed(channel, "oa_secret_key", signed, app_id, body, timestamp):
        _say_who_signed(channel, signed, app_id, body, timestamp)
        return Unheard("signature")
    return _read(channel, event, headers, body, now)


def _object(body: bytes) -> Event | None:
    try:
        found = json.loads(body, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None


def _no_number(written: str) -> float:
    raise ValueError(written)


def _finite(written: str) -> float:
    """Read a number. Errors: ValueError for one that JSON could not tell a tenant of."""
    number = float(written)
    if not math.isfinite(number):
        raise ValueError(written)
    return number


def _part(event: Event, name: str) -> Event:
    found = event.get(name)
    return found if isinstance(found, Mapping) else {}


def _ids(event: Event) -> tuple[str, ...]:
    """Give the ids that may be the Official Account's."""
    found = (event.get("oa_id"), event.get("oaId"), *(_part(event, each).get("id") for each in ("sender", "recipient")))
    return tuple(each for each in map(word, found) if each)


def signature_of(app_id: str, body: bytes, timestamp: str, secret: str) -> str:
    """Give the signature of an event: no HMAC, but a sum over the raw body as it came."""
    return "mac=" + sha256(app_id.encode() + body + timestamp.encode() + secret.encode()).hexdigest()


def _signed(channel: ChannelRecord, name: str, signed: str, app_id: str, body: bytes, timestamp: str) -> bool:
    secret = str(channel.settings.get(name) or "")
    wanted = signature_of(app_id, body, timestamp, secret)
    return hmac.compare_digest(wanted.encode(), signed.encode("utf-8", "replace")) and bool(secret)


def _say_who_signed(channel: ChannelRecord, signed: str, app_id: str, body: bytes, timestamp: str) -> None:
    """Tell an admin whose key another secret would be: sources disagree on which one Zalo signs with."""
    by_app = _signed(channel, "app_secret", signed, app_id, body, timestamp)
    reason = "app_secret fits: set oa_secret_key to it" if by_app else "no secret of the channel fits"
    if not channel.settings.get("oa_secret_key"):
        reason = f"oa_secret_key is not set; {reason}"
    log.warning("an event with a wrong signature was not taken", channel=channel.name, reason=reason)


def _read(channel: ChannelRecord, event: Event, headers: Mapping[str, str], body: bytes, now: int) -> Heard:
    name = word(event.get("event_name")) or "unnamed"
    message = _part(event, "message")
    receipts: tuple[Receipt, ...] = ()
    if name == RECEIVED:
        receipts = _received(channel.id, event, message, headers, body, now)
    elif name == SEEN:
        receipts = _seen(channel.id, event, message, body, now)
    if receipts:
        return Heard(channel.id, receipts=receipts)
    inbound = _inbound(channel, name, event, message, body, now)
    return Heard(channel.id, inbound=(inbound,), changed=name in CHANGES)


# receipts


def _received(
    channel_id: int, event: Event, message: Event, headers: Mapping[str, str], body: bytes, now: int
) -> tuple[Receipt, ...]:
    """Read a delivery: of a template to a number, whose event has the same name as that of any other message."""
    refs = tuple(each for each in (word(message.get("msg_id")), word(message.get("tracking_id"))) if each)
    if not refs:
        return ()
    to = word(_part(event, "recipient").get("id"))
    of_template = headers.get(SERVER, "").upper() == "ZNS" or "tracking_id" in message or _is_no_user(to)
    destination = _number(to) if of_template else (user_destination(to) or 0)
    done_at = whole(message.get("delivery_time")) or whole(event.get("timestamp")) or 0
    return (
        Receipt(
            channel_id,
            refs,
            State.DELIVERED,
            "received",
            destination,
            "",
            body,
            now,
            done_at=max(0, done_at),
            sure=True,
        ),
    )


def _is_no_user(to: str) -> bool:
    return len(to) == _HASH_CHARS or (to.startswith("84") and len(to) <= _NUMBER_CHARS)


def _number(to: str) -> int:
    """Read a number, 0 for a hashed one."""
    digits = to.removeprefix("+")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _NUMBER_CHARS else 0


def _seen(channel_id: int, event: Event, message: Event, body: bytes, now: int) -> tuple[Receipt, ...]:
    """Read what a user has seen: it informs, for delivery was told before."""
    ids = message.get("msg_ids")
    found = dict.fromkeys(word(each) for each in ids[:SEEN_MAX]) if isinstance(ids, list) else {}
    destination = user_destination(word(_part(event, "recipient").get("id"))) or 0
    done_at = max(0, whole(event.get("timestamp")) or 0)
    return tuple(
        Receipt(channel_id, (ref,), None, "seen", destination, "", body, now, done_at=done_at) for ref in found if ref
    )


# what came in


def _inbound(channel: ChannelRecord, name: str, event: Event, message: Event, body: bytes, now: int) -> NewInbound:
    at = max(0, whole(event.get("timestamp")) or 0)
    subject = _subject(channel, event)
    return NewInbound(
        channel_id=channel.id,
        kind=name[:KIND_CHARS],
        key=_key(name, event, message),
        subject=subject,
        tenant_id=None,
        body=_told(name, event, message, at) | {"raw": event},
        raw=body,
        received_at=now,
        at=at,
    )


def _subject(channel: ChannelRecord, event: Event) -> int:
    """Name whom an event is about: whoever is there beside the Official Account."""
    oa_id = str(channel.settings.get("oa_id", ""))
    ids = [_part(event, each).get("id") for each in ("follower", "sender", "recipient")]
    for found in map(word, (*ids, event.get("user_id"))):
        if found and found != oa_id:
            number = _number(found) if _is_no_user(found) else 0
            return number or user_destination(found) or 0
    return 0


def _key(name: str, event: Event, message: Event) -> str:
    """Name an event so that its repeats are recognised.

    By message and event; what is about no message by time and subject. A message may have several reactions.
    """
    ref = word(message.get("msg_id"))
    if ref:
        parts = [name, ref, word(message.get("react_icon"))]
    else:
        subject = (event.get(each) for each in ("template_id", "journeyId", "user_id", "group_id", "call_id"))
        people = (_part(event, each).get("id") for each in ("follower", "sender", "recipient"))
        parts = [name, word(event.get("timestamp")), *map(word, (*subject, *people))]
        parts.append(word(_part(event, "tag").get("name")))
    key = ":".join(each for each in parts if each)
    return key if len(key) <= KEY_CHARS else f"{name[:KIND_CHARS]}:{sha256(key.encode()).hexdigest()}"


_TOLD: Final = {
    "oaId": ("oa_id", "oaId"),
    "userIdByApp": ("user_id_by_app",),
    "source": ("source",),
    "info": ("info",),
    "tag": ("tag",),
    "templateId": ("template_id",),
    "status": ("status",),
    "quality": ("quality",),
    "quota": ("quota",),
    "tags": ("tags",),
    "reason": ("reason",),
    "journeyId": ("journeyId",),
    "userConsent": ("user_consent",),
    "callId": ("call_id",),
    "groupId": ("group_id",),
}
_TOLD_OF_MESSAGE: Final = {
    "messageId": "msg_id",
    "trackingId": "tracking_id",
    "text": "text",
    "attachments": "attachments",
    "reaction": "react_icon",
    "rate": "rate",
    "note": "note",
    "feedbacks": "feedbacks",
    "button": "button",
    "conversationId": "conversation_id",
}
"""What is told of an event under a name of our own -> where it stands in it."""


def _told(name: str, event: Event, message: Event, at: int) -> dict[str, Any]:
    told: dict[str, Any] = {"provider": PROVIDER_NAME, "event": name, "at": at}
    for member, places in _TOLD.items():
        value = next((event[each] for each in places if each in event), None)
        if value is not None:
            told[member] = value
    people = {
        "senderId": _part(event, "sender").get("id"),
        "recipientId": _part(event, "recipient").get("id"),
        "userId": _part(event, "follower").get("id") or event.get("user_id"),
    }
    told |= {member: value for member, value in people.items() if value}
    return told | {member: message[place] for member, place in _TOLD_OF_MESSAGE.items() if place in message}
