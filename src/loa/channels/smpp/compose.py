"""From an attempt to the submit_sm PDUs of its segments.

What messages share is made once: the wording by text, the rest of the PDU by sender and lifetime. Both caches are
bounded. Knows no link and no window.
"""

import re
from datetime import timedelta
from typing import Final

from loa.channels.smpp.references import References
from loa.channels.smpp.settings import RECEIPTS_ASKED, SmppSettings
from loa.ports.channel import Attempt
from loa.smpp import commands as c
from loa.smpp import tlv
from loa.smpp.encoding import SubmitTemplate
from loa.smpp.faults import EncodeError
from loa.smpp.payload import Part, sar_tlvs
from loa.smpp.pdu import SubmitSm
from loa.smpp.times import LONGEST_VALIDITY, relative
from loa.text import gsm7
from loa.text.refusals import TextRefused
from loa.text.segments import MAX_SEGMENTS, Encoding, Joining, payloads, plan
from loa.text.udh import udh

KEPT: Final = 1_024
_SINGLE_PLAIN: Final = 160
_SINGLE_UNICODE: Final = 140
"""Octets of a single short message; what is longer and not cut travels as message_payload."""

_HEADER_OCTETS: Final = {Joining.UDH: 6, Joining.UDH_WIDE: 7, Joining.SAR: 0, Joining.PAYLOAD: 0}
_CODECS: Final = {"latin1": "latin-1", "ascii": "ascii"}
_LONGEST_S: Final = int(LONGEST_VALIDITY.total_seconds())


class CannotSend(Exception):
    """This message can never be written for this channel; the reason is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Wording:
    """A text as the wire carries it: one item of octets for each submit_sm, before any joining header."""

    __slots__ = ("coding", "parts", "payload")

    def __init__(self, coding: int, parts: tuple[bytes, ...], single: int) -> None:
        self.coding = coding
        self.parts = parts
        self.payload = len(parts) == 1 and len(parts[0]) > single


class Letter:
    """All that is needed to write the segments of one attempt."""

    __slots__ = ("destination", "reference", "template", "wording")

    def __init__(self, template: SubmitTemplate, wording: Wording, destination: str, reference: int) -> None:
        self.template = template
        self.wording = wording
        self.destination = destination
        self.reference = reference


class Composer:
    """Writes PDUs the way one channel wants them."""

    def __init__(self, settings: SmppSettings, references: References) -> None:
        self._settings = settings
        self._joining = settings.joining
        self._references = references
        self._wordings: dict[tuple[str, str], Wording] = {}
        self._templates: dict[tuple[str, int], SubmitTemplate] = {}
        forbidden = settings.forbidden_characters
        self._forbidden = re.compile(f"[{re.escape(forbidden)}]") if forbidden else None

    def letter(self, attempt: Attempt, now: int) -> Letter:
        """Prepare an attempt. Units: now in milliseconds since the epoch. Errors: CannotSend."""
        wording = self._wordings.get((attempt.text, attempt.encoding))
        if wording is None:
            wording = self._word(attempt.text, attempt.encoding)
        seconds = self._lifetime(attempt.expires_at, now)
        template = self._templates.get((attempt.sender, seconds))
        if template is None:
            template = self._make_template(attempt.sender, seconds)
        destination = attempt.destination
        reference = self._references.next(destination) if len(wording.parts) > 1 else 0
        return Letter(template, wording, str(destination), reference)

    def pdu(self, letter: Letter, index: int, sequence: int) -> bytes:
        """Write the submit_sm of one segment, counted from 0."""
        wording = letter.wording
        part = wording.parts[index]
        total = len(wording.parts)
        if total == 1:
            if not wording.payload:
                return letter.template.encode(sequence, letter.destination, part, data_coding=wording.coding)
            payload = ((tlv.MESSAGE_PAYLOAD, part),)
            return letter.template.encode(sequence, letter.destination, b"", data_coding=wording.coding, tlvs=payload)
        if self._joining is Joining.SAR:
            joint = sar_tlvs(Part(letter.reference, total, index + 1))
            return letter.template.encode(sequence, letter.destination, part, data_coding=wording.coding, tlvs=joint)
        header = udh(letter.reference, total, index + 1, self._joining is Joining.UDH_WIDE)
        return letter.template.encode(
            sequence, letter.destination, header + part, data_coding=wording.coding, esm_class=c.ESM_UDHI
        )

    def _lifetime(self, expires_at: int, now: int) -> int:
        """Give the validity in seconds, never past the end; whole minutes when long, so that templates are shared."""
        if not self._settings.validity or expires_at <= 0:
            return 0
        seconds = max(1, min((expires_at - now) // 1000, _LONGEST_S))
        return seconds if seconds < 3600 else seconds // 60 * 60

    def _make_template(self, sender: str, seconds: int) -> SubmitTemplate:
        s = self._settings
        ton, npi = s.source_kind(sender)
        try:
            template = SubmitTemplate(
                SubmitSm(
                    service_type=s.service_type,
                    source_ton=ton,
                    source_npi=npi,
                    source=sender,
                    destination_ton=s.dest_ton,
                    destination_npi=s.dest_npi,
                    protocol_id=s.protocol_id,
                    priority=s.priority,
                    validity=relative(timedelta(seconds=seconds)) if seconds else "",
                    registered_delivery=RECEIPTS_ASKED[s.registered_delivery],
                    tlvs=s.tlvs,
                )
            )
        except EncodeError:
            raise CannotSend("sender_not_sendable") from None
        if len(self._templates) >= KEPT:
            self._templates.clear()
        self._templates[sender, seconds] = template
        return template

    def _word(self, text: str, encoding: str) -> Wording:
        if self._forbidden is not None and self._forbidden.search(text):
            raise CannotSend("text_forbidden_character")
        try:
            wording = self._plain(text) if encoding == Encoding.GSM7 else self._unicode(text)
        except TextRefused as refused:
            raise CannotSend(refused.code) from None
        if len(wording.parts) > MAX_SEGMENTS or len(wording.parts[0]) > 0xFFFF:
            raise CannotSend("text_too_long")
        if len(self._wordings) >= KEPT:
            self._wordings.clear()
        self._wordings[text, encoding] = wording
        return wording

    def _unicode(self, text: str) -> Wording:
        return Wording(self._settings.ucs2_data_coding, payloads(text, Encoding.UCS2, self._joining), _SINGLE_UNICODE)

    def _plain(self, text: str) -> Wording:
        """Write a text in the default alphabet; where that is a poorer one than GSM, as Unicode when it must be."""
        settings = self._settings
        if settings.default_alphabet == "gsm":
            parts = payloads(text, Encoding.GSM7, self._joining)
            if settings.packed:
                fill = gsm7.fill_bits(_HEADER_OCTETS[self._joining]) if len(parts) > 1 else 0
                parts = tuple(gsm7.pack(part, fill) for part in parts)
            return Wording(settings.gsm_data_coding, parts, _SINGLE_PLAIN)
        codec = _CODECS[settings.default_alphabet]
        whole = self._joining is Joining.PAYLOAD
        texts = (text,) if whole else tuple(each.text for each in plan(text, Encoding.GSM7, self._joining))
        try:
            parts = tuple(each.encode(codec) for each in texts)
        except UnicodeEncodeError:
            return self._unicode(text)
        return Wording(settings.gsm_data_coding, parts, _SINGLE_PLAIN)
