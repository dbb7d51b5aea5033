"""What a message carries: its octets, the header inside them, the part of a long message, and its text.

Reads whatever arrives and never raises: a receipt or a reply must not be lost for one odd octet. Writing of
headers and cutting of long text is in `loa.text`.

Source: 3GPP TS 23.038 section 4 and 6.2.1, TS 23.040 section 9.2.3.24, SMPP 5.0 sections 4.7.7 and 4.8.4.
"""

from dataclasses import dataclass
from typing import Final, Literal

from loa.smpp import commands as c
from loa.smpp import tlv
from loa.smpp.pdu import DataSm, DeliverSm, SubmitSm

Elements = tuple[tuple[int, bytes], ...]
DefaultAlphabet = Literal["gsm7", "gsm7_packed", "latin1", "ascii"]

_CONCAT_8: Final = 0x00
_CONCAT_16: Final = 0x08

_GSM_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED: Final = {
    "\n": "\f",
    "Λ": "^",
    "(": "{",
    ")": "}",
    "/": "\\",
    "<": "[",
    "=": "~",
    ">": "]",
    "¡": "|",
    "e": "€",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of which long message this is; `number` counts from 1."""

    reference: int
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class Content:
    """One message taken apart: header elements, the octets after the header, and them as text."""

    elements: Elements
    body: bytes
    text: str
    part: Part | None


Carrier = SubmitSm | DeliverSm | DataSm


def octets(message: Carrier) -> bytes:
    """Give the octets of the message: short_message, or message_payload where that is empty."""
    short = b"" if isinstance(message, DataSm) else message.short_message
    return short or tlv.find(message.tlvs, tlv.MESSAGE_PAYLOAD) or b""


def content(message: Carrier, default: DefaultAlphabet = "gsm7") -> Content:
    """Take a message apart; anything odd becomes replacement characters, never an error.

    `default` is the alphabet that this SMSC means by data_coding 0.
    """
    raw = octets(message)
    elements, body = split_header(raw) if message.esm_class & c.ESM_UDHI else ((), raw)
    fill = (7 - (len(raw) - len(body)) * 8 % 7) % 7 if default == "gsm7_packed" else 0
    text = decode_text(body, message.data_coding, default, fill)
    return Content(elements, body, text, part_of(elements) or sar_part(message.tlvs))


def split_header(raw: bytes) -> tuple[Elements, bytes]:
    """Split a user data header off; one that does not add up is left in the body."""
    if not raw or raw[0] >= len(raw):
        return (), raw
    end = 1 + raw[0]
    elements, at = [], 1
    while at + 2 <= end:
        stop = at + 2 + raw[at + 1]
        if stop > end:
            return (), raw
        elements.append((raw[at], raw[at + 2 : stop]))
        at = stop
    return tuple(elements), raw[end:]


def part_of(elements: Elements) -> Part | None:
    """Find the part number in a header, wherever in it the element stands; the last one counts."""
    found = None
    for kind, value in elements:
        if kind == _CONCAT_8 and len(value) == 3:
            found = _part(value[0], value[1], value[2]) or found
        elif kind == _CONCAT_16 and len(value) == 4:
            found = _part(value[0] << 8 | value[1], value[2], value[3]) or found
    return found


def sar_part(tlvs: tlv.Tlvs) -> Part | None:
    """Find the part number in the sar parameters."""
    reference = tlv.find_int(tlvs, tlv.SAR_MSG_REF_NUM)
    total = tlv.find_int(tlvs, tlv.SAR_TOTAL_SEGMENTS)
    number = tlv.find_int(tlvs, tlv.SAR_SEGMENT_SEQNUM)
    if reference is None or total is None or number is None:
        return None
    return _part(reference, total, number)


def sar_tlvs(part: Part) -> tlv.Tlvs:
    """Write a part number as sar parameters."""
    return (
        (tlv.SAR_MSG_REF_NUM, (part.reference & 0xFFFF).to_bytes(2, "big")),
        (tlv.SAR_TOTAL_SEGMENTS, bytes((part.total,))),
        (tlv.SAR_SEGMENT_SEQNUM, bytes((part.number,))),
    )


def decode_text(body: bytes, data_coding: int, default: DefaultAlphabet = "gsm7", fill: int = 0) -> str:
    """Read octets as text by data_coding; `fill` counts the fill bits of packed septets after a header."""
    alphabet = _alphabet(data_coding, default)
    if alphabet == "gsm7":
        return _gsm7(body)
    if alphabet == "gsm7_packed":
        return _gsm7(_unpack(body, fill))
    return body.decode(alphabet, "replace")


def _part(reference: int, total: int, number: int) -> Part | None:
    return Part(reference, total, number) if 1 <= number <= total else None


_CODECS: Final = {
    c.CODING_ASCII: "ascii",
    c.CODING_OCTETS: "latin-1",
    c.CODING_LATIN1: "latin-1",
    c.CODING_OCTETS_ALT: "latin-1",
    c.CODING_JIS: "shift_jis",
    c.CODING_CYRILLIC: "iso8859_5",
    c.CODING_HEBREW: "iso8859_8",
    c.CODING_UCS2: "utf-16-be",
    c.CODING_ISO2022_JP: "iso2022_jp",
    c.CODING_EUC_KR: "euc_kr",
}


def _alphabet(data_coding: int, default: DefaultAlphabet) -> str:
    """Name the alphabet; from 0x10 up the number is a GSM data coding scheme."""
    plain = "latin-1" if default == "latin1" else default
    if data_coding < 0x10:
        return _CODECS.get(data_coding, plain)
    if data_coding >= 0xF0:
        return "latin-1" if data_coding & 0x04 else plain
    if data_coding >= 0xC0:
        return "utf-16-be" if data_coding >= 0xE0 else plain
    return {0x04: "latin-1", 0x08: "utf-16-be"}.get(data_coding & 0x0C, plain)


def _gsm7(body: bytes) -> str:
    """Read one septet an octet; an escape before nothing known becomes a space, as handsets show it."""
    text = "".join(_GSM_BASIC[septet] if septet < 0x80 else "\ufffd" for septet in body)
    if "\x1b" not in text:
        return text
    first, *others = text.split("\x1b")
    return first + "".join(
        _GSM_EXTENDED[piece[0]] + piece[1:] if piece and piece[0] in _GSM_EXTENDED else " " + piece for piece in others
    )


def _unpack(body: bytes, fill: int) -> bytes:
    """Unpack septets from octets; a last septet of zeros that only fills the octet is dropped."""
    bits = int.from_bytes(body, "little") >> fill
    count = (len(body) * 8 - fill) // 7
    septets = bytes(bits >> (7 * i) & 0x7F for i in range(count))
    return septets[:-1] if count and count % 8 == 0 and septets[-1] in (0, 0x0D) else septets
