"""What `ext` may ask for: a closed set of options that are read, and anything else, which is kept as it came."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from loa.domain.rules import Finding

EXT_BYTES_MAX: Final = 8_192
JSON_DEPTH_MAX: Final = 16
TTL_MAX_S: Final = 30 * 86_400
CHANNELS_MAX: Final = 8
URL_MAX: Final = 2_048


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one request.

    `channels`: names that narrow and order the route plan, empty for the plan as it is. `sms`: whether SMS may follow
    where another channel comes first; `sms_text` and `brandname`: what it then says and shows instead of text and
    sender. `user_id`: the one destination as a provider's user. Units: ttl_s in seconds, 0 for what the class has.
    """

    channels: tuple[str, ...] = ()
    callback_url: str = ""
    ttl_s: int = 0
    skip_invalid: bool = False
    sms: bool = True
    sms_text: str = ""
    brandname: str = ""
    user_id: str = ""


NONE: Final = Options()


def read_options(
    ext: Mapping[str, Any], bytes_max: int = EXT_BYTES_MAX, depth_max: int = JSON_DEPTH_MAX
) -> tuple[Options, list[Finding]]:
    """Read the options in `ext`; what is wrong with them comes as findings."""
    if not ext:
        return NONE, []
    if _depth_exceeds(ext, depth_max - 1):
        return NONE, [Finding("ext", "too_deep", {"limit": depth_max})]
    findings = [finding for name, check in _CHECKS if name in ext and (finding := check(ext[name])) is not None]
    if len(json.dumps(ext, ensure_ascii=False).encode("utf-8", "surrogatepass")) > bytes_max:
        findings.append(Finding("ext", "too_large", {"limit": bytes_max}))
    if findings:
        return Options(skip_invalid=ext.get("onInvalid") == "skip"), findings
    return Options(
        channels=tuple(ext.get("channels") or ()),
        callback_url=ext.get("callbackUrl") or "",
        ttl_s=int(ext.get("ttl") or 0),
        skip_invalid=ext.get("onInvalid") == "skip",
        sms=_SWITCH.get(str(ext.get("enable_sms_on_zns_failure", True)).lower(), True),
        sms_text=_sms_member(ext, "message"),
        brandname=_sms_member(ext, "brandname"),
        user_id=_user_id(ext.get("zalo")),
    ), []


def _sms_member(ext: Mapping[str, Any], name: str) -> str:
    sms = ext.get("sms")
    found = sms.get(name) if isinstance(sms, Mapping) else sms if name == "message" else ""
    return found if isinstance(found, str) else ""


def _user_id(zalo: Any) -> str:
    found = zalo.get("userId") if isinstance(zalo, Mapping) else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def _depth_exceeds(value: Any, levels: int) -> bool:
    """Tell whether objects and arrays stand more than so many levels deep; the body around `ext` is one."""
    layer = [value]
    for _ in range(levels + 1):
        inner = [
            each.values() if isinstance(each, Mapping) else each for each in layer if isinstance(each, Mapping | list)
        ]
        if not inner:
            return False
        layer = [value for values in inner for value in values]
    return True


def _channels(value: Any) -> Finding | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return Finding("ext.channels", "wrong_type", {"expected": "array of string"})
    if len(value) > CHANNELS_MAX:
        return Finding("ext.channels", "too_many", {"limit": CHANNELS_MAX, "count": len(value)})
    return None


def _callback_url(value: Any) -> Finding | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        return Finding("ext.callbackUrl", "wrong_type", {"expected": "string"})
    if len(value) > URL_MAX:
        return Finding("ext.callbackUrl", "too_long", {"limit": URL_MAX})
    return None if _is_url(value) else Finding("ext.callbackUrl", "url_form")


def _is_url(value: str) -> bool:
    """Tell whether a text is an absolute http URL. Where it may lead is judged when it is called, not here."""
    if not value.isascii() or not value.isprintable() or " " in value or "\\" in value:
        return False
    try:
        parts = urlsplit(value)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc and port_fits


def _ttl(value: Any) -> Finding | None:
    if value is None:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole and not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9):
        return Finding("ext.ttl", "wrong_type", {"expected": "whole number of seconds"})
    if not 1 <= int(value) <= TTL_MAX_S:
        return Finding("ext.ttl", "out_of_range", {"least": 1, "most": TTL_MAX_S})
    return None


def _on_invalid(value: Any) -> Finding | None:
    if value is None or (isinstance(value, str) and value in {"skip", "refuse"}):
        return None
    return Finding("ext.onInvalid", "not_allowed", {"allowed": "skip, refuse"})


def _template_id(value: Any) -> Finding | None:
    if value is None or (isinstance(value, str | int) and not isinstance(value, bool)):
        return None
    return Finding("ext.templateId", "wrong_type", {"expected": "string or number"})


def _template_data(value: Any) -> Finding | None:
    if value is None or isinstance(value, dict):
        return None
    return Finding("ext.templateData", "wrong_type", {"expected": "object"})


def _fallback(value: Any) -> Finding | None:
    if value is None or (isinstance(value, bool | str) and str(value).lower() in _SWITCH):
        return None
    return Finding("ext.enable_sms_on_zns_failure", "wrong_type", {"expected": "true or false"})


def _sms(value: Any) -> Finding | None:
    if value is None or isinstance(value, str):
        return None
    if not isinstance(value, dict):
        return Finding("ext.sms", "wrong_type", {"expected": "object"})
    for name in ("message", "brandname"):
        if name in value and not isinstance(value[name], str):
            return Finding(f"ext.sms.{name}", "wrong_type", {"expected": "string"})
    return None


def _zalo(value: Any) -> Finding | None:
    if value is None or isinstance(value, dict):
        return None
    return Finding("ext.zalo", "wrong_type", {"expected": "object"})


_SWITCH: Final = {"true": True, "1": True, "false": False, "0": False, "": True, "none": True}

_CHECKS: Final[tuple[tuple[str, Callable[[Any], Finding | None]], ...]] = (
    ("channels", _channels),
    ("callbackUrl", _callback_url),
    ("ttl", _ttl),
    ("onInvalid", _on_invalid),
    ("templateId", _template_id),
    ("templateData", _template_data),
    ("enable_sms_on_zns_failure", _fallback),
    ("sms", _sms),
    ("zalo", _zalo),
)
