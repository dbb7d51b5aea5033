"""Route steps as people write them: `zalo,after=20s,class=otp+transactional,hours=07:00-22:00`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from loa.domain.numbering.table import Carrier
from loa.domain.routes import LEARNED, DailyHours, RouteStep
from loa.domain.traffic import TrafficClass
from loa.errors import CallerError

WAIT_MAX_S: Final = 7 * 86_400
LEARNED_WORD: Final = "usual"
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600}


def channel_of(written: str) -> str:
    """Give the name of the channel that a written step begins with."""
    return written.partition(",")[0].strip()


def read_step(written: str, channel_id: int) -> RouteStep:
    """Read the conditions of a step. Errors: CallerError saying what is wrong and how it is written."""
    step = RouteStep(channel_id)
    for part in filter(None, map(str.strip, written.split(",")[1:])):
        name, _, value = part.partition("=")
        if name not in _READERS:
            raise CallerError(
                "route_step", f"{part!r} in {written!r}: write after=20s, after=usual, class=otp, carrier=… or hours=…"
            )
        step = _READERS[name](step, value)
    return step


def show_step(step: RouteStep, channel: str) -> str:
    """Write a step as `read_step` reads it."""
    parts = [channel]
    if step.wait_s is not None:
        parts.append(f"after={LEARNED_WORD if step.wait_s == LEARNED else f'{step.wait_s}s'}")
    if step.classes:
        parts.append("class=" + "+".join(each.label for each in step.classes))
    if step.carriers:
        parts.append("carrier=" + "+".join(step.carriers))
    if step.hours is not None:
        parts.append(f"hours={_clock(step.hours.begin)}-{_clock(step.hours.end)}")
    return ",".join(parts)


def _after(step: RouteStep, value: str) -> RouteStep:
    if value == LEARNED_WORD:
        return replace(step, wait_s=LEARNED)
    found = re.fullmatch(r"(\d{1,6})([smh]?)", value)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < seconds <= WAIT_MAX_S:
        raise CallerError("route_step", f"after={value}: write a time such as 20s, 5m or 1h, at most 7 days, or usual")
    return replace(step, wait_s=seconds)


def _classes(step: RouteStep, value: str) -> RouteStep:
    known = {each.label: each for each in TrafficClass}
    return replace(step, classes=tuple(known[_one_of(word, known, "class")] for word in value.split("+")))


def _carriers(step: RouteStep, value: str) -> RouteStep:
    known = {str(each): each for each in Carrier}
    return replace(step, carriers=tuple(_one_of(word, known, "carrier") for word in value.split("+")))


def _one_of(word: str, known: Mapping[str, object], name: str) -> str:
    if word not in known:
        raise CallerError("route_step", f"{name}={word}: choose of {', '.join(known)}; join several with +")
    return word


def _hours(step: RouteStep, value: str) -> RouteStep:
    found = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", value)
    hours = DailyHours(int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else None
    if hours is None or hours.begin == hours.end or max(hours.begin, hours.end) > 24 * 60:
        raise CallerError("route_step", f"hours={value}: write two times of the day in Vietnam, such as 07:00-22:00")
    return replace(step, hours=hours)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


_READERS: Final[Mapping[str, Callable[[RouteStep, str], RouteStep]]] = {
    "after": _after,
    "class": _classes,
    "carrier": _carriers,
    "hours": _hours,
}
