"""UCS-2 as carriers carry it: UTF-16, big-endian, without a byte order mark.

Characters beyond U+FFFF (most emoji) are a surrogate pair and cost two units. Source: 3GPP TS 23.038 section 6.2.3.
"""

import re
from typing import Final

from loa.text.refusals import UNSENDABLE, TextRefused, gather

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def units(text: str) -> int:
    """Count the 16-bit units of a text."""
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def encode(text: str) -> bytes:
    """Write a text as UTF-16, big-endian.

    Errors: TextRefused naming lone surrogates, which no encoding can carry.
    """
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        lone = gather((match.start(), match.group()) for match in _SURROGATE.finditer(text))
        raise TextRefused(UNSENDABLE, lone) from None


def decode(octets: bytes) -> str:
    """Read UTF-16, big-endian, forgivingly: a broken pair or a loose last octet becomes U+FFFD."""
    return octets.decode("utf-16-be", "replace")


def is_high_surrogate(octet: int) -> bool:
    """Tell whether a unit with this first octet opens a surrogate pair."""
    return 0xD8 <= octet <= 0xDB
