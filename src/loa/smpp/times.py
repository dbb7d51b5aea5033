"""SMPP times: `YYMMDDhhmmsstnnp`, absolute with a quarter-hour offset or relative.

Prefer the relative form for validity: it needs no agreement about clocks.

Source: SMPP 3.4 section 7.1.1 (5.0: 4.7.23.4 and 4.7.23.5).
"""

from datetime import datetime, timedelta, timezone
from typing import Final

# 63 weeks, the longest that the specification lets a relative validity be.
LONGEST_VALIDITY: Final = timedelta(weeks=63)


def absolute(moment: datetime) -> str:
    """Write a moment as SMPP absolute time, in its own UTC offset.

    Units:  tenths of a second; the offset is rounded to quarter hours.
    Errors: ValueError when the moment has no offset or its year is outside 2000..2099.
    """
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a moment without UTC offset has no SMPP form")
    quarters = round(offset / timedelta(minutes=15))
    local = moment.astimezone(timezone(timedelta(minutes=15 * quarters)))
    if not 2000 <= local.year <= 2099:
        raise ValueError(f"SMPP has two digits for the year, {local.year} does not fit")
    sign = "-" if quarters < 0 else "+"
    tenths = local.microsecond // 100_000
    return f"{local:%y%m%d%H%M%S}{tenths}{abs(quarters):02d}{sign}"


def relative(duration: timedelta) -> str:
    """Write a duration as SMPP relative time; months of 30 days appear only beyond 31 days.

    Shapes: 5 minutes -> "000000000500000R", 48 hours -> "000002000000000R".
    Units:  whole seconds, rounded up, so that a validity never ends before the lifetime does.
    Errors: ValueError when it is not positive or longer than 63 weeks.
    """
    if not timedelta(0) < duration <= LONGEST_VALIDITY:
        raise ValueError(f"a relative time lasts up to 63 weeks, not {duration}")
    seconds = -(-duration // timedelta(seconds=1))
    days, rest = divmod(seconds, 86_400)
    years, days = divmod(days, 365)
    months, days = divmod(days, 30) if days > 31 else (0, days)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    return f"{years:02d}{months:02d}{days:02d}{hours:02d}{minutes:02d}{seconds:02d}000R"


def read(text: str) -> datetime | timedelta | None:
    """Read an SMPP time; a relative one gives a duration; what is no SMPP time gives None.

    A year counts 365 days and a month 30 in a relative time.
    """
    if len(text) != 16 or not (text[:15].isascii() and text[:15].isdigit()):
        return None
    years, months, days, hours, minutes, seconds = (int(text[i : i + 2]) for i in range(0, 12, 2))
    if text[15] == "R":
        return timedelta(days=years * 365 + months * 30 + days, hours=hours, minutes=minutes, seconds=seconds)
    if text[15] not in "+-":
        return None
    quarters = int(text[13:15]) * (-1 if text[15] == "-" else 1)
    try:
        offset = timezone(timedelta(minutes=15 * quarters))
        return datetime(2000 + years, months, days, hours, minutes, seconds, int(text[12]) * 100_000, tzinfo=offset)
    except ValueError:
        return None
