"""Phone numbers: every written form to one, `84912345678`, or a reason why not.

Vietnamese mobiles are judged by our own table, which is faster and newer than the library's; other countries by
`phonenumbers`, behind a stricter pattern than its own, since it reads the letter O and full-width digits as numbers.
No refusal repeats the number, so its words may go into a log.
"""

import re
from collections.abc import Iterable
from typing import Final, NewType

import phonenumbers

from loa.domain.numbering.table import VIETNAM, Carrier, NumberTable

Msisdn = NewType("Msisdn", str)
"""A number in international form, digits only, without a plus. Shapes: "84912345678"."""

VIETNAM_ONLY: Final = frozenset({"84"})
"""The calling codes accepted unless a caller says otherwise."""

MALFORMED: Final = "number_malformed"
LENGTH: Final = "number_length"
PREFIX_UNKNOWN: Final = "number_prefix_unknown"
MOVED_2018: Final = "number_moved_2018"
FIXED_LINE: Final = "number_fixed_line"
SHORT_CODE: Final = "number_short_code"
SERVICE: Final = "number_service"
COUNTRY: Final = "number_country_not_allowed"
NOT_MOBILE: Final = "number_not_mobile"
INVALID: Final = "number_invalid"

_DROPPED: Final = dict.fromkeys(
    map(ord, " .-()\u00a0\u202f\u2010\u2011\u2012\u2013\u200b\u200e\u200f\u202a\u202c\u202d\ufeff")
)
_WRITTEN: Final = re.compile(r"(?:\+|00)([1-9][0-9]*)|(0?[1-9][0-9]*)", re.ASCII)
_LONGEST: Final = 64
_SERVICE: Final = re.compile(r"1[89]00[0-9]{4,6}", re.ASCII)
_MOBILE_TYPES: Final = frozenset(
    {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
)


class NumberRefused(ValueError):
    """A number cannot be a destination: a stable code, and a detail that never holds the number itself."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def parse(
    raw: str,
    *,
    table: NumberTable = VIETNAM,
    allow_countries: frozenset[str] | None = VIETNAM_ONLY,
    convert_2018: bool = False,
    bare: bool = False,
) -> Msisdn:
    """Read a destination.

    `allow_countries`: calling codes, None for all. `convert_2018`: turn 11-digit mobiles into what they became.
    `bare`: also read Vietnamese numbers that lost their leading 0.
    Errors: NumberRefused with one of the codes above.
    """
    if allow_countries is VIETNAM_ONLY or allow_countries is None or "84" in allow_countries:
        width = table.width
        size = len(raw)
        if size == 10:
            if raw[: width + 1] in table.at_home and raw.isascii() and raw.isdigit():
                return Msisdn("84" + raw[1:])
        elif size == 11:
            if raw[: width + 2] in table.abroad and raw.isascii() and raw.isdigit():
                return Msisdn(raw)
        elif size == 12 and raw[: width + 3] in table.abroad_plus and raw.isascii() and raw[1:].isdigit():
            return Msisdn(raw[1:])
    return _parse_any(raw, table, allow_countries, convert_2018, bare)


def parse_many(
    raws: Iterable[str],
    *,
    table: NumberTable = VIETNAM,
    allow_countries: frozenset[str] | None = VIETNAM_ONLY,
    convert_2018: bool = False,
    bare: bool = False,
) -> tuple[list[Msisdn], list[tuple[int, NumberRefused]]]:
    """Read many destinations: those that are good, in order, and (index, refusal) for the others."""
    good: list[Msisdn] = []
    bad: list[tuple[int, NumberRefused]] = []
    for index, raw in enumerate(raws):
        try:
            good.append(parse(raw, table=table, allow_countries=allow_countries, convert_2018=convert_2018, bare=bare))
        except NumberRefused as refused:
            bad.append((index, refused))
    return good, bad


def carrier_hint(msisdn: Msisdn, table: NumberTable = VIETNAM) -> Carrier | None:
    """Guess the carrier by the longest prefix; a ported number keeps its prefix, so this is no more than a hint."""
    return table.carriers.get(msisdn[2 : 2 + table.width]) if msisdn.startswith("84") else None


def _parse_any(
    raw: str, table: NumberTable, allow_countries: frozenset[str] | None, convert_2018: bool, bare: bool
) -> Msisdn:
    match = _WRITTEN.fullmatch(raw.translate(_DROPPED)) if len(raw) <= _LONGEST else None
    if match is None:
        raise NumberRefused(MALFORMED, "only digits, an optional leading + or 00, and spaces, dots or dashes are read")
    abroad, home = match.groups()
    if abroad and not abroad.startswith("84"):
        return _parse_abroad(abroad, allow_countries)
    national = abroad[2:] if abroad else _national(home, bare)
    if allow_countries is not None and "84" not in allow_countries:
        raise NumberRefused(COUNTRY, "Vietnam (84) is not among the allowed countries")
    return _parse_vietnamese(national, table, convert_2018)


def _national(digits: str, bare: bool) -> str:
    """Give the digits after the 84 or the leading 0 of a number without + or 00."""
    size = len(digits)
    if digits[0] == "0":
        return digits[1:]
    if size <= 6 or _SERVICE.fullmatch(digits):
        return digits
    if bare and (size == 9 or (size == 10 and digits[0] == "1")):
        return digits
    if digits.startswith("84"):
        return digits[2:]
    raise NumberRefused(MALFORMED, f"{size} digits without a leading 0, 84 or + name no country")


def _parse_vietnamese(national: str, table: NumberTable, convert_2018: bool) -> Msisdn:
    size = len(national)
    if size == 9 and national[: table.width] in table.carriers:
        return Msisdn("84" + national)
    moved = table.moved_2018.get("0" + national[:3]) if size == 10 else None
    if moved and convert_2018:
        return Msisdn("84" + moved[1:] + national[3:])
    if moved:
        raise NumberRefused(MOVED_2018, f"prefix 0{national[:3]} became {moved} in 2018; the import can convert it")
    raise _no_mobile(national, table)


def _no_mobile(national: str, table: NumberTable) -> NumberRefused:
    size = len(national)
    if _SERVICE.fullmatch(national):
        return NumberRefused(SERVICE, "a 1800 or 1900 service number is no destination")
    if size <= 6:
        return NumberRefused(SHORT_CODE, "a short code is no destination")
    if national[0] == "2":
        return NumberRefused(FIXED_LINE, "a fixed line takes no SMS")
    if size != 9:
        return NumberRefused(LENGTH, f"a Vietnamese mobile has 9 digits after 84 or 0, not {size}")
    return NumberRefused(PREFIX_UNKNOWN, f"prefix 0{national[:2]} is not in the number table of {table.version}")


def _parse_abroad(digits: str, allow_countries: frozenset[str] | None) -> Msisdn:
    if allow_countries is not None and not digits.startswith(tuple(allow_countries)):
        raise NumberRefused(COUNTRY, "the country of this number is not among the allowed ones")
    if not 7 <= len(digits) <= 15:
        raise NumberRefused(LENGTH, f"an international number has 7 to 15 digits, not {len(digits)}")
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        raise NumberRefused(INVALID, "no country has numbers like this") from None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if written != "+" + digits or not phonenumbers.is_valid_number(number):
        raise NumberRefused(INVALID, f"not a valid number of country {number.country_code}")
    if phonenumbers.number_type(number) not in _MOBILE_TYPES:
        raise NumberRefused(NOT_MOBILE, f"not a mobile number of country {number.country_code}")
    return Msisdn(digits)
