"""Where texts are cut: exact sizes at every boundary, pairs kept whole."""

import pytest

from loa.text import segments
from loa.text.refusals import TextRefused
from loa.text.segments import Encoding, Joining

GSM7, UCS2 = Encoding.GSM7, Encoding.UCS2


@pytest.mark.parametrize(
    ("units", "encoding", "joining", "expected"),
    [
        (160, GSM7, Joining.UDH, [160]),
        (161, GSM7, Joining.UDH, [153, 8]),
        (306, GSM7, Joining.UDH, [153, 153]),
        (307, GSM7, Joining.UDH, [153, 153, 1]),
        (160, GSM7, Joining.UDH_WIDE, [160]),
        (161, GSM7, Joining.UDH_WIDE, [152, 9]),
        (305, GSM7, Joining.UDH_WIDE, [152, 152, 1]),
        (161, GSM7, Joining.SAR, [153, 8]),
        (307, GSM7, Joining.PAYLOAD, [153, 153, 1]),
        (70, UCS2, Joining.UDH, [70]),
        (71, UCS2, Joining.UDH, [67, 4]),
        (135, UCS2, Joining.UDH, [67, 67, 1]),
        (70, UCS2, Joining.UDH_WIDE, [70]),
        (133, UCS2, Joining.UDH_WIDE, [66, 66, 1]),
        (71, UCS2, Joining.SAR, [67, 4]),
    ],
)
def test_a_text_is_cut_at_the_published_sizes(
    units: int, encoding: Encoding, joining: Joining, expected: list[int]
) -> None:
    text = ("a" if encoding is GSM7 else "ạ") * units
    planned = segments.plan(text, encoding, joining)
    assert [segment.units for segment in planned] == expected
    assert segments.measure(text, encoding, joining) == (units, len(expected))
    assert "".join(segment.text for segment in planned) == text


def test_an_escape_pair_moves_whole_to_the_next_segment() -> None:
    planned = segments.plan("a" * 152 + "[" + "b" * 20, GSM7)
    assert [segment.units for segment in planned] == [152, 22]
    assert planned[1].text == "[" + "b" * 20
    assert planned[1].octets[:2] == b"\x1b\x3c"


def test_a_surrogate_pair_moves_whole_to_the_next_segment() -> None:
    planned = segments.plan("a" * 66 + "😀" + "b" * 20, UCS2)
    assert [segment.units for segment in planned] == [66, 22]
    assert planned[1].text.startswith("😀")


def test_moved_pairs_can_cost_a_whole_segment() -> None:
    text = "€" * 153
    assert segments.measure(text, GSM7) == (306, 3)
    assert [segment.units for segment in segments.plan(text, GSM7)] == [152, 152, 2]


def test_a_pair_that_ends_exactly_at_the_cut_stays() -> None:
    assert [segment.units for segment in segments.plan("a" * 151 + "[" + "b" * 10, GSM7)] == [153, 10]
    assert [segment.units for segment in segments.plan("a" * 65 + "😀" + "b" * 10, UCS2)] == [67, 10]


def test_an_empty_text_is_one_empty_segment() -> None:
    assert segments.count("", GSM7) == 1
    assert segments.payloads("", UCS2) == (b"",)


def test_payloads_are_the_octets_of_the_plan() -> None:
    text = "Giá vé [A] 10€. " * 30
    assert segments.payloads(text.replace("á", "à").replace("é", "è"), GSM7) == tuple(
        segment.octets for segment in segments.plan(text.replace("á", "à").replace("é", "è"), GSM7)
    )
    assert segments.payloads(text, UCS2) == tuple(segment.octets for segment in segments.plan(text, UCS2))


def test_the_payload_way_hands_over_the_whole_text_once() -> None:
    assert segments.payloads("a" * 500, GSM7, Joining.PAYLOAD) == (b"a" * 500,)


def test_characters_outside_the_encoding_are_refused() -> None:
    with pytest.raises(TextRefused):
        segments.payloads("đ", GSM7)
    with pytest.raises(TextRefused):
        segments.plan("\ud800", UCS2)


def test_encodings_are_the_words_of_the_api() -> None:
    assert [str(encoding) for encoding in Encoding] == ["gsm7", "ucs2"]
