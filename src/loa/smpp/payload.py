"""What a message carries: its octets, the part of a long message that it is, and its text.

Reads whatever arrives and never raises: a receipt or a reply must not be lost for one odd octet. Alphabets and
headers themselves are in `loa.text`.

Source: 3GPP TS 23.038 section 4, SMPP 5.0 sections 4.7.7 and 4.8.4.
"""

from dataclasses import dataclass
from typing import Final, Literal

from loa.smpp import commands as c
from loa.smpp import tlv
from loa.smpp.pdu import DataSm, DeliverSm, SubmitSm
from loa.text import gsm7
from loa.text.udh import split_udh

DefaultAlphabet = Literal["gsm7", "gsm7_packed", "latin1", "ascii"]


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of which long message this is; `number` counts from 1."""

    reference: int
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class Content:
    """One message taken apart: the octets after the header, them as text, and which part it is."""

    body: bytes
    text: str
    part: Part | None


Message = SubmitSm | DeliverSm | DataSm


def octets(message: Message) -> bytes:
    """Give the octets of the message: short_message, or message_payload where that is empty."""
    short = b"" if isinstance(message, DataSm) else message.short_message
    return short or tlv.find(message.tlvs, tlv.MESSAGE_PAYLOAD) or b""


def content(message: Message, default: DefaultAlphabet = "gsm7") -> Content:
    """Take a message apart; anything odd becomes replacement characters, never an error.

    `default` is the alphabet that this SMSC means by data_coding 0.
    """
    raw = octets(message)
    part, body = split_header(raw) if message.esm_class & c.ESM_UDHI else (None, raw)
    text = decode_text(body, message.data_coding, default, len(raw) - len(body))
    return Content(body, text, part or sar_part(message.tlvs))


def split_header(raw: bytes) -> tuple[Part | None, bytes]:
    """Split a user data header off, with the part it names; one longer than the octets there are is left on."""
    if not raw or raw[0] >= len(raw):
        return None, raw
    joint, body = split_udh(raw)
    return (None if joint is None else Part(joint.reference, joint.total, joint.index)), body


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


def decode_text(body: bytes, data_coding: int, default: DefaultAlphabet = "gsm7", header_length: int = 0) -> str:
    """Read octets as text by data_coding; packed septets after a header begin at a septet boundary."""
    alphabet = _alphabet(data_coding, default)
    if alphabet == "gsm7":
        return gsm7.decode(body)
    if alphabet == "gsm7_packed":
        return gsm7.decode(_unpack(body, gsm7.fill_bits(header_length)))
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


def _unpack(body: bytes, fill: int) -> bytes:
    """Unpack septets; a last one that only fills the octet, zeros or a carriage return, is dropped."""
    septets = gsm7.unpack(body, len(body) * 8 // 7, fill)
    ends_on_octet = 7 * len(septets) + fill == 8 * len(body)
    return septets[:-1] if ends_on_octet and septets[-1:] in (b"\0", b"\r") else septets
