"""When what has to wait may go: openings, new days and months in Vietnam's time, each message at a moment of its own.

Pure. Units: milliseconds since the epoch.
"""

from datetime import UTC, datetime
from typing import Final

from loa.domain.hours import DAY_MS, VIETNAM_OFFSET_MS, AllowedHours

SPREAD_MS: Final = 300_000
"""Over so long the messages that waited for the same moment are spread, so that they do not all go at once."""

MORNING: Final = AllowedHours(7 * 60, 22 * 60, 22 * 60)
"""The hours that are waited for when Zalo refuses an hour that the settings take for open."""


def jitter(message_id: int, spread_ms: int = SPREAD_MS) -> int:
    """Give a message its own moment in a spread of time: the same each time."""
    return (message_id * 2_654_435_761 & 0xFFFF_FFFF) * spread_ms >> 32


def opening(hours: AllowedHours | None, now: int) -> int:
    """Give when the hours begin that are closed now, 0 while they are open."""
    return 0 if hours is None or hours.is_open(now) else hours.next_open(now)


def next_opening(hours: AllowedHours | None, now: int) -> int:
    """Give when hours begin next, also where they are open by our own account."""
    waited = opening(hours, now)
    if waited:
        return waited
    today = midnight(now) + MORNING.open_minute * 60_000
    return today if now < today else today + DAY_MS


def midnight(now: int) -> int:
    """Give when the day began."""
    return (now + VIETNAM_OFFSET_MS) // DAY_MS * DAY_MS - VIETNAM_OFFSET_MS


def next_day(now: int) -> int:
    """Give when the next day begins."""
    return midnight(now) + DAY_MS


def next_month(now: int) -> int:
    """Give when the next month begins."""
    there = datetime.fromtimestamp((now + VIETNAM_OFFSET_MS) / 1000, UTC)
    year, month = (there.year + 1, 1) if there.month == 12 else (there.year, there.month + 1)
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000) - VIETNAM_OFFSET_MS


def next_minute(now: int) -> int:
    """Give when the next minute begins."""
    return (now // 60_000 + 1) * 60_000
