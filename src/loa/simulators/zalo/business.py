"""What can be asked on the template side: quota, quality, templates, ratings, messages, journeys.

Source: Zalo reference, section 5.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from loa.simulators.zalo import content
from loa.simulators.zalo.exchange import Exchange
from loa.simulators.zalo.judge import Subject
from loa.simulators.zalo.platform import Case, Payload, Platform, Refusal, success
from loa.simulators.zalo.reading import bearer, body_of, text_in
from loa.simulators.zalo.state import Journey, OaState
from loa.simulators.zalo.templates import BAD_NUMBER, BAD_PARAMETER, BAD_TOKEN
from loa.simulators.zalo.world import Template

PAGE_MAX: Final = 100
_TAGS: Final[Mapping[int, str]] = {1: "TRANSACTION", 2: "CUSTOMER_CARE", 3: "PROMOTION"}
_FILTERS: Final[Mapping[str, str]] = {
    "1": "ENABLE",
    "2": "PENDING_REVIEW",
    "3": "REJECT",
    "4": "DISABLE",
    "5": "DELETE",
}

Values = Mapping[str, Any]


def quota(_: Platform, oa: OaState, __: Values) -> Payload:
    """Answer with the quota."""
    return success(
        {
            "dailyQuota": oa.daily_quota,
            "remainingQuota": oa.remaining,
            "dailyQuotaPromotion": None,
            "remainingQuotaPromotion": None,
            "monthlyPromotionQuota": oa.told.promotion_quota,
            "remainingMonthlyPromotionQuota": oa.promotions,
            "estimatedNextMonthPromotionQuota": oa.told.promotion_quota,
        }
    )


def quality(_: Platform, oa: OaState, __: Values) -> Payload:
    """Answer with the quality of the Official Account."""
    return success({"oaCurrentQuality": oa.told.quality, "oa7dayQuality": oa.told.quality})


def tags(_: Platform, oa: OaState, __: Values) -> Payload:
    """Answer with what may be sent."""
    return success([_TAGS[each] for each in oa.told.tags])


def template_list(platform: Platform, oa: OaState, values: Values) -> Payload:
    """Answer with a page of templates; the filter is a number, and a word is refused."""
    offset, limit = _whole(values, "offset", 0), _whole(values, "limit", PAGE_MAX)
    wanted = values.get("status")
    if limit > PAGE_MAX or (wanted is not None and wanted not in _FILTERS):
        raise Refusal(BAD_PARAMETER)
    found = [each.told for each in oa.templates.values() if wanted is None or each.told.status == _FILTERS[wanted]]
    page = [_line(each, platform.clock.now()) for each in found[offset : offset + limit]]
    return {**success(page), "metadata": {"total": len(found)}}


def _whole(values: Values, name: str, without: int) -> int:
    written = str(values.get(name, without))
    if not (written.isascii() and written.isdigit()):
        raise Refusal(BAD_PARAMETER, f"{name} must be a number")
    return int(written)


def _number(template_id: str) -> int | str:
    return int(template_id) if template_id.isdigit() else template_id


def _line(template: Template, now: int) -> Payload:
    return {
        "templateId": _number(template.template_id),
        "templateName": template.name,
        "createdTime": now,
        "status": template.status,
        "templateQuality": template.quality,
    }


def template_detail(_: Platform, oa: OaState, values: Values) -> Payload:
    """Answer with everything about one template."""
    found = oa.templates.get(str(values.get("template_id", "")))
    if found is None:
        raise Refusal(-109)
    told = found.told
    return success(
        {
            "templateId": _number(told.template_id),
            "templateName": told.name,
            "status": told.status,
            "reason": told.reason,
            "listParams": [
                {
                    "name": each.name,
                    "require": each.required,
                    "type": each.kind,
                    "maxLength": content.cap(each),
                    "minLength": each.min_length,
                    "acceptNull": each.accepts_empty,
                }
                for each in told.parameters
            ],
            "listButtons": [{"type": 1, "title": "Xem đơn hàng", "content": "https://shop.example/orders"}],
            "timeout": told.timeout_ms,
            "previewUrl": f"https://account.zalo.cloud/preview/{told.template_id}",
            "templateQuality": told.quality,
            "templateTag": _TAGS.get(told.tag, ""),
            "price": str(told.price),
            "price_sdt": str(told.price),
            "price_uid": str(told.price_to_user),
            "applyTemplateQuota": told.daily_quota > 0,
            "templateDailyQuota": str(told.daily_quota),
            "templateRemainingQuota": str(max(found.remaining, 0)),
        }
    )


def sample_data(_: Platform, oa: OaState, values: Values) -> Payload:
    """Answer with a value for each parameter."""
    found = oa.templates.get(str(values.get("template_id", "")))
    if found is None:
        raise Refusal(-109)
    return success({each.name: each.name[: content.cap(each) or None] for each in found.told.parameters})


def ratings(_: Platform, oa: OaState, values: Values) -> Payload:
    """Answer with the ratings of a template in a period; they stand in data.data."""
    start, end = _whole(values, "from_time", 0), _whole(values, "to_time", 2**62)
    offset, limit = _whole(values, "offset", 0), _whole(values, "limit", PAGE_MAX)
    found = [
        {name: value for name, value in each.items() if name != "templateId"}
        for each in oa.ratings
        if each["templateId"] == values.get("template_id") and start <= each["submitDate"] <= end
    ]
    return success({"total": len(found), "data": found[offset : offset + limit]})


def message_status(platform: Platform, oa: OaState, values: Values) -> Payload:
    """Answer with what became of a message; of another's as of one that never was."""
    message = platform.messages.get(str(values.get("message_id", "")))
    if message is None or message.oa is not oa:
        return success({"status": -1, "delivery_time": "", "message": "The message does not exist"})
    if not message.delivered_at:
        return success({"status": 0, "delivery_time": "", "message": "The message is at the server"})
    said = "The message was received by the user"
    return success({"status": 1, "delivery_time": str(message.delivered_at), "message": said})


def journey_check(_: Platform, oa: OaState, values: Values) -> Payload:
    """Answer with what a journey token is worth."""
    journey = oa.journeys.get(str(values.get("journey_token", "")))
    if journey is None:
        raise Refusal(-148)
    return success(
        {
            "appId": oa.told.app_id,
            "oaId": oa.told.oa_id,
            "createdAt": journey.made_at,
            "expiredAt": journey.expires_at,
        }
    )


def journey_open(platform: Platform, exchange: Exchange) -> Case:
    """Open a journey for a number; the answer stands at the top level."""
    body = body_of(exchange)
    destination = text_in(body, "phone").removeprefix("+")
    case = Case(Subject("reading", destination))
    with case:
        oa = case.oa = bearer(platform, exchange, BAD_TOKEN, BAD_TOKEN)
        if not destination.startswith("84") or not destination.isdigit():
            raise Refusal(BAD_NUMBER)
        case.commit = partial(_open, platform, oa, destination)
    return case


def _open(platform: Platform, oa: OaState, destination: str) -> Payload:
    now, token, journey_id = platform.clock.now(), platform.new_id(), platform.new_number()
    expires_at = now + round(platform.script.journey_life_s * 1000)
    oa.journeys[token] = Journey(journey_id, destination, now, expires_at)
    return {"error": 0, "message": "Success", "token": token, "journey_id": journey_id}
