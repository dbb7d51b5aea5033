"""What the doctor finds."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a finding is meant."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look gave; `cure` says what to do, "" where nothing is to be done."""

    name: str
    level: Level
    detail: str
    cure: str = ""
