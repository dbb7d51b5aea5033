"""Reading what people write on a command line: times, spans, settings of channels."""

import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from loa.errors import CallerError

_SPAN: Final = re.compile(r"(\d{1,6})([smhdw])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def span_ms(written: str) -> int | None:
    """Read a span such as 30m, 12h or 7d; None when it is none."""
    found = _SPAN.fullmatch(written)
    return None if found is None else int(found[1]) * _UNITS[found[2]] * 1000


def ago(written: str | None, now: int) -> int | None:
    """Read a time in the past: a span before now, or an instant. Units: milliseconds since the epoch."""
    if written is None:
        return None
    span = span_ms(written)
    return _instant(written) if span is None else now - span


def ahead(written: str | None, now: int) -> int | None:
    """Read a time to come: a span from now on, or an instant. Units: milliseconds since the epoch."""
    if written is None:
        return None
    span = span_ms(written)
    return _instant(written) if span is None else now + span


def _instant(written: str) -> int:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        message = f"{written!r} is no time; write a span such as 2h or 30d, or 2026-12-31T17:00:00+07:00"
        raise CallerError("time", message) from None
    if at.tzinfo is None:
        raise CallerError("time", f"{written!r} has no offset; write for instance {written}+07:00")
    return (at - _EPOCH) // timedelta(milliseconds=1)


def channel_settings(pairs: Sequence[str], files: Sequence[str]) -> dict[str, Any]:
    """Read settings of a channel: NAME=VALUE, and NAME=FILE for secrets ("-" is standard input).

    Shapes: a value that begins with { or [ is JSON. Errors: CallerError.
    """
    settings: dict[str, Any] = {}
    for name, value in map(_split, pairs):
        settings[name] = _json(name, value) if value[:1] in ("{", "[") else value
    for name, path in map(_split, files):
        settings[name] = read_text(path).rstrip("\r\n")
    return settings


def _split(pair: str) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    if not equals or not name:
        raise CallerError("setting", f"{pair!r}: write NAME=VALUE, as in host=smsc.example.vn")
    return name.strip(), value


def _json(name: str, value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError as wrong:
        raise CallerError("setting", f"{name}: this is not JSON: {wrong}") from None


def read_text(path: str) -> str:
    """Read a file, or standard input for "-". Errors: CallerError."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else "it is not UTF-8"
        raise CallerError("file", f"cannot read {path}: {reason}") from None
