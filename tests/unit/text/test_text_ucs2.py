"""UTF-16 as carriers carry it."""

import pytest

from loa.text import ucs2
from loa.text.refusals import TextRefused


def test_letters_are_two_octets_and_emoji_four() -> None:
    assert ucs2.encode("đ😀").hex() == "0111d83dde00"
    assert ucs2.units("đ😀") == 3
    assert ucs2.decode(bytes.fromhex("0111d83dde00")) == "đ😀"


def test_a_byte_order_mark_is_neither_added_nor_taken_away() -> None:
    assert ucs2.encode("\ufeffa").hex() == "feff0061"
    assert ucs2.decode(bytes.fromhex("feff0061")) == "\ufeffa"


def test_a_lone_surrogate_is_refused_by_position() -> None:
    with pytest.raises(TextRefused) as refused:
        ucs2.encode("a\ud83db\ude00")
    assert refused.value.code == "text_unsendable"
    assert [(at.codepoint, at.positions) for at in refused.value.characters] == [("U+D83D", (1,)), ("U+DE00", (3,))]


@pytest.mark.parametrize(("octets", "text"), [("006100", "a\ufffd"), ("d83d0061", "\ufffda"), ("", "")])
def test_reading_forgives_broken_pairs_and_loose_octets(octets: str, text: str) -> None:
    assert ucs2.decode(bytes.fromhex(octets)) == text
