"""How many segments a text needs, where it is cut, and the header that joins the segments again.

A cut never parts an escape pair or a surrogate pair, so the count is a greedy fill and not a division.
Source: 3GPP TS 23.040 sections 9.2.3.24.1 and 9.2.3.24.8; the sizes are those of a 140-octet user data field.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from loa.text import gsm7, ucs2

USER_DATA_OCTETS: Final = 140
"""What one segment carries, header included; packed, that is 160 septets."""

MAX_SEGMENTS: Final = 255
"""The joining headers and SAR count segments in one octet."""


class Encoding(StrEnum):
    """The alphabet in which a text travels."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class Joining(StrEnum):
    """How the segments of a long text find each other again.

    `udh` and `udh_wide` are headers in the text itself, with 8- and 16-bit references. With `sar` (segments) and
    `payload` (the whole text at once) the SMSC writes the header; it is taken to write the 8-bit one.
    """

    UDH = "udh"
    UDH_WIDE = "udh_wide"
    SAR = "sar"
    PAYLOAD = "payload"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: what it says, its octets without any header, and its cost in septets or 16-bit units."""

    text: str
    octets: bytes
    units: int


def capacity(encoding: Encoding, joining: Joining = Joining.UDH) -> tuple[int, int]:
    """Give the units that fit into a single segment, and into each of several."""
    narrower = joining is Joining.UDH_WIDE
    return (160, 153 - narrower) if encoding is Encoding.GSM7 else (70, 67 - narrower)


def encode(text: str, encoding: Encoding) -> bytes:
    """Write a whole text as octets: an unpacked septet an octet, or two octets a unit.

    Errors: TextRefused for characters that the encoding lacks.
    """
    return gsm7.encode(text) if encoding is Encoding.GSM7 else ucs2.encode(text)


def decode(octets: bytes, encoding: Encoding) -> str:
    """Read octets back, forgivingly."""
    return gsm7.decode(octets) if encoding is Encoding.GSM7 else ucs2.decode(octets)


def measure(text: str, encoding: Encoding, joining: Joining = Joining.UDH) -> tuple[int, int]:
    """Count (units, segments) without cutting; an empty text is one segment.

    Errors: TextRefused for characters that the encoding lacks, where the text is long enough to be cut.
    """
    single, joined = capacity(encoding, joining)
    units = gsm7.septets(text) if encoding is Encoding.GSM7 else ucs2.units(text)
    if units <= single:
        return units, 1
    if units == len(text):
        return units, -(-units // joined)
    return units, sum(1 for _ in _cuts(encode(text, encoding), encoding, joining))


def count(text: str, encoding: Encoding, joining: Joining = Joining.UDH) -> int:
    """Count the segments of a text; the same as `len(plan(...))`, but without cutting."""
    return measure(text, encoding, joining)[1]


def plan(text: str, encoding: Encoding, joining: Joining = Joining.UDH) -> tuple[Segment, ...]:
    """Cut a text into the segments that travel to the handset.

    With `Joining.PAYLOAD` this is the cut that the SMSC is expected to make. Errors: as `encode`.
    """
    octets = encode(text, encoding)
    size = 1 if encoding is Encoding.GSM7 else 2
    pieces = (octets[start:end] for start, end in _cuts(octets, encoding, joining))
    return tuple(Segment(decode(piece, encoding), piece, len(piece) // size) for piece in pieces)


def payloads(text: str, encoding: Encoding, joining: Joining = Joining.UDH) -> tuple[bytes, ...]:
    """Give the octets to hand over, one item a submit_sm, without headers; one item with `Joining.PAYLOAD`.

    Errors: as `encode`.
    """
    octets = encode(text, encoding)
    if joining is Joining.PAYLOAD or len(octets) <= USER_DATA_OCTETS:
        return (octets,)
    return tuple(octets[start:end] for start, end in _cuts(octets, encoding, joining))


def _cuts(octets: bytes, encoding: Encoding, joining: Joining) -> Iterator[tuple[int, int]]:
    size = 1 if encoding is Encoding.GSM7 else 2
    single, joined = capacity(encoding, joining)
    length = len(octets)
    if length <= single * size:
        yield 0, length
        return
    start = 0
    while start < length:
        end = min(start + joined * size, length)
        if end < length and _parts_a_pair(octets, end, encoding):
            end -= size
        yield start, end
        start = end


def _parts_a_pair(octets: bytes, end: int, encoding: Encoding) -> bool:
    if encoding is Encoding.GSM7:
        return octets[end - 1] == gsm7.ESC
    return ucs2.is_high_surrogate(octets[end - 2])
