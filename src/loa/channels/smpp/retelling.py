"""What was sent for an attempt, composed again: each submit_sm with its fields and its octets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from loa.channels.smpp import settings as own
from loa.channels.smpp.compose import CannotSend, Composer
from loa.channels.smpp.references import References
from loa.ports.channel import Attempt, Exchange
from loa.smpp import tlv
from loa.smpp.codec import decode
from loa.smpp.payload import DefaultAlphabet, content
from loa.smpp.pdu import SubmitSm

_ALPHABETS: Final[Mapping[str, DefaultAlphabet]] = {"gsm": "gsm7", "latin1": "latin1", "ascii": "ascii"}
_WRITTEN_APART: Final = frozenset({"sequence", "short_message", "tlvs"})


def retell(settings: Mapping[str, Any], attempt: Attempt, claimed_at: int) -> Sequence[Exchange]:
    """Compose the submit_sm of each segment; the reference that joins them and the sequence numbers are 0."""
    read = own.read(settings)
    composer = Composer(read, References())
    try:
        letter = composer.letter(attempt, claimed_at)
    except CannotSend:
        return []
    letter.reference = 0
    alphabet = _alphabet(read)
    return [_exchange(composer.pdu(letter, index, 0), alphabet) for index in range(len(letter.wording.parts))]


def _alphabet(settings: own.SmppSettings) -> DefaultAlphabet:
    if settings.packed:
        return "gsm7_packed"
    return _ALPHABETS[settings.default_alphabet]


def _exchange(octets: bytes, alphabet: DefaultAlphabet) -> Exchange:
    pdu = decode(octets)
    assert isinstance(pdu, SubmitSm)
    return Exchange("submit_sm", tuple(_fields(pdu, alphabet)), octets)


def _fields(pdu: SubmitSm, alphabet: DefaultAlphabet) -> Iterator[tuple[str, str]]:
    for each in fields(pdu):
        value = getattr(pdu, each.name)
        if each.name not in _WRITTEN_APART and value not in (0, ""):
            yield each.name, str(value)
    yield "sm_length", str(len(pdu.short_message))
    read = content(pdu, alphabet)
    if read.part is not None:
        yield "part", f"{read.part.number}/{read.part.total}"
    yield "text", read.text
    for tag, value in pdu.tlvs:
        if tag != tlv.MESSAGE_PAYLOAD:
            yield tlv.NAMES.get(tag, f"0x{tag:04X}"), value.hex()
