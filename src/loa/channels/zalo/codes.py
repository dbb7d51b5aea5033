"""What Zalo's error codes mean, by surface: the same number means different things on the two.

Source: Zalo reference as of November 2026, transcribed in docs/reference/channels/zalo.md; a test holds the two
together. A code that is in no row is kept as it came and counted.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final


class Surface(StrEnum):
    """Where a message goes, and with it which codes may come back."""

    NUMBER = "number"
    """Template messages to numbers, plain or hashed, on the business host."""
    USER = "user"
    """Template messages to user ids, on the host of the Official Account API."""
    CONSULTATION = "consultation"
    """Messages of the Official Account to a user."""


class Meaning(StrEnum):
    """What a code says of the request, and with it what is done: see `answers`."""

    TOKEN = "token"  # noqa: S105 - a class of codes
    SET_UP = "set-up"
    MONEY = "money"
    RATE = "rate"
    UNREACHABLE = "unreachable"
    NUMBER = "bad number"
    TEMPLATE = "template"
    DATA = "data"
    JOURNEY = "journey"
    WINDOW = "window"
    ASSET = "asset"
    OTHER = "other"
    QUOTA_DAY = "quota of the day"
    QUOTA_MONTH = "quota of the month"
    HOURS = "hours"
    TRANSIENT = "transient"
    ONCE = "once more"
    UNKNOWN = "unknown"


def _table(rows: Mapping[Meaning, str]) -> Mapping[int, Meaning]:
    return {int(code): meaning for meaning, codes in rows.items() for code in codes.split()}


TEMPLATES: Final = _table(
    {
        Meaning.TOKEN: "-124 -216 -220",
        Meaning.SET_UP: "-101 -102 -103 -104 -105 -117 -120 -125 -135 -1351 -136 -138 -1381 -1201 -1202 -1241",
        Meaning.MONEY: "-115 -126 -137",
        Meaning.UNREACHABLE: "-118 -119 -110 -114 -139 -140 -141",
        Meaning.NUMBER: "-108",
        Meaning.TEMPLATE: "-109 -131 -146 -145 -121 -111 -151 -152",
        Meaning.DATA: "-112 -1121 -1122 -1123 -1124 -113 -1131 -116 -122 -130 -132 -153 -161 -162",
        Meaning.QUOTA_DAY: "-144 -147 -1472 -160",
        Meaning.QUOTA_MONTH: "-1441 -1471",
        Meaning.HOURS: "-133",
        Meaning.JOURNEY: "-148 -149 -1491 -150",
        Meaning.OTHER: "-123 -128 -142 -143 -106 -107 -1091 -127 -134 -158 -159",
        Meaning.TRANSIENT: "-100 -129",
        Meaning.RATE: "-32",
    }
)
"""Codes of the business host."""

OFFICIAL: Final = _table(
    {
        Meaning.TOKEN: "-216 -220",
        Meaning.RATE: "-32",
        Meaning.SET_UP: "-204 -205 -209 -212 -219 -221 -223 -224 -235 -242 -248 -320",
        Meaning.MONEY: "-321",
        Meaning.WINDOW: "-230 -232 -213",
        Meaning.UNREACHABLE: "-217 -227 -244",
        Meaning.QUOTA_DAY: "-211 -218",
        Meaning.HOURS: "-234",
        Meaning.ASSET: "-100",
        Meaning.DATA: "-201 -210 -233 -249",
        Meaning.ONCE: "-200",
        Meaning.OTHER: "-214 -237 -238 -241 -403 -240",
    }
)
"""Codes of the host of the Official Account API."""

OWN_QUOTA: Final = frozenset({-147})
"""The quota that is used up is that of the template alone."""

OA_QUOTA: Final = frozenset({-144})
"""The quota that is used up is that of the Official Account."""

PROMOTION_QUOTA: Final = frozenset({-1441})
"""The quota that is used up is that of the Official Account's promotions; other quotas are the user's."""

DEVELOPMENT_MONEY: Final = frozenset({-126})
"""The wallet that is empty pays for trials only."""


def meaning_of(surface: Surface, code: int) -> Meaning:
    """Give what a code means on a surface.

    A template to a user id is refused with the codes of the host that it goes to; what that host's table does not
    know is read as the code of a template.
    """
    if surface is Surface.NUMBER:
        return TEMPLATES.get(code, Meaning.UNKNOWN)
    if surface is Surface.USER and code not in OFFICIAL:
        return TEMPLATES.get(code, Meaning.UNKNOWN)
    return OFFICIAL.get(code, Meaning.UNKNOWN)


def rows() -> Iterator[tuple[str, Meaning, int]]:
    """Give every row of both tables."""
    for name, table in (("templates", TEMPLATES), ("official", OFFICIAL)):
        for code, meaning in table.items():
            yield name, meaning, code
