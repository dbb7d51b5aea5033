"""The GSM 7-bit default alphabet with its extension table.

Encoded text here is *unpacked*, one septet in each octet, as SMPP carries it; `pack` is for the few that want it so.
Source: 3GPP TS 23.038 section 6.2.1 (alphabets) and 6.1.2.1 (packing).
"""

import re
from typing import Final

from loa.text.refusals import NOT_IN_ALPHABET, CharacterAt, TextRefused, gather

ESC: Final = 0x1B

BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
"""The 128 characters by septet; the one at ESC is no character of its own."""

EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
"""Characters that cost two septets, by the septet that follows ESC."""

CHARACTERS: Final = frozenset(BASIC.replace("\x1b", "")) | frozenset(EXTENSION.values())

_NO_SEPTET: Final = "\uffff"
_ENCODE: Final[dict[int, str]] = (
    dict.fromkeys(range(256), _NO_SEPTET)
    | {ord(character): chr(septet) for septet, character in enumerate(BASIC) if septet != ESC}
    | {ord(character): chr(ESC) + chr(septet) for septet, character in EXTENSION.items()}
)
_DECODE: Final = str.maketrans(dict(enumerate(BASIC)) | {ESC: " "} | dict.fromkeys(range(128, 256), "\ufffd"))
_PAIR: Final = re.compile("\x1b([\x00-\x1a\x1c-\xff])")
_OUTSIDE: Final = re.compile(f"[^{re.escape(''.join(sorted(CHARACTERS)))}]")

_BASIC_ASCII: Final = bytes(ord(c) for c in CHARACTERS if c.isascii() and c not in EXTENSION.values())
_EXTENSION_ASCII: Final = bytes(ord(c) for c in EXTENSION.values() if c.isascii())
_NOT_EXTENSION_ASCII: Final = bytes(octet for octet in range(128) if octet not in _EXTENSION_ASCII)
_ONE_TO_ONE: Final = bytes(
    BASIC.index(chr(octet)) if octet in _BASIC_ASCII else octet for octet in range(256)
)  # read only once every octet is known to be in _BASIC_ASCII


def fits(text: str) -> bool:
    """Tell whether every character is in the alphabet or its extension."""
    return _OUTSIDE.search(text) is None


def outside(text: str) -> tuple[CharacterAt, ...]:
    """Name the characters that the alphabet lacks."""
    return gather((match.start(), match.group()) for match in _OUTSIDE.finditer(text))


def ascii_septets(text: str) -> int:
    """Count the septets of an ASCII text, or give -1 when it holds a character outside the alphabet.

    Errors: UnicodeEncodeError for a text that is not ASCII.
    """
    octets = text.encode("ascii")
    rest = octets.translate(None, _BASIC_ASCII)
    if rest and rest.translate(None, _EXTENSION_ASCII):
        return -1
    return len(octets) + len(rest)


def septets(text: str) -> int:
    """Count the septets of a text that fits; characters outside the alphabet would count as one."""
    if text.isascii():
        return len(text) + len(text.encode("ascii").translate(None, _NOT_EXTENSION_ASCII))
    return len(text) + sum(map(text.count, EXTENSION.values()))


def encode(text: str) -> bytes:
    """Write a text as one septet an octet.

    Errors: TextRefused naming the characters that the alphabet lacks.
    """
    if text.isascii():
        octets = text.encode("ascii")
        if not octets.translate(None, _BASIC_ASCII):
            return octets.translate(_ONE_TO_ONE)
    try:
        return text.translate(_ENCODE).encode("latin-1")
    except UnicodeEncodeError:
        raise TextRefused(NOT_IN_ALPHABET, outside(text)) from None


def decode(octets: bytes) -> str:
    """Read septets, one an octet, forgivingly: nothing that a peer sends raises.

    An unknown pair shows its second septet from the basic table and a loose ESC shows a space, as the source asks of a
    handset; an octet above 127 becomes U+FFFD.
    """
    text = octets.decode("latin-1")
    if ESC not in octets:
        return text.translate(_DECODE)
    parts = _PAIR.split(text)
    read = [parts[0].translate(_DECODE)]
    for second, rest in zip(parts[1::2], parts[2::2], strict=True):
        read += EXTENSION.get(ord(second)) or second.translate(_DECODE), rest.translate(_DECODE)
    return "".join(read)


def fill_bits(header_octets: int) -> int:
    """Count the bits that bring packed text after a header of that many octets to a septet boundary."""
    return -8 * header_octets % 7


def pack(unpacked: bytes, fill: int = 0) -> bytes:
    """Pack septets into octets, lowest bit first, after `fill` zero bits."""
    value = 0
    for index, septet in enumerate(unpacked):
        value |= (septet & 0x7F) << 7 * index
    return (value << fill).to_bytes((7 * len(unpacked) + fill + 7) // 8, "little")


def unpack(packed: bytes, count: int, fill: int = 0) -> bytes:
    """Unpack `count` septets, fewer if the octets end first.

    `count` has to come from outside: seven zero bits at the end may be filling or the character @.
    """
    value = int.from_bytes(packed, "little") >> fill
    count = min(count, max(0, 8 * len(packed) - fill) // 7)
    return bytes(value >> 7 * index & 0x7F for index in range(count))
