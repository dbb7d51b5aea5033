"""Messages of the Official Account as a caller asks for them in `ext.zalo.message`: one form each. Pure.

Source: Zalo reference, section 4.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from loa.domain.rules import Finding

WHERE: Final = "ext.zalo.message"
VALUE_CHARS: Final = 2_048
FORMS: Final[Mapping[str, tuple[str, str]]] = {
    "text": ("text", "text"),
    "imageUrl": ("image", "url"),
    "attachmentId": ("image", "attachment_id"),
    "token": ("file", "token"),
    "stickerId": ("sticker", "sticker_id"),
}
"""The member that says what is sent -> the kind of message, and where the value goes in it."""


def message_of(given: Mapping[str, Any], text_chars: int) -> Mapping[str, str] | tuple[Finding, ...]:
    """Give the message, or what is wrong with it."""
    unknown = [name for name in given if name not in FORMS]
    if unknown or len(given) != 1:
        where = f"{WHERE}.{unknown[0]}" if unknown else WHERE
        return (Finding(where, "zalo_message_form", {"allowed": ", ".join(FORMS)}),)
    ((member, value),) = given.items()
    where = f"{WHERE}.{member}"
    if isinstance(value, bool) or not isinstance(value, str | int):
        return (Finding(where, "wrong_type", {"expected": "string"}),)
    kind, place = FORMS[member]
    text = unicodedata.normalize("NFC", str(value))
    limit = text_chars if member == "text" else VALUE_CHARS
    if not text.strip():
        return (Finding(where, "empty"),)
    if len(text) > limit:
        return (Finding(where, "too_long", {"limit": limit}),)
    if member == "imageUrl" and not text.startswith(("https://", "http://")):
        return (Finding(where, "url_form"),)
    return {"kind": kind, place: text}
