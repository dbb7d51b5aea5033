"""The user data header that joins segments: written for what we send, read forgivingly from what we get.

Source: 3GPP TS 23.040 section 9.2.3.24; elements 0x00 (8-bit reference) and 0x08 (16-bit reference).
"""

from dataclasses import dataclass
from typing import Final

_NARROW: Final = 0x00
_WIDE: Final = 0x08


@dataclass(frozen=True, slots=True)
class Joint:
    """A segment's place in its message. Shapes: 1 <= index <= total <= 255."""

    reference: int
    total: int
    index: int
    wide: bool


def udh(reference: int, total: int, index: int, wide: bool = False) -> bytes:
    """Write the header of segment `index` (from 1) of `total`: 6 octets, or 7 with a 16-bit reference.

    The reference wraps to its width, so a plain counter may be handed in.
    Errors: ValueError when total or index do not fit the header.
    """
    if not 1 <= index <= total <= 255:
        raise ValueError(f"segment {index} of {total} does not fit a joining header, which counts from 1 to 255")
    if wide:
        return bytes((6, _WIDE, 4, reference >> 8 & 0xFF, reference & 0xFF, total, index))
    return bytes((5, _NARROW, 3, reference & 0xFF, total, index))


def split_udh(octets: bytes) -> tuple[Joint | None, bytes]:
    """Part user data that opens with a header into its joint, if it has one, and the text after the header.

    The joining element may stand anywhere among others. A header that claims more octets than there are leaves no text;
    a joint that cannot be true is passed over.
    """
    if not octets:
        return None, b""
    end = octets[0] + 1
    return _find_joint(octets[1:end]), octets[end:]


def _find_joint(elements: bytes) -> Joint | None:
    at = 0
    while at + 2 <= len(elements):
        tag, length = elements[at], elements[at + 1]
        joint = _read_joint(tag, length, elements[at + 2 : at + 2 + length])
        if joint is not None:
            return joint
        at += 2 + length
    return None


def _read_joint(tag: int, length: int, data: bytes) -> Joint | None:
    if (tag, length) not in {(_NARROW, 3), (_WIDE, 4)} or len(data) < length:
        return None
    *reference, total, index = data
    if not 1 <= index <= total:
        return None
    return Joint(int.from_bytes(bytes(reference), "big"), total, index, tag == _WIDE)
