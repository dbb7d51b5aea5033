"""When a message is wanted: every written form of a time that callers of this API family use. Pure.

A time without an offset is Vietnam's (UTC+7 the whole year, no summer time). Nothing, an empty text and a time that
has passed all mean now.
"""

import re
from calendar import timegm
from datetime import datetime
from typing import Final

from loa.errors import CallerError

HORIZON_DAYS: Final = 366
"""How far ahead a message may be scheduled: a year, whichever year it is."""

FORMATS: Final = ("yyyy-MM-ddTHH:mm:ss+07:00", "yyyy-MM-dd HH:mm:ss", "dd-MM-yyyy HH:mm", "dd/MM/yyyy HH:mm")
"""The accepted forms, as documentation and errors name them."""

_CLOCK = r"(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
_ZONE = r"(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?)?"
_FORMS: Final = (
    re.compile(rf"(?P<year>\d{{4}})-(?P<month>\d{{2}})-(?P<day>\d{{2}})[Tt ]{_CLOCK} ?{_ZONE}", re.ASCII),
    re.compile(
        rf"(?P<day>\d{{2}})(?P<mark>[-/])(?P<month>\d{{2}})(?P=mark)(?P<year>\d{{4}}) {_CLOCK} ?{_ZONE}", re.ASCII
    ),
)
_VIETNAM_S: Final = 7 * 3600
_DAY_S: Final = 86_400


def due_at(written: str | None, now: int, horizon_days: int = HORIZON_DAYS) -> int:
    """Read a wished time.

    Units: now and the result in milliseconds since the epoch; never before now.
    Errors: CallerError with code `schedule_format` or `schedule_too_far`.
    """
    text = (written or "").strip()
    if not text:
        return now
    instant = _instant(text)
    if instant > now + horizon_days * _DAY_S * 1000:
        raise CallerError("schedule_too_far", days=horizon_days)
    return max(instant, now)


def _instant(text: str) -> int:
    found = next((match for form in _FORMS if (match := form.fullmatch(text))), None)
    if found is None:
        raise CallerError("schedule_format", formats=", ".join(FORMATS))
    names = ("year", "month", "day", "hour", "minute", "second")
    try:
        year, month, day, hour, minute, second = (int(found[name] or 0) for name in names)
        wall = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - only checks that the date exists
        offset = _offset_s(found["zone"])
    except ValueError as wrong:
        raise CallerError("schedule_format", formats=", ".join(FORMATS)) from wrong
    milliseconds = int((found["fraction"] or "")[:3].ljust(3, "0"))
    return (timegm(wall.timetuple()) - offset) * 1000 + milliseconds


def _offset_s(zone: str | None) -> int:
    if zone is None:
        return _VIETNAM_S
    if zone in {"Z", "z"}:
        return 0
    digits = zone[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 14 or minutes > 59:
        raise ValueError(zone)
    return (-1 if zone[0] == "-" else 1) * (hours * 3600 + minutes * 60)
