"""What is asked of Zalo, octet for octet. Pure.

Source: Zalo reference, sections 2, 4 and 5; tests hold each body against its file in tests/fixtures/zalo.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from loa.channels.zalo.codes import Surface
from loa.channels.zalo.settings import HASHED, ZaloSettings
from loa.domain.ids import message_public_id
from loa.ports.channel import Attempt, Exchange

TEMPLATE_PATH: Final = "/message/template"
HASHED_PATH: Final = "/message/template/hashphone"
USER_TEMPLATE_PATH: Final = "/v3.0/oa/message/template"
CONSULTATION_PATH: Final = "/v3.0/oa/message/cs"
QUOTA_PATH: Final = "/message/quota"
STATUS_PATH: Final = "/message/status"
DETAIL_PATH: Final = "/template/info/v2"
OA_PATH: Final = "/v2.0/oa/getoa"

HIDDEN: Final = "•••"

DEVELOPMENT: Final = "development"
BEYOND_QUOTA: Final = "3"

Rich = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as it is sent: where to, with which body, and what it counts as.

    `tag`: of its template, 0 unknown or none. `trial`: it goes in development mode, from a wallet of its own. `beyond`:
    it does not count in the daily quota. `own_quota`: its template has a quota of its own.
    """

    surface: Surface
    path: str
    body: bytes
    tag: int = 0
    template_id: str = ""
    journey_token: str = ""
    trial: bool = False
    beyond: bool = False
    own_quota: bool = False


def tracking_id(attempt: Attempt) -> str:
    """Name one attempt to Zalo; no two attempts have the same.

    Shapes: at most 31 characters, where Zalo takes 48.
    """
    return f"{message_public_id(attempt.message_id)}-{attempt.number}"


def letter_of(attempt: Attempt, settings: ZaloSettings) -> Letter | None:
    """Write what an attempt is to send, None where it holds nothing that this channel carries."""
    try:
        return _letter(attempt.rich, attempt, settings)
    except KeyError:
        return None


def exchange(attempt: Attempt, settings: ZaloSettings) -> Exchange | None:
    """Compose the request of an attempt again, without the token; None where it holds nothing for this channel."""
    letter = letter_of(attempt, settings)
    if letter is None:
        return None
    base = settings.business_url if letter.surface is Surface.NUMBER else settings.openapi_url
    fields = [("url", base.rstrip("/") + letter.path), ("access_token", HIDDEN), ("Content-Type", "application/json")]
    fields += [("journey_token", HIDDEN)] if letter.journey_token else []
    return Exchange("POST", tuple(fields), body=letter.body.decode("utf-8", "replace"))


def _letter(rich: Rich, attempt: Attempt, settings: ZaloSettings) -> Letter | None:
    user_id = str(rich.get("user_id") or (-attempt.destination if attempt.destination < 0 else ""))
    if rich.get("kind") == "template":
        return _to_user(rich, user_id) if user_id else _to_number(rich, attempt, settings)
    message = _MESSAGES.get(str(rich.get("kind")))
    if message is None or not user_id:
        return None
    body = {"recipient": {"user_id": user_id}, "message": message(rich)}
    return Letter(Surface.CONSULTATION, CONSULTATION_PATH, written(body))


def _to_user(rich: Rich, user_id: str) -> Letter:
    body = {"user_id": user_id, "template_id": rich["template_id"], "template_data": rich["data"]}
    return Letter(Surface.USER, USER_TEMPLATE_PATH, written(body), rich.get("tag", 0), rich["template_id"])


def _to_number(rich: Rich, attempt: Attempt, settings: ZaloSettings) -> Letter:
    hashed = settings.number_form == HASHED
    digits = str(attempt.destination)
    trial = settings.development or rich.get("mode") == DEVELOPMENT
    sending_mode = rich.get("sending_mode", "")
    body: dict[str, Any] = {"hash_phone": sha256(digits.encode()).hexdigest()} if hashed else {"phone": digits}
    body["template_id"] = rich["template_id"]
    body["template_data"] = rich["data"]
    body["tracking_id"] = tracking_id(attempt)
    if sending_mode:
        body["sending_mode"] = sending_mode
    if trial:
        body["mode"] = DEVELOPMENT
    return Letter(
        Surface.NUMBER,
        HASHED_PATH if hashed else TEMPLATE_PATH,
        written(body),
        rich.get("tag", 0),
        rich["template_id"],
        rich.get("journey_token", ""),
        trial,
        sending_mode == BEYOND_QUOTA,
        bool(rich.get("own_quota")),
    )


def _media(media_type: str, **members: str) -> Mapping[str, Any]:
    elements = [{"media_type": media_type, **members}]
    return {"attachment": {"type": "template", "payload": {"template_type": "media", "elements": elements}}}


def _image(rich: Rich) -> Mapping[str, Any]:
    by_url = "url" in rich
    return _media("image", **({"url": rich["url"]} if by_url else {"attachment_id": rich["attachment_id"]}))


def _text(rich: Rich) -> Mapping[str, Any]:
    return {"text": rich["text"]}


def _sticker(rich: Rich) -> Mapping[str, Any]:
    return _media("sticker", attachment_id=rich["sticker_id"])


def _file(rich: Rich) -> Mapping[str, Any]:
    return {"attachment": {"type": "file", "payload": {"token": rich["token"]}}}


_MESSAGES: Final[Mapping[str, Callable[[Rich], Mapping[str, Any]]]] = {
    "text": _text,
    "image": _image,
    "sticker": _sticker,
    "file": _file,
}


def written(body: Mapping[str, Any]) -> bytes:
    """Write a body as JSON in UTF-8; half a surrogate pair, which is no character, becomes a question mark."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
