"""The events that the platform posts: their bodies and their signature.

Written apart from the code that reads them; tests hold both against the same payload files.
Source: Zalo reference, section 8: plain SHA-256 over app id, raw body, timestamp and OA secret key.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from loa.simulators.zalo.state import Message, OaState

TEMPLATE_EVENTS: Final = frozenset(
    {
        "user_feedback",
        "change_template_status",
        "change_template_quality",
        "change_template_quota",
        "change_oa_template_tags",
        "change_oa_daily_quota",
        "event_journey_acknowledged",
        "event_journey_time_out",
        "user_click_response_button",
    }
)
"""Events that are always marked as coming from the template side; `user_received_message` is where it is from there."""


@dataclass(slots=True)
class Notice:
    """One event on its way. `tries`: how often it was posted."""

    name: str
    url: str
    body: bytes
    signature: str
    marked: bool
    tries: int = 0


def sign(app_id: str, body: bytes, timestamp: str, secret_key: str) -> str:
    """Sign an event."""
    return (
        "mac=" + hashlib.sha256(b"".join((app_id.encode(), body, timestamp.encode(), secret_key.encode()))).hexdigest()
    )


def notice(oa: OaState, url: str, body: Mapping[str, Any], *, marked: bool) -> Notice:
    """Make an event from its body, which holds `event_name` and `timestamp`."""
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    signature = sign(oa.told.app_id, raw, body["timestamp"], oa.told.secret_key)
    return Notice(body["event_name"], url, raw, signature, marked)


def from_user(oa: OaState, user_id: str, name: str, now: int, **more: Any) -> dict[str, Any]:
    """Write what a user did."""
    return {
        "app_id": oa.told.app_id,
        "user_id_by_app": oa.by_app(user_id),
        "event_name": name,
        "timestamp": str(now),
        "sender": {"id": user_id},
        "recipient": {"id": oa.told.oa_id},
        **more,
    }


def from_oa(oa: OaState, user_id: str, name: str, now: int, **more: Any) -> dict[str, Any]:
    """Write what the Official Account did, or what became of its message."""
    return {
        "app_id": oa.told.app_id,
        "user_id_by_app": oa.by_app(user_id),
        "event_name": name,
        "timestamp": str(now),
        "sender": {"id": oa.told.oa_id},
        "recipient": {"id": user_id},
        **more,
    }


def received(message: Message, now: int) -> dict[str, Any]:
    """Write that a message reached the phone."""
    oa = message.oa
    if message.surface != "number":
        return from_oa(oa, message.destination, "user_received_message", now, message={"msg_id": message.message_id})
    return {
        "app_id": oa.told.app_id,
        "event_name": "user_received_message",
        "timestamp": str(now),
        "sender": {"id": oa.told.oa_id},
        "recipient": {"id": message.destination},
        "message": {
            "delivery_time": str(message.delivered_at),
            "msg_id": message.message_id,
            "tracking_id": message.tracking_id,
        },
    }


def followed(oa: OaState, user_id: str, name: str, now: int) -> dict[str, Any]:
    """Write that a user follows, or does so no more."""
    return {
        "app_id": oa.told.app_id,
        "oa_id": oa.told.oa_id,
        "user_id_by_app": oa.by_app(user_id),
        "event_name": name,
        "timestamp": str(now),
        "source": "oa_profile",
        "follower": {"id": user_id},
    }


def feedback(message: Message, now: int, rate: int, note: str, feedbacks: tuple[str, ...]) -> dict[str, Any]:
    """Write that a template message was rated; the keys of `message` are inferred (Q14)."""
    return {
        "app_id": message.oa.told.app_id,
        "event_name": "user_feedback",
        "timestamp": str(now),
        "sender": {"id": message.destination},
        "recipient": {"id": message.oa.told.oa_id},
        "message": {
            "msg_id": message.message_id,
            "tracking_id": message.tracking_id,
            "rate": rate,
            "note": note,
            "feedbacks": list(feedbacks),
            "submit_time": str(now),
        },
    }


def template_changed(
    oa: OaState, template_id: str, what: str, before: str, after: str, now: int, reason: str = ""
) -> dict[str, Any]:
    """Write that `status`, `quality` or `quota` of a template changed."""
    body: dict[str, Any] = {
        "app_id": oa.told.app_id,
        "event_name": f"change_template_{what}",
        "timestamp": str(now),
        "oa_id": oa.told.oa_id,
        "template_id": template_id,
        what: {f"prev_{what}": before, f"new_{what}": after},
    }
    return {**body, "reason": reason} if what == "status" else body


def quota_changed(oa: OaState, before: int, after: int, now: int) -> dict[str, Any]:
    """Write that the daily quota changed; here the key is `oaId`."""
    return {
        "app_id": oa.told.app_id,
        "event_name": "change_oa_daily_quota",
        "timestamp": str(now),
        "oaId": oa.told.oa_id,
        "quota": {"prev_value": str(before), "new_value": str(after)},
    }


def journey(oa: OaState, journey_id: str, name: str, now: int) -> dict[str, Any]:
    """Write that a journey is charged from now on, or over; here the keys are `oaId` and `appId`."""
    return {
        "event_name": name,
        "oaId": oa.told.oa_id,
        "journeyId": journey_id,
        "appId": oa.told.app_id,
        "timestamp": str(now),
    }
