"""From an attempt to octets: alphabets, joining, sender kinds, lifetimes, references."""

import pytest
from tests.unit.channels.window_rig import LONG, NOW, attempt, settings_of

from loa.channels.smpp.compose import CannotSend, Composer
from loa.channels.smpp.references import References
from loa.smpp.codec import decode
from loa.smpp.payload import content
from loa.text import gsm7


def written(one, **given):
    composer = Composer(settings_of(**given), References())
    letter = composer.letter(one, NOW)
    parts = len(letter.wording.parts)
    return [decode(composer.pdu(letter, index, index + 1), strict=True) for index in range(parts)]


@pytest.mark.parametrize(
    ("sender", "kind"),
    [("LOA", (5, 0)), ("5656", (3, 0)), ("12345678", (3, 0)), ("84901234567", (1, 1)), ("L0A 24H", (5, 0))],
)
def test_the_kind_of_sender_is_seen_from_its_form(sender, kind):
    (pdu,) = written(attempt(sender=sender))
    assert (pdu.source_ton, pdu.source_npi) == kind
    assert pdu.source == sender


def test_the_lifetime_left_is_passed_on_and_never_exceeded():
    assert written(attempt(expires_at=NOW + 299_999))[0].validity == "000000000459000R"
    assert written(attempt(expires_at=NOW + 86_399_999))[0].validity == "000000235900000R"
    assert written(attempt(expires_at=NOW - 5))[0].validity == "000000000001000R"
    assert written(attempt(expires_at=NOW + 10 * 365 * 86_400_000))[0].validity.endswith("R")
    assert written(attempt(expires_at=NOW + 1_000), validity=False)[0].validity == ""


@pytest.mark.parametrize(("asked", "value"), [("final", 1), ("failure", 2), ("none", 0)])
def test_receipts_are_asked_for_as_configured(asked, value):
    assert written(attempt(), registered_delivery=asked)[0].registered_delivery == value


def test_the_fields_of_the_contract_are_in_every_message():
    (pdu,) = written(
        attempt(), service_type="CMT", protocol_id=65, priority=2, dest_ton=2, dest_npi=8, gsm_data_coding=1
    )
    assert (pdu.service_type, pdu.protocol_id, pdu.priority) == ("CMT", 65, 2)
    assert (pdu.destination_ton, pdu.destination_npi, pdu.data_coding) == (2, 8, 1)


@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar"])
@pytest.mark.parametrize(
    ("text", "encoding"), [(LONG, "gsm7"), ("€" * 200, "gsm7"), ("Tiếng Việt có dấu. " * 12 + "😀" * 30, "ucs2")]
)
def test_a_long_text_comes_back_whole_from_its_segments(mode, text, encoding):
    pdus = written(attempt(text=text, encoding=encoding), long_message=mode)
    parts = [content(pdu) for pdu in pdus]
    assert "".join(part.text for part in parts) == text
    assert [part.part.number for part in parts] == list(range(1, len(pdus) + 1))
    assert all(len(pdu.short_message) <= 160 for pdu in pdus)
    assert all(len(pdu.short_message) <= 140 for pdu in pdus if encoding == "ucs2")


@pytest.mark.parametrize(("text", "encoding"), [("x" * 160, "gsm7"), ("ế" * 70, "ucs2")])
def test_a_text_that_fits_one_message_needs_no_joining_in_any_mode(text, encoding):
    for mode in ("udh8", "udh16", "sar", "payload"):
        (pdu,) = written(attempt(text=text, encoding=encoding), long_message=mode)
        assert (pdu.esm_class, pdu.tlvs) == (0, ())
        assert content(pdu).text == text


@pytest.mark.parametrize(("text", "encoding"), [("x" * 161, "gsm7"), ("ế" * 71, "ucs2"), ("ế" * 500, "ucs2")])
def test_one_payload_carries_a_long_text_whole(text, encoding):
    (pdu,) = written(attempt(text=text, encoding=encoding), long_message="payload")
    assert pdu.short_message == b""
    assert content(pdu).text == text


def test_septets_are_packed_where_the_peer_wants_them_packed():
    (pdu,) = written(attempt(text="hellohello"), packed=True)
    assert pdu.short_message.hex() == "e8329bfd4697d9ec37"
    pdus = written(attempt(text=LONG), packed=True)
    assert all(len(pdu.short_message) <= 140 for pdu in pdus)
    read = [content(pdu, "gsm7_packed").text for pdu in pdus]
    assert "".join(read) == LONG
    assert gsm7.fill_bits(6) == 1


def test_a_poorer_default_alphabet_takes_what_it_can_and_leaves_the_rest_to_unicode():
    (pdu,) = written(attempt(text="à @ ¥"), default_alphabet="latin1")
    assert (pdu.data_coding, pdu.short_message) == (0, "à @ ¥".encode("latin-1"))
    (pdu,) = written(attempt(text="price 5 €"), default_alphabet="latin1")
    assert (pdu.data_coding, content(pdu).text) == (8, "price 5 €")
    (pdu,) = written(attempt(text="~[x]"), default_alphabet="ascii")
    assert pdu.short_message == b"~[x]"
    (pdu,) = written(attempt(text="à"), default_alphabet="ascii")
    assert pdu.data_coding == 8


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (attempt(text="Việt"), "text_not_in_alphabet"),
        (attempt(text="\ud800", encoding="ucs2"), "text_unsendable"),
        (attempt(text="x" * 153 * 256), "text_too_long"),
        (attempt(sender="x" * 21), "sender_not_sendable"),
        (attempt(sender="a\0b"), "sender_not_sendable"),
        (attempt(sender="Việt"), "sender_not_sendable"),
    ],
)
def test_what_cannot_be_written_has_a_stable_reason(one, reason):
    with pytest.raises(CannotSend) as cannot:
        written(one)
    assert cannot.value.reason == reason


def test_a_payload_longer_than_its_parameter_is_refused():
    with pytest.raises(CannotSend, match="text_too_long"):
        written(attempt(text="x" * 70_000), long_message="payload")


def test_messages_share_wording_and_template_and_differ_in_reference():
    composer = Composer(settings_of(), References())
    first, second = (composer.letter(attempt(number, LONG), NOW) for number in (1, 2))
    assert first.wording is second.wording
    assert first.template is second.template
    assert (second.reference - first.reference) % 65_536 == 1


def test_the_caches_of_a_composer_are_bounded():
    composer = Composer(settings_of(), References())
    for number in range(3_000):
        composer.letter(attempt(number, f"text {number}", sender=f"S{number}"), NOW)
    assert len(composer._wordings) <= 1_024
    assert len(composer._templates) <= 1_024


def test_references_count_for_each_destination_by_itself_and_wrap():
    references = References()
    first = references.next(1)
    references.next(2)
    assert references.next(1) == (first + 1) % 65_536
    seen = {references.next(1) for _ in range(65_536)}
    assert seen == set(range(65_536))


def test_the_counters_of_references_are_bounded_and_the_least_used_go_first():
    references = References(kept=3)
    kept = references.next(1)
    for destination in (2, 3):
        references.next(destination)
    assert references.next(1) == (kept + 1) % 65_536
    references.next(4)
    assert list(references._last) == [3, 1, 4]
