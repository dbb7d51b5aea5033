"""How times, spans, numbers and destinations are written for people in a language."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from loa.console.catalogue import said
from loa.console.language import Language
from loa.domain.destination import USER_PREFIX, is_user, written
from loa.observe.redact import mask_msisdn

ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_DAY: Final = {Language.VIETNAMESE: "%d/%m/%Y", Language.ENGLISH: "%Y-%m-%d"}
_MARKS: Final = {Language.VIETNAMESE: str.maketrans(",.", ".,"), Language.ENGLISH: str.maketrans("", "")}
_STEPS: Final = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000))


def day(at: int, language: Language) -> str:
    """Write the day of a time, in Vietnam. Units: milliseconds since the epoch."""
    return _local(at).strftime(_DAY[language])


def clock_time(at: int) -> str:
    """Write the time of day in Vietnam, to the second."""
    return _local(at).strftime("%H:%M:%S")


def fine_time(at: int) -> str:
    """Write the time of day in Vietnam, to the millisecond."""
    return f"{clock_time(at)}.{at % 1000:03d}"


def utc(at: int) -> str:
    """Write a time in UTC, as it stands in tooltips."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def machine(at: int) -> str:
    """Write a time as the `datetime` attribute wants it."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def field_time(at: int) -> str:
    """Write a time as an input of kind `datetime-local` holds it, in Vietnam."""
    return _local(at).strftime("%Y-%m-%dT%H:%M")


def read_field_time(text: str) -> int | None:
    """Read what a `datetime-local` input holds; None where it is no time."""
    try:
        read = datetime.fromisoformat(text)
        return int((read if read.tzinfo else read.replace(tzinfo=ZONE)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def number(value: float, language: Language, places: int = 0) -> str:
    """Write a number: 1.234.567,8 in Vietnamese, 1,234,567.8 in English."""
    return f"{value:,.{places}f}".translate(_MARKS[language])


def span(ms: int, language: Language) -> str:
    """Write a span in its two largest units: `340 ms`, `2.1 s`, `3 min 5 s`. Units: milliseconds."""
    if ms < 1000:
        return said(language, "unit.ms", count=number(max(ms, 0), language))
    if ms < 60_000:
        return said(language, "unit.s", count=number(ms / 1000, language, 1))
    for place, (name, size) in enumerate(_STEPS):
        if ms >= size:
            whole, rest = divmod(ms, size)
            below, below_size = _STEPS[place + 1]
            first = said(language, f"unit.{name}", count=number(whole, language))
            second = rest // below_size
            return first if second == 0 else f"{first} {said(language, f'unit.{below}', count=second)}"
    raise AssertionError("a minute or more has a unit")


def destination(value: int, *, whole: bool) -> str:
    """Write a destination, masked unless it may be seen whole."""
    if whole:
        return written(value)
    return f"{USER_PREFIX}{mask_msisdn(value)}" if is_user(value) else mask_msisdn(value)


def _local(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, ZONE)
