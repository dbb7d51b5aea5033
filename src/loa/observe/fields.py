"""Which fields a log line may carry, and how each is shown. What is not named here never reaches a log.

The list is closed on purpose: a new field is added here, with the reader in mind, or it is dropped and counted.
"""

import re
from collections.abc import Callable, MutableMapping
from typing import Any

from loa.observe.redact import error_text, key_display, mask_msisdn, scrub, text_summary, url_origin

_LABELS = """
    action carrier channel class code command direction encoding endpoint engine face failures feature host kind
    lane language link method mode name node operation origin outcome path_template peer permission phase pid point
    port previous_state protocol provider reason result role roles route rule sender setting signal stage state
    status step source sub_reason system task tenant version
"""
_NUMBERS = """
    attempt attempts backlog batch_size boot bytes callbacks capacity channel_id conflicts count deleted depth
    destinations disk_free_bytes dropped due_at elapsed_ms elapsed_s endpoint_id expired free held http_status
    interval_s key_id lag_ms limit links links_up matched messages number offset oldest_s parked pending rate
    repeated resent retry_after_s retry_at retry_s rows sequence_number settled size slots sub_status submissions
    tenant_id timeout_s tries unknown used wait_s window window_in_use window_size
"""
_IDENTIFIERS = "callback_id message_id referent_id request_id trace_id"
_TEXTS = "detail hint path"

_IDENTIFIER = re.compile(r"(?:[a-z]{2,5}_)?[0-9A-Za-z]{1,40}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGITS = re.compile(r"\+?\d+")


def _label(value: object) -> object:
    return scrub(str(value), 120)


def _number(value: object) -> object:
    return value if isinstance(value, int | float) or value is None else "?"


def _identifier(value: object) -> object:
    shown = str(value)
    if not isinstance(value, int) and _DIGITS.fullmatch(shown) and len(shown) >= 9:
        return mask_msisdn(shown)
    return shown if _IDENTIFIER.fullmatch(shown) else "?"


def _text(value: object) -> object:
    return error_text(value) if isinstance(value, BaseException) else scrub(str(value))


SHOWN: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(_LABELS.split(), _label),
    **dict.fromkeys(_NUMBERS.split(), _number),
    **dict.fromkeys(_IDENTIFIERS.split(), _identifier),
    **dict.fromkeys(_TEXTS.split(), _text),
    "error": _text,
    "destination": mask_msisdn,
    "msisdn": mask_msisdn,
    "key": key_display,
    "text": text_summary,
    "url": url_origin,
}
"""Field name -> how its value is shown."""

_OWN = frozenset({"event", "level", "timestamp", "trace", "error_type", "error_code"})


def only_known(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Let known fields pass in their shown form, drop and count all others. A structlog processor."""
    dropped = 0
    for name in list(event):
        if name in _OWN:
            continue
        show = SHOWN.get(name)
        if show is None:
            del event[name]
            dropped += 1
        else:
            event[name] = show(event[name])
    event["event"] = scrub(str(event["event"]), 160)
    if dropped:
        event["dropped_fields"] = dropped
    return event
