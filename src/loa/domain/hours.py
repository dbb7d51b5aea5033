"""The hours in which advertising may be sent, in Vietnam's time (UTC+7 the whole year).

Source: Decree 91/2020/ND-CP article 13 (07:00-22:00); the last hand-over stands before the legal end so that a message
on its way is not late. Both are settings with a dated rule set.
"""

from dataclasses import dataclass

DAY_MS = 86_400_000
VIETNAM_OFFSET_MS = 7 * 3_600_000


@dataclass(frozen=True, slots=True)
class AllowedHours:
    """A daily span in Vietnam's time. Units: minutes after midnight; open_minute < last_minute <= close_minute."""

    open_minute: int = 7 * 60
    last_minute: int = 21 * 60 + 30
    close_minute: int = 22 * 60

    def _midnight(self, now: int) -> int:
        return (now + VIETNAM_OFFSET_MS) // DAY_MS * DAY_MS - VIETNAM_OFFSET_MS

    def is_open(self, now: int) -> bool:
        """Tell whether a hand-over may start at `now` (milliseconds since the epoch)."""
        minute = (now - self._midnight(now)) // 60_000
        return self.open_minute <= minute < self.last_minute

    def next_open(self, now: int) -> int:
        """Give the first instant from `now` on at which a hand-over may start."""
        if self.is_open(now):
            return now
        opening = self._midnight(now) + self.open_minute * 60_000
        return opening if now < opening else opening + DAY_MS

    def closing(self, due: int) -> int:
        """Give the legal end of the day on which `due` falls."""
        return self._midnight(due) + self.close_minute * 60_000
