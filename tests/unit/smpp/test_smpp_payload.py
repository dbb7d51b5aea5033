"""What an inbound message carries, read without ever raising."""

import pytest

from loa.smpp import pdu as p
from loa.smpp import tlv
from loa.smpp.payload import Part, content, decode_text, sar_part, sar_tlvs, split_header


def test_a_plain_gsm_reply_is_read():
    found = content(p.DeliverSm(short_message=b"STOP \x00 \x1b\x65 \x1b("))
    assert (found.text, found.part) == ("STOP @ € {", None)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (b"\5\0\3\x2a\2\1", Part(42, 2, 1)),
        (b"\6\x08\4\1\x2a\3\2", Part(0x12A, 3, 2)),
        (b"\x0b\5\4\x0b\x84\x23\xf0\0\3\7\2\2", Part(7, 2, 2)),
        (b"\5\0\3\x2a\2\3", None),
        (b"\5\0\3\x2a\0\0", None),
        (b"\4\0\2\x2a\2", None),
        (b"\2\x70\0", None),
        (b"\5\0\7\1\2\1", None),
    ],
)
def test_the_part_is_found_anywhere_in_the_header(header: bytes, part: Part | None):
    found = content(p.DeliverSm(esm_class=0x40, short_message=header + b"text"))
    assert (found.part, found.body, found.text) == (part, b"text", "text")


@pytest.mark.parametrize("raw", [b"", b"\5\0\3", b"\5\0\3\1\2", b"\xff"])
def test_a_header_longer_than_the_message_stays_in_the_body(raw: bytes):
    assert split_header(raw) == (None, raw)


def test_without_the_udhi_bit_nothing_is_taken_for_a_header():
    assert content(p.DeliverSm(short_message=b"\5\0\3\1\2\1")).part is None


def test_the_part_is_found_in_sar_parameters():
    tlvs = sar_tlvs(Part(300, 4, 2))
    assert sar_part(tlvs) == Part(300, 4, 2)
    assert content(p.DeliverSm(short_message=b"x", tlvs=tlvs)).part == Part(300, 4, 2)
    assert sar_part(tlvs[:2]) is None


def test_the_payload_is_read_where_short_message_is_empty():
    long = b"a" * 1000
    assert content(p.DeliverSm(tlvs=((tlv.MESSAGE_PAYLOAD, long),))).body == long
    assert content(p.DataSm(tlvs=((tlv.MESSAGE_PAYLOAD, long),))).body == long
    assert content(p.DataSm()).text == ""


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        ("Mã số".encode("utf-16-be"), 8, "Mã số"),
        ("Mã số".encode("utf-16-be"), 0x18, "Mã số"),
        ("Mã số".encode("utf-16-be"), 0xE0, "Mã số"),
        (b"\x00M\x00", 8, "M\ufffd"),
        (b"\xd8\x00\x00M", 8, "\ufffdM"),
        ("é".encode("latin-1"), 3, "é"),
        ("привет".encode("iso8859_5"), 6, "привет"),
        ("שלום".encode("iso8859_8"), 7, "שלום"),
        (b"\x04@", 0xF0, "è¡"),
        (b"ok", 0x11, "ok"),
        (b"\xe9", 0xF4, "é"),
        (b"ok", 0xC0, "ok"),
        (b"ok", 0x0D, "ok"),
        (b"a\x80b", 0, "a\ufffdb"),
        (b"a\x1b", 0, "a "),
        (b"a\x1bzb", 0, "azb"),
        (b"a\xffb", 1, "a\ufffdb"),
        (b"\x1b$B\xff", 10, None),
        (b"\xff\xff", 14, None),
        (b"\x81", 5, None),
    ],
)
def test_octets_become_text_under_any_data_coding(octets: bytes, coding: int, text: str | None):
    assert decode_text(octets, coding) == text or text is None


def test_data_coding_0_is_what_the_channel_says_it_is():
    assert decode_text(b"\x00\xe9", 0, "latin1") == "\x00é"
    assert decode_text(b"$\xe9", 0, "ascii") == "$\ufffd"
    assert decode_text(b"$", 0, "gsm7") == "¤"


def test_packed_septets_are_unpacked():
    assert decode_text(bytes.fromhex("e8329bfd4697d9ec37"), 0, "gsm7_packed") == "hellohello"
    assert decode_text(bytes.fromhex("31d98c56b3dd1a"), 0, "gsm7_packed") == "1234567"
    assert decode_text(bytes.fromhex("31d98c56b3dd70"), 0, "gsm7_packed") == "12345678"
    assert decode_text(b"", 0, "gsm7_packed") == ""


def test_packed_septets_after_a_header_start_at_a_septet_boundary():
    septets = [ord(letter) for letter in "hello"]
    bits = 0
    for index, septet in enumerate(septets):
        bits |= septet << (7 * index + 1)
    packed = bits.to_bytes(5, "little")
    message = p.DeliverSm(esm_class=0x40, short_message=b"\5\0\3\1\2\1" + packed)
    assert content(message, "gsm7_packed").text == "hello"
