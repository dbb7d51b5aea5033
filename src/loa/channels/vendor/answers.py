"""What the upstream gateway says: its answer to a hand-over, and its reports. Pure.

Source: vendor page sms/send-message and sms/callback; docs/reference/channels/vendor.md.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from loa.domain.lifecycle import STATUS_STATE
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.domain.receipt import Receipt

RETRY_AFTER_S: Final = 5
RETRY_AFTER_LONGEST_S: Final = 3600
_LONGEST: Final = 64
_LATER: Final = frozenset({429, 503})


def read_answer(status: int, retry_after: str, body: bytes, request_id: str, now: int) -> Outcome:
    """Give the outcome of one request.

    The envelope's `code` counts where it disagrees with a good HTTP status, because older gateways answer 200 to
    everything. Errors: Refused for what the gateway will not take, Deferred when it asks to come again, Unknown for
    every answer after which it may have taken the message.
    """
    if not 200 <= status < 300:
        return _refusal(status, retry_after, request_id, now)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return Unknown("answer_unreadable", (request_id,))
    if not isinstance(answer, Mapping):
        return Unknown("answer_unreadable", (request_id,))
    code = whole(answer.get("code"))
    if code is not None and 400 <= code < 600:
        return _refusal(code, retry_after, request_id, now)
    ref = _ref(answer)
    return Accepted((ref,)) if ref else Unknown("answer_without_reference", (request_id,))


def _refusal(status: int, retry_after: str, request_id: str, now: int) -> Outcome:
    if status in _LATER:
        wait_s = whole(retry_after)
        wait_s = RETRY_AFTER_S if wait_s is None else max(1, min(wait_s, RETRY_AFTER_LONGEST_S))
        return Deferred("throttled", until=now + wait_s * 1000, counts=False)
    if status == 401:
        return Refused("http_401", lasting=False)
    if 300 <= status < 400:
        return Refused(f"http_{status}", lasting=False)
    if 400 <= status < 500 and status != 408:
        return Refused(f"http_{status}")
    return Unknown(f"http_{status}", (request_id,))


def _ref(answer: Mapping[str, Any]) -> str:
    data = answer.get("data")
    token = data.get("token") if isinstance(data, Mapping) else None
    for found in (answer.get("referentId"), token):
        if isinstance(found, str | int) and not isinstance(found, bool) and str(found).strip():
            return str(found).strip()[:_LONGEST]
    return ""


def read_report(channel_id: int, report: Mapping[str, Any], now: int) -> Receipt | None:
    """Read a delivery report; None when it names no message or no status.

    A status that the table does not know informs and changes nothing. Times in it have no zone: they stay in the raw
    report.
    """
    status = whole(report.get("status"))
    refs = tuple(dict.fromkeys(ref for ref in (_word(report, "referentId"), _word(report, "requestId")) if ref))
    if status is None or not refs:
        return None
    raw = json.dumps(report, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "backslashreplace")
    detail = _word(report, "errorInfo") or _word(report, "error")
    return Receipt(
        channel_id=channel_id,
        refs=refs,
        state=STATUS_STATE.get(status),
        stat=str(status),
        destination=_destination(_word(report, "msisdn")),
        detail=detail[:255],
        raw=raw,
        received_at=now,
    )


def whole(value: object) -> int | None:
    """Read a whole number that may come as text; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= 12:
        digits = value.strip()
        if digits.removeprefix("-").isdigit() and digits.isascii():
            return int(digits)
    return None


def _word(report: Mapping[str, Any], name: str) -> str:
    value = report.get(name)
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _destination(written: str) -> int:
    """Read a number in any of the family's forms, 0 when it is none."""
    digits = written.replace(" ", "").removeprefix("+")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        return 0
    if digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith("0"):
        digits = "84" + digits[1:]
    return int(digits or "0")
