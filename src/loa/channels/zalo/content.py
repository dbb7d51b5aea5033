"""What a request becomes over Zalo: a template with its values, or a message of the Official Account to a user. Pure.

What the caller asked for by name is checked to the last parameter before it is accepted. A plain text is held against
the registered templates, so that code written for SMS reaches Zalo; one that is none of them leaves this step out.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from loa.channels.zalo import parameters
from loa.channels.zalo.client import fits_header
from loa.channels.zalo.messages import message_of
from loa.channels.zalo.requests import BEYOND_QUOTA, DEVELOPMENT
from loa.domain.destination import user_destination
from loa.domain.rules import Finding
from loa.domain.template import ENABLED, Tag, Template
from loa.domain.template_match import Ambiguous, Match, NoMatch, match_text
from loa.domain.traffic import TrafficClass
from loa.ports.channel import Composed, Unfit, Wish

TEXT_CHARS: Final = 2_000
JOURNEY_CHARS: Final = 512
MEMBERS: Final = ("userId", "journeyToken", "mode", "sendingMode", "message", "trackingId")
_SENDING_MODES: Final = ("1", BEYOND_QUOTA)


@dataclass(frozen=True, slots=True)
class Options:
    """What `ext.zalo` asks for, read; "" for nothing. `users`: it goes to a user id and not to a number."""

    users: bool = False
    user_id: str = ""
    journey_token: str = ""
    mode: str = ""
    sending_mode: str = ""
    message: Mapping[str, Any] | None = None


def compose(templates: Sequence[Template], wish: Wish, *, development: bool) -> Composed | Unfit:
    """Make what a channel would send, or say why it cannot. `development`: everything to numbers is a trial."""
    options, found = _options(wish.ext.get("zalo"))
    if found:
        return Unfit(found, wrong=True)
    users = wish.users or bool(options.user_id)
    mode = options.mode or (DEVELOPMENT if development and not users else "")
    options = replace(options, users=users, mode=mode)
    asked = wish.ext.get("templateId")
    if options.message is not None:
        return _message(options, template=asked)
    if asked is None:
        return _by_text(templates, wish, options)
    template_id = str(asked).strip()
    template = next((each for each in templates if each.template_id == template_id), None)
    if template is None:
        return Unfit((Finding("ext.templateId", "template_unknown", {"template": template_id[:64]}),), wrong=True)
    data = wish.ext.get("templateData")
    texts, found = parameters.texts_of(data if isinstance(data, Mapping) else {})
    found = (*_unfit(template, wish.traffic_class, options), *found)
    wrong = {each.where for each in found}
    found += tuple(each for each in parameters.check(template, texts) if each.where not in wrong)
    return Unfit(found, wrong=True) if found else _template(template, texts, options, by="templateId")


def _by_text(templates: Sequence[Template], wish: Wish, options: Options) -> Composed | Unfit:
    """Find the template that a plain text is; to a user, a text that is none goes as it stands."""
    match match_text(templates, wish.text):
        case Match(template, data):
            found = _unfit(template, wish.traffic_class, options)
            if not found:
                return _template(template, dict(data), options, by="text")
        case Ambiguous() as several:
            names = ", ".join(several.names)
            return Unfit((Finding("text", "template_ambiguous", {"templates": names}),), wrong=True)
        case NoMatch(not_enabled=""):
            found = (Finding("text", "template_no_match"),)
        case NoMatch(not_enabled=idle):
            found = (Finding("text", "template_idle", {"template": idle}),)
    return _consultation(wish.text, options) if options.users else Unfit(found)


def _consultation(text: str, options: Options) -> Composed | Unfit:
    text = unicodedata.normalize("NFC", text)
    if len(text) > TEXT_CHARS:
        return Unfit((Finding("text", "too_long", {"limit": TEXT_CHARS}),))
    return _to_user({"kind": "text", "text": text}, options)


def _message(options: Options, *, template: object) -> Composed | Unfit:
    """Make a message of the Official Account; it goes to users only, and not beside a template."""
    if template is not None:
        return Unfit((Finding("ext.zalo.message", "zalo_one_content"),), wrong=True)
    if not options.users:
        return Unfit((Finding("ext.zalo.message", "zalo_users_only"),), wrong=True)
    assert options.message is not None
    rich = message_of(options.message, TEXT_CHARS)
    return Unfit(rich, wrong=True) if isinstance(rich, tuple) else _to_user(rich, options)


def _to_user(rich: Mapping[str, Any], options: Options) -> Composed:
    to = {"user_id": options.user_id} if options.user_id else {}
    return Composed({**rich, **to}, on_delivery=True, said={"form": rich["kind"], "to": "user"})


def _template(template: Template, texts: Mapping[str, str], options: Options, *, by: str) -> Composed:
    rich: dict[str, Any] = {
        "kind": "template",
        "template_id": template.template_id,
        "data": dict(texts),
        "tag": int(template.tag or 0),
    }
    if options.users:
        rich |= {"user_id": options.user_id} if options.user_id else {}
    else:
        wanted = {"journey_token": options.journey_token, "mode": options.mode, "sending_mode": options.sending_mode}
        rich |= {name: value for name, value in wanted.items() if value}
        rich |= {"own_quota": True} if template.daily_quota > 0 else {}
    said: dict[str, Any] = {
        "form": "template",
        "to": "user" if options.users else "number",
        "template": template.template_id,
        "by": by,
    }
    said |= {"name": template.name, "data": dict(texts)}
    said |= {"mode": DEVELOPMENT} if options.mode else {}
    return Composed(rich, template.price_to_user if options.users else template.price, on_delivery=True, said=said)


def _unfit(template: Template, traffic_class: TrafficClass, options: Options) -> tuple[Finding, ...]:
    """Say why a template may not be sent so."""
    said = {"template": template.name or template.template_id}
    found = []
    if template.status != ENABLED:
        found.append(Finding("ext.templateId", "template_not_enabled", {**said, "status": template.status}))
    if template.tag is Tag.PROMOTION and traffic_class is not TrafficClass.ADVERTISING:
        found.append(Finding("ext.templateId", "template_promotion", said))
    if options.users and template.price_to_user <= 0:
        found.append(Finding("ext.templateId", "template_not_to_users", said))
    if options.sending_mode == BEYOND_QUOTA and template.tag is not Tag.PROMOTION:
        found.append(Finding("ext.zalo.sendingMode", "zalo_sending_mode", said))
    if options.users and (options.journey_token or options.mode or options.sending_mode):
        found.append(Finding("ext.zalo", "zalo_numbers_only"))
    return tuple(found)


def _options(given: object) -> tuple[Options, tuple[Finding, ...]]:
    """Read `ext.zalo`."""
    if given is None:
        return Options(), ()
    if not isinstance(given, Mapping):
        return Options(), (Finding("ext.zalo", "wrong_type", {"expected": "object"}),)
    found = [
        Finding(f"ext.zalo.{name}", "not_allowed", {"allowed": ", ".join(MEMBERS)})
        for name in given
        if name not in MEMBERS
    ]
    message = given.get("message")
    if message is not None and not isinstance(message, Mapping):
        found.append(Finding("ext.zalo.message", "wrong_type", {"expected": "object"}))
    read = {name: _option(given, name, found) for name in MEMBERS if name != "message"}
    found += _wrong(read)
    options = Options(
        user_id=read["userId"],
        journey_token=read["journeyToken"],
        mode=read["mode"],
        sending_mode=read["sendingMode"],
        message=None if found else message,
    )
    return options, tuple(found)


def _option(given: Mapping[str, Any], name: str, found: list[Finding]) -> str:
    value = given.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        found.append(Finding(f"ext.zalo.{name}", "wrong_type", {"expected": "string"}))
        return ""
    return str(value).strip()


def _wrong(read: Mapping[str, str]) -> list[Finding]:
    found = []
    if read["userId"] and user_destination(read["userId"]) is None:
        found.append(Finding("ext.zalo.userId", "zalo_user_id"))
    token = read["journeyToken"]
    if token and (len(token) > JOURNEY_CHARS or not fits_header(token)):
        found.append(Finding("ext.zalo.journeyToken", "zalo_journey_token", {"limit": JOURNEY_CHARS}))
    if read["mode"] not in ("", DEVELOPMENT):
        found.append(Finding("ext.zalo.mode", "not_allowed", {"allowed": DEVELOPMENT}))
    if read["sendingMode"] not in ("", *_SENDING_MODES):
        found.append(Finding("ext.zalo.sendingMode", "not_allowed", {"allowed": ", ".join(_SENDING_MODES)}))
    return found
