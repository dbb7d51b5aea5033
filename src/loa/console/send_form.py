"""The form of the screen Send: what stands in it, and the vendor's send-message body that it makes."""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from loa.domain.destination import USER_PREFIX
from loa.domain.template import Template
from loa.domain.traffic import VENDOR_TYPES

TEST, LIVE = "test", "live"
TEXT, TEMPLATE = "text", "template"
TYPES: Final = {str(number): each.label for number, each in VENDOR_TYPES.items()}
UNICODE: Final = ("1", "2", "0")
"""Values of `useUnicode`, the one that never surprises first."""
PARAMETER: Final = "param."
"""Fields that begin so hold the parameters of a template."""
OWN_ID: Final = "console-"
_KEPT: Final = (
    "nonce",
    "mode",
    "sender",
    "destinations",
    "type",
    "content",
    "text",
    "unicode",
    "template",
    "fallback",
    "scheduled",
    "request_id",
)
"""Fields that hold a text, as they are called here and in the form."""
_SEPARATORS: Final = re.compile(r"[\r\n,;|\t]+")
_FIELDS: Final = {
    "from": "sender",
    "requestId": "request_id",
    "useUnicode": "unicode",
    "type": "type",
    "text": "text",
    "scheduled": "scheduled",
    "destinations": "destinations",
    "ext.templateId": "template",
}


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as somebody filled it in. `nonce`: tells one made form from another; `pieces`: each destination."""

    nonce: str
    mode: str = TEST
    sender: str = ""
    destinations: str = ""
    type: str = "0"
    content: str = TEXT
    text: str = ""
    unicode: str = UNICODE[0]
    template: str = ""
    fallback: str = ""
    scheduled: str = ""
    request_id: str = ""
    skip: bool = False
    data: Mapping[str, str] = field(default_factory=dict)
    pieces: tuple[str, ...] = ()

    @property
    def live(self) -> bool:
        """Whether it reaches real handsets."""
        return self.mode == LIVE

    @property
    def by_template(self) -> bool:
        """Whether a template is sent."""
        return self.content == TEMPLATE

    @property
    def says_something(self) -> bool:
        """Whether there is anything to send."""
        return bool(self.template if self.by_template else self.text)

    def body(self, template: Template | None) -> dict[str, Any]:
        """Give the body of the send call that this form stands for, without a made request id."""
        text, ext = self.text, self._ext(template)
        if self.by_template:
            # The call wants a text in any case; without one of its own nothing may go over SMS.
            text = self.fallback or (template.name if template else "") or self.template
        plain = self.unicode if self.fallback or not self.by_template else "1"
        wanted: dict[str, Any] = {
            "destinations": list(self.pieces),
            "from": self.sender,
            "text": text,
            "useUnicode": int(plain),
            "type": int(self.type),
        }
        optional = {"scheduled": self.scheduled, "requestId": self.request_id, "ext": ext}
        return {**wanted, **{name: value for name, value in optional.items() if value}}

    def _ext(self, template: Template | None) -> dict[str, Any]:
        ext: dict[str, Any] = {"onInvalid": "skip"} if self.skip else {}
        if not self.by_template:
            return ext
        known = {each.name: each for each in template.parameters} if template else {}
        data = {
            name: value
            for name, value in self.data.items()
            if name in known and (value or (known[name].required and known[name].accepts_empty))
        }
        ext |= {"templateId": self.template, "templateData": data}
        return ext if self.fallback else {**ext, "enable_sms_on_zns_failure": False}

    def sent_as(self, body: Mapping[str, Any]) -> str:
        """Give the request id to send under, the same for the same form with the same content.

        A second click, or a second try after a time-out, is recognised by it. A simulation never takes up the id that
        somebody gave, so that sending for real under it afterwards is no repeat.
        """
        if self.request_id and self.live:
            return self.request_id
        meaning = json.dumps([self.nonce, self.mode, body], sort_keys=True)
        return OWN_ID + hashlib.sha256(meaning.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def hidden(self) -> dict[str, str]:
        """Give the fields that make this form again."""
        kept = {name: str(getattr(self, name)) for name in _KEPT}
        return {**kept, **({"skip": "1"} if self.skip else {}), **{PARAMETER + n: v for n, v in self.data.items()}}


def new_nonce() -> str:
    """Mark a form that is made now."""
    return secrets.token_hex(8)


def read_filled(given: Mapping[str, str], read_number: Callable[[str], str | None], nonce: str = "") -> Filled:
    """Read a form; what it may not hold becomes the first choice."""
    destinations = given.get("destinations", "")
    return Filled(
        nonce=given.get("nonce", nonce),
        mode=_one_of(given.get("mode", ""), (TEST, LIVE)),
        sender=given.get("sender", "").strip(),
        destinations=destinations,
        type=_one_of(given.get("type", ""), tuple(TYPES)),
        content=_one_of(given.get("content", ""), (TEXT, TEMPLATE)),
        text=_lines(given.get("text", "")),
        unicode=_one_of(given.get("unicode", ""), UNICODE),
        template=given.get("template", "").strip(),
        fallback=_lines(given.get("fallback", "")),
        scheduled=given.get("scheduled", "").strip(),
        request_id=given.get("request_id", "").strip(),
        skip=given.get("skip") == "1",
        data={
            name.removeprefix(PARAMETER): value for name, value in given.items() if name.startswith(PARAMETER) and value
        },
        pieces=separate(destinations, read_number),
    )


def field_of(where: str) -> str:
    """Name the field of the form that a finding speaks of, "" where there is none."""
    if where.startswith("ext.templateData."):
        return PARAMETER + where.removeprefix("ext.templateData.")
    return _FIELDS.get(where.partition("[")[0], "")


def separate(pasted: str, read_number: Callable[[str], str | None]) -> tuple[str, ...]:
    """Part what was pasted into destinations: by lines, commas, semicolons, bars and tabs.

    Spaces part numbers too, unless they stand inside one: `0912 345 678` is one, `0912345678 0987654321` are two.
    """
    found: list[str] = []
    for piece in (each.strip() for each in _SEPARATORS.split(pasted)):
        words = piece.split()
        if len(words) > 1 and read_number(piece) is None and all(_stands_alone(word, read_number) for word in words):
            found += words
        elif piece:
            found.append(piece)
    return tuple(found)


def _stands_alone(word: str, read_number: Callable[[str], str | None]) -> bool:
    return word.startswith(USER_PREFIX) or read_number(word) is not None


def _lines(text: str) -> str:
    """Undo what a browser does to line breaks: each would be sent as two characters."""
    return text.replace("\r\n", "\n")


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    return value if value in allowed else allowed[0]
