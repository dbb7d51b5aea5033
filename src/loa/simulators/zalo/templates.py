"""Sending template messages: to a number, to a hashed number, to a user id.

Source: Zalo reference, sections 4 to 7.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from loa.simulators.zalo import content, notices
from loa.simulators.zalo.exchange import Exchange
from loa.simulators.zalo.judge import Subject
from loa.simulators.zalo.platform import Case, Payload, Platform, Refusal
from loa.simulators.zalo.reading import bearer, body_of, text_in
from loa.simulators.zalo.state import Journey, Message, OaState, TemplateState, vietnam_hour

TRACKING_ID_MAX: Final = 48
PROMOTION: Final = 3
BAD_TOKEN: Final = -124
BAD_NUMBER: Final = -108
BAD_PARAMETER: Final = -132
_NUMBER: Final = re.compile(r"\+?(84[35789][0-9]{8})")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_STATUSES: Final[Mapping[str, int]] = {"PENDING_REVIEW": -131, "REJECT": -131, "DISABLE": -146, "DELETE": -109}
_MODES: Final = ("1", "3")

_USER_CODES: Final[Mapping[int, tuple[int, str]]] = {
    -109: (-201, "template_id is invalid"),
    -131: (-201, "template_id is not approved"),
    -145: (-201, "template_id is not allowed"),
    -146: (-201, "template_id is disabled"),
    -111: (-201, "template_data is invalid"),
    -1121: (-201, "template_data is invalid"),
    -1122: (-201, "template_data is invalid"),
    -1124: (-201, "template_data is invalid"),
    -132: (-201, ""),
    -133: (-234, ""),
    -144: (-211, ""),
    -147: (-211, ""),
    -1441: (-211, ""),
    -1471: (-218, ""),
    -1472: (-218, ""),
}
"""How the other surface says the same: only -201, -211, -218, -234 and -249 are attested there."""


def to_number(platform: Platform, exchange: Exchange) -> Case:
    """Read a send to a number."""
    return _read(platform, exchange, "phone", _NUMBER)


def to_hash(platform: Platform, exchange: Exchange) -> Case:
    """Read a send to a hashed number."""
    return _read(platform, exchange, "hash_phone", _HASH)


def _read(platform: Platform, exchange: Exchange, member: str, form: re.Pattern[str]) -> Case:
    body = body_of(exchange)
    given, template_id, tracking_id = text_in(body, member), text_in(body, "template_id"), text_in(body, "tracking_id")
    match = form.fullmatch(given)
    destination = match[match.lastindex or 0] if match is not None else given
    case = Case(Subject("number", destination, template_id, f"{destination}/{tracking_id}"))
    with case:
        oa = case.oa = bearer(platform, exchange, BAD_TOKEN, BAD_TOKEN)
        # Of a hashed number the rules see the number, where it is known.
        case.subject = Subject("number", oa.msisdn_of(destination), template_id, case.subject.key)
        if match is None:
            raise Refusal(BAD_NUMBER)
        _check_members(platform, body, tracking_id)
        template = _template(oa, template_id)
        data = content.check(template.told, body.get("template_data"))
        token = exchange.header(b"journey_token")
        journey = _journey(platform, oa, template, token, case.subject.destination)
        message = Message(
            "", oa, "number", destination, tracking_id, platform.clock.now(), template_id, kind="template", rich=data
        )
        if body.get("mode") == "development":
            _check_development(oa, case.subject.destination)
            case.commit = partial(_accept_development, platform, case, template, message)
        else:
            mode = body.get("sending_mode", "1")
            _check_hours_and_quota(platform, template, message, case.subject.destination, mode)
            case.commit = partial(_accept, platform, case, template, message, mode, journey)
    return case


def _check_members(platform: Platform, body: Mapping[str, Any], tracking_id: str) -> None:
    if not isinstance(body.get("template_id"), str):
        raise Refusal(BAD_PARAMETER, "template_id must be a string")
    if len(tracking_id) > TRACKING_ID_MAX:
        raise Refusal(BAD_PARAMETER, f"tracking_id is longer than {TRACKING_ID_MAX}")
    if not tracking_id and platform.script.require_tracking_id:
        raise Refusal(BAD_PARAMETER, "tracking_id is missing")
    if body.get("sending_mode", "1") not in _MODES:
        raise Refusal(BAD_PARAMETER, "sending_mode is wrong")
    if body.get("mode", "development") != "development":
        raise Refusal(BAD_PARAMETER, "mode is wrong")


def _template(oa: OaState, template_id: str) -> TemplateState:
    template = oa.templates.get(template_id)
    if template is None:
        raise Refusal(-109)
    if template.told.status != "ENABLE":
        raise Refusal(_STATUSES.get(template.told.status, -131))
    if template.told.tag not in oa.told.tags:
        raise Refusal(-145)
    return template


def _journey(platform: Platform, oa: OaState, template: TemplateState, token: str, destination: str) -> Journey | None:
    if not template.told.journey:
        if token:
            raise Refusal(-1491)
        return None
    journey = oa.journeys.get(token)
    if journey is None:
        raise Refusal(-148)
    if platform.clock.now() >= journey.expires_at:
        raise Refusal(-150)
    if journey.destination != destination:
        raise Refusal(-149)
    return journey


def _check_development(oa: OaState, destination: str) -> None:
    user = oa.numbers.get(destination)
    if user is None or not user.admin:
        raise Refusal(-127)
    if oa.development_wallet <= 0:
        raise Refusal(-126)


def _check_hours_and_quota(
    platform: Platform, template: TemplateState, message: Message, destination: str, mode: str
) -> None:
    oa, script, tag = message.oa, platform.script, template.told.tag
    if tag in script.night_tags and not script.day_starts <= vietnam_hour(message.at) < script.day_ends:
        raise Refusal(-133)
    beyond = mode == "3"
    if beyond and not (oa.told.beyond_quota and tag == PROMOTION):
        raise Refusal(-162)
    if oa.remaining <= 0 and not beyond:
        raise Refusal(-144)
    if template.told.daily_quota and template.remaining <= 0:
        raise Refusal(-147)
    if tag == PROMOTION:
        _check_promotion(platform, oa, destination)


def _check_promotion(platform: Platform, oa: OaState, destination: str) -> None:
    if oa.promotions <= 0:
        raise Refusal(-1441)
    if oa.promoted_today[destination] >= platform.script.promotions_per_day:
        raise Refusal(-1472)
    if oa.promoted_this_month[destination] >= platform.script.promotions_per_month:
        raise Refusal(-1471)


def _spend(template: TemplateState, oa: OaState, destination: str, mode: str) -> None:
    if mode != "3":
        oa.remaining -= 1
    template.remaining -= 1
    if template.told.tag == PROMOTION:
        oa.promotions -= 1
        oa.promoted_today[destination] += 1
        oa.promoted_this_month[destination] += 1


def _taken(platform: Platform, case: Case, template: TemplateState, message: Message) -> None:
    """Make a message of what was sent, and its line for the journal."""
    message.message_id = platform.new_id()
    message.text = content.rendered(template.told, message.rich)
    platform.remember(message)
    case.message = message
    case.line = {
        "kind": "send",
        "at": message.at,
        "surface": message.surface,
        "oaId": message.oa.told.oa_id,
        "destination": message.destination,
        "templateId": message.template_id,
        "data": message.rich,
        "trackingId": message.tracking_id,
        "msgId": message.message_id,
        "code": 0,
    }


def _accept_development(platform: Platform, case: Case, template: TemplateState, message: Message) -> Payload:
    message.oa.development_wallet -= 1
    _taken(platform, case, template, message)
    return _answer(message, "1")


def _accept(
    platform: Platform, case: Case, template: TemplateState, message: Message, mode: str, journey: Journey | None
) -> Payload:
    _spend(template, message.oa, case.subject.destination, mode)
    _taken(platform, case, template, message)
    if journey is not None and not journey.used:
        journey.used = True
        begun = notices.journey(message.oa, journey.journey_id, "event_journey_acknowledged", message.at)
        case.events.append((begun, True))
    return _answer(message, mode)


def _answer(message: Message, mode: str) -> Payload:
    return {
        "error": 0,
        "message": "Success",
        "data": {
            "msg_id": message.message_id,
            "sent_time": str(message.at),
            "sending_mode": mode,
            "quota": {"dailyQuota": str(message.oa.daily_quota), "remainingQuota": str(message.oa.remaining)},
        },
    }


def to_user(platform: Platform, exchange: Exchange) -> Case:
    """Read a send to a user id; it has no tracking_id."""
    body = body_of(exchange)
    user_id, template_id = text_in(body, "user_id"), text_in(body, "template_id")
    case = Case(Subject("user", user_id, template_id, user_id))
    with case:
        oa = case.oa = bearer(platform, exchange, -216, -220)
        if user_id not in oa.users:
            raise Refusal(-201, "user_id is invalid")
        template = _template(oa, template_id)
        if not template.told.to_users:
            raise Refusal(-249)
        data = content.check(template.told, body.get("template_data"))
        message = Message("", oa, "user", user_id, "", platform.clock.now(), template_id, kind="template", rich=data)
        _check_hours_and_quota(platform, template, message, user_id, "1")
        case.commit = partial(_accept_user, platform, case, template, message)
    if case.code:
        case.code, case.detail = _USER_CODES.get(case.code, (case.code, case.detail))
    return case


def _accept_user(platform: Platform, case: Case, template: TemplateState, message: Message) -> Payload:
    _spend(template, message.oa, message.destination, "1")
    _taken(platform, case, template, message)
    return {
        "error": 0,
        "message": "Success",
        "data": {
            "message_id": message.message_id,
            "user_id": message.destination,
            "sent_time": str(message.at),
            "quota": {"quota_type": "sub_quota", "remain": str(message.oa.remaining)},
        },
    }
