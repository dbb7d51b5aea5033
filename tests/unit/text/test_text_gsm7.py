"""The GSM alphabet: every character, every octet, packing against published vectors."""

import pytest

from loa.text import gsm7
from loa.text.refusals import TextRefused


def test_the_basic_table_has_128_distinct_characters() -> None:
    assert len(gsm7.BASIC) == 128
    assert len(set(gsm7.BASIC)) == 128
    assert len(gsm7.CHARACTERS) == 137


@pytest.mark.parametrize(
    ("character", "octets"),
    [
        ("@", "00"),
        ("$", "02"),
        ("\n", "0a"),
        ("\r", "0d"),
        ("_", "11"),
        ("Δ", "10"),
        ("Ω", "15"),
        ("É", "1f"),
        ("¤", "24"),
        ("¡", "40"),
        ("§", "5f"),
        ("¿", "60"),
        ("à", "7f"),
        ("a", "61"),
        ("\f", "1b0a"),
        ("^", "1b14"),
        ("{", "1b28"),
        ("}", "1b29"),
        ("\\", "1b2f"),
        ("[", "1b3c"),
        ("~", "1b3d"),
        ("]", "1b3e"),
        ("|", "1b40"),
        ("€", "1b65"),
    ],
)
def test_a_character_has_its_published_code(character: str, octets: str) -> None:
    assert gsm7.encode(character).hex() == octets
    assert gsm7.decode(bytes.fromhex(octets)) == character
    assert gsm7.septets(character) == len(octets) // 2


def test_every_character_comes_back_alone_and_in_company() -> None:
    everything = "".join(sorted(gsm7.CHARACTERS))
    assert gsm7.decode(gsm7.encode(everything)) == everything
    for character in everything:
        assert gsm7.decode(gsm7.encode(character)) == character
        assert gsm7.encode("à" + character) == b"\x7f" + gsm7.encode(character)


@pytest.mark.parametrize("text", ["`", "\t", "\x1b", "\x00", "ç", "đ", "ạ", "ÿ", "😀", "\x7f", "\ud800", "\uffff"])
def test_a_character_outside_the_alphabet_is_refused_by_name(text: str) -> None:
    with pytest.raises(TextRefused) as refused:
        gsm7.encode(f"a{text}b{text}")
    assert refused.value.code == "text_not_in_alphabet"
    assert [(at.character, at.positions) for at in refused.value.characters] == [(text, (1, 3))]
    assert not gsm7.fits(text)


def test_counting_ascii_tells_apart_what_the_alphabet_lacks() -> None:
    assert gsm7.ascii_septets("") == 0
    assert gsm7.ascii_septets("abc") == 3
    assert gsm7.ascii_septets("[QC] abc") == 10
    assert gsm7.ascii_septets("a`b") == -1
    assert gsm7.ascii_septets("[`]") == -1


def test_counting_beyond_ascii_charges_pairs_twice() -> None:
    assert gsm7.septets("10€ à [x]") == len("10€ à [x]") + 3


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("61 1b", "a "),
        ("1b 1b 3c", " ["),
        ("1b 61", "a"),
        ("1b 80", "\ufffd"),
        ("61 e9 62", "a\ufffdb"),
        ("", ""),
    ],
)
def test_reading_forgives_what_a_peer_got_wrong(octets: str, text: str) -> None:
    assert gsm7.decode(bytes.fromhex(octets)) == text


@pytest.mark.parametrize(
    ("text", "packed"),
    [("hellohello", "e8329bfd4697d9ec37"), ("How are you?", "c8f71d14969741f977fd07"), ("1234567", "31d98c56b3dd00")],
)
def test_packing_agrees_with_known_octets(text: str, packed: str) -> None:
    unpacked = gsm7.encode(text)
    assert gsm7.pack(unpacked).hex() == packed
    assert gsm7.unpack(bytes.fromhex(packed), len(unpacked)) == unpacked


def test_a_full_message_packs_into_140_octets() -> None:
    assert len(gsm7.pack(bytes(160))) == 140


@pytest.mark.parametrize(("header", "septets"), [(6, 153), (7, 152)])
def test_a_full_segment_packs_beside_its_header(header: int, septets: int) -> None:
    fill = gsm7.fill_bits(header)
    text = bytes(index % 128 for index in range(septets))
    packed = gsm7.pack(text, fill)
    assert header + len(packed) == 140
    assert gsm7.unpack(packed, septets, fill) == text


def test_unpacking_stops_where_the_octets_end() -> None:
    assert gsm7.unpack(b"\x61", 100) == b"a"
    assert gsm7.unpack(b"", 5, 1) == b""
