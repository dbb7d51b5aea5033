"""How Zalo describes a template, in the two forms there are: a line of the list, and the detail. Pure.

Source: Zalo reference, template messages by phone; the vendor's pages for the names of statuses and old tags.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from loa.domain.template import DELETED, DISABLED, ENABLED, PENDING, REJECTED, Parameter, Tag, Template

_LONGEST: Final = 255
_STATUSES: Final = {
    "ENABLE": ENABLED,
    "PENDING_REVIEW": PENDING,
    "PENDING": PENDING,
    "REJECT": REJECTED,
    "DISABLE": DISABLED,
    "DELETE": DELETED,
    "1": ENABLED,
    "2": PENDING,
    "3": REJECTED,
    "4": DISABLED,
    "5": DELETED,
}
_TAGS: Final = {
    "1": Tag.TRANSACTION,
    "2": Tag.CARE,
    "3": Tag.PROMOTION,
    "TRANSACTION": Tag.TRANSACTION,
    "CUSTOMER_CARE": Tag.CARE,
    "PROMOTION": Tag.PROMOTION,
    "OTP": Tag.TRANSACTION,
    "IN_TRANSACTION": Tag.TRANSACTION,
    "POST_TRANSACTION": Tag.CARE,
    "ACCOUNT_UPDATE": Tag.CARE,
    "GENERAL_UPDATE": Tag.CARE,
    "FOLLOW_UP": Tag.PROMOTION,
}
"""The three tags there are, and the six from before 2024, which old templates still carry."""

_QUALITIES: Final = {"HIGH": "high", "MEDIUM": "medium", "LOW": "low"}
_CAPS: Final = {
    "name": 30,
    "phone": 15,
    "address": 200,
    "code": 30,
    "status": 30,
    "amount": 20,
    "date": 20,
    "otp": 10,
    "url": 200,
    "currency": 12,
    "bank_note": 90,
}
"""How long a value of a kind may be where the answer does not say."""


def listed(line: Mapping[str, Any]) -> bool:
    """Tell whether a line of the list names a template."""
    return bool(_word(line, "templateId"))


def read_line(channel_id: int, line: Mapping[str, Any]) -> Template:
    """Read a line of the list: what a template is called and whether it may be sent."""
    status = _word(line, "status").upper()
    known = _STATUSES.get(status)
    return Template(
        channel_id=channel_id,
        template_id=_word(line, "templateId"),
        name=_word(line, "templateName"),
        # One with a status that nobody knows may not be sent.
        status=known or DISABLED,
        quality=_QUALITIES.get(_word(line, "templateQuality").upper(), ""),
        reason="" if known else f"status {status}"[:_LONGEST],
    )


def read_detail(short: Template, detail: Mapping[str, Any]) -> Template:
    """Add what the detail says to what the line said; the detail wins."""
    base = read_line(short.channel_id, {**detail, "templateId": short.template_id}) if detail.get("status") else short
    rows = detail.get("listParams")
    own_quota = detail.get("applyTemplateQuota") is not False
    return replace(
        base,
        name=base.name or short.name,
        quality=base.quality or short.quality,
        tag=_TAGS.get(_word(detail, "templateTag").upper()),
        price=_whole(detail.get("price_sdt"), _whole(detail.get("price"), 0)),
        price_to_user=_whole(detail.get("price_uid"), 0),
        timeout_ms=_whole(detail.get("timeout"), 0),
        daily_quota=_whole(detail.get("templateDailyQuota"), -1) if own_quota else -1,
        remaining_quota=_whole(detail.get("templateRemainingQuota"), -1) if own_quota else -1,
        parameters=tuple(_parameter(row) for row in rows if isinstance(row, Mapping) and _word(row, "name"))
        if isinstance(rows, list)
        else (),
        preview_url=_word(detail, "previewUrl", 2048),
        reason=_word(detail, "reason") or base.reason,
    )


def _parameter(row: Mapping[str, Any]) -> Parameter:
    kind = _word(row, "type").lower()
    return Parameter(
        name=_word(row, "name"),
        kind=kind,
        required=row.get("require") is not False,
        accepts_empty=row.get("acceptNull") is True,
        min_length=_whole(row.get("minLength"), 0),
        max_length=_whole(row.get("maxLength"), 0) or _CAPS.get(kind, 0),
    )


def _word(said: Mapping[str, Any], name: str, longest: int = _LONGEST) -> str:
    value = said.get(name)
    return str(value).strip()[:longest] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _whole(value: object, default: int) -> int:
    """Read a number that comes as one or as text, with or without decimals."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return default
    try:
        found = int(float(value))
    except (ValueError, OverflowError):
        return default
    return found if 0 <= found < 2**53 else default
