"""What becomes of one request under a script: arithmetic over counters, so that a script always plays the same."""

import hashlib
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import Final

from loa.simulators.zalo.script import Fault, When, ZaloScript


@dataclass(frozen=True, slots=True)
class Subject:
    """What rules look at. `key`: by which a message falls to a share."""

    surface: str
    destination: str = ""
    template_id: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """What is done with one request. `code` 0: it is not refused by the script."""

    code: int = 0
    fault: Fault | None = None
    delay_s: float = 0.0


PLAIN: Final = Fate()
OFF_ZALO: Final = Fate(code=-118)
OVER_RATE: Final = Fate(fault=Fault("rate"))


class Judge:
    """Decides by the script and by the number of the request; the rate limit alone looks at the time."""

    __slots__ = ("_minute", "_numbers", "_off_zalo", "_plain", "_script", "_second", "_this_minute", "_this_second")

    def __init__(self, script: ZaloScript) -> None:
        self._numbers: Counter[str] = Counter()
        self._second = self._minute = -1
        self._this_second = 0
        self._this_minute: Counter[str] = Counter()
        self._take(script)

    @property
    def script(self) -> ZaloScript:
        """The script in force."""
        return self._script

    def change(self, script: ZaloScript, *, recount: bool) -> None:
        """Put another script in force; with `recount` the next request is number 1 again."""
        self._take(script)
        if recount:
            self._numbers.clear()

    def _take(self, script: ZaloScript) -> None:
        self._script = script
        # A hashed number has no end to look at, so whole numbers of the list are known by their sums as well.
        self._off_zalo = (*script.off_zalo, *(hashlib.sha256(each.encode()).hexdigest() for each in script.off_zalo))
        self._plain = not (
            script.refuse or script.faults or script.off_zalo or script.answer_delay_s or script.template_rate_per_s
        )

    def fate(self, subject: Subject, monotonic: float) -> Fate:
        """Decide the next request of a surface. Units: monotonic in seconds."""
        self._numbers["any"] += 1
        self._numbers[subject.surface] += 1
        if self._plain:
            return PLAIN
        script = self._script
        for refused in script.refuse:
            if self._means(refused.when, subject):
                return Fate(code=refused.code, delay_s=script.answer_delay_s)
        if subject.surface == "number" and subject.destination.endswith(self._off_zalo):
            return OFF_ZALO
        if subject.surface == "number" and not self._within_rate(monotonic):
            return OVER_RATE
        fault = next((each for each in script.faults if self._means(each.when, subject)), None)
        return Fate(fault=fault, delay_s=script.answer_delay_s)

    def delivers(self, subject: Subject) -> bool:
        """Say whether a message reaches its phone."""
        return not any(self._means(when, subject) for when in self._script.undelivered)

    def oa_calls_left(self, app_id: str, now: int) -> int:
        """Count a call of the OA API; give how many the app has left in this minute, -1 for one too many."""
        if self._minute != now // 60_000:
            self._minute = now // 60_000
            self._this_minute.clear()
        self._this_minute[app_id] += 1
        return max(-1, self._script.oa_rate_per_minute - self._this_minute[app_id])

    def _means(self, when: When, subject: Subject) -> bool:
        if when.surface not in ("any", subject.surface) or when.template not in ("", subject.template_id):
            return False
        if when.pick and not when.pick.picks(self._numbers[when.surface], subject.destination):
            return False
        return when.share >= 1.0 or zlib.crc32(subject.key.encode("utf-8", "replace")) / 2**32 < when.share

    def _within_rate(self, monotonic: float) -> bool:
        rate = self._script.template_rate_per_s
        if rate <= 0:
            return True
        if self._second != int(monotonic):
            self._second, self._this_second = int(monotonic), 0
        self._this_second += 1
        return self._this_second <= rate
