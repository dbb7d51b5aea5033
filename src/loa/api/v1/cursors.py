"""Cursors: opaque to callers, a kind and a position to us. A cursor of another list is refused, not misread."""

import base64
import binascii
import re
from enum import StrEnum

from loa.domain.rules import Finding, refusal

_POSITION = re.compile(r"[smet](0|[1-9][0-9]{0,18})", re.ASCII)
_LARGEST = 2**63 - 1


class CursorKind(StrEnum):
    """Which list a cursor belongs to."""

    SUBMISSION_MESSAGES = "s"
    MESSAGES = "m"
    EVENTS = "e"
    TEMPLATES = "t"


def write_cursor(kind: CursorKind, position: int) -> str:
    """Give the cursor for a position. Shapes: ("m", 7) -> "bTc"."""
    return base64.urlsafe_b64encode(f"{kind}{position}".encode()).decode().rstrip("=")


def read_cursor(kind: CursorKind, cursor: str | None, parameter: str = "cursor") -> int | None:
    """Give the position of a cursor, None for none. Errors: CallerError naming the parameter."""
    if not cursor:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    position = int(text[1:]) if _POSITION.fullmatch(text) else -1
    if not 0 <= position <= _LARGEST or write_cursor(kind, position) != cursor:
        raise refusal(Finding(f"?{parameter}", "invalid_cursor"))
    return position
