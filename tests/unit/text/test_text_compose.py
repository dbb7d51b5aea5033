"""What becomes of a text under each `useUnicode`."""

import unicodedata
from pathlib import Path

import pytest

from loa.text import refusals
from loa.text.compose import Composed, UseUnicode, compose
from loa.text.refusals import MAX_CHARACTERS, MAX_POSITIONS, TextRefused
from loa.text.segments import Encoding

SENTENCE = "Mã xác thực của bạn là 482913"


def refusal(text: str, use_unicode: int, **options: object) -> TextRefused:
    with pytest.raises(TextRefused) as refused:
        compose(text, use_unicode, **options)  # type: ignore[arg-type]
    return refused.value


def blamed(refused: TextRefused) -> list[tuple[str, tuple[int, ...]]]:
    return [(at.character, at.positions) for at in refused.characters]


@pytest.mark.parametrize("use_unicode", list(UseUnicode))
def test_plain_text_goes_as_gsm_however_it_is_asked(use_unicode: int) -> None:
    assert compose("Ma OTP: 482913", use_unicode) == Composed("Ma OTP: 482913", Encoding.GSM7, 1, 14, 160)


@pytest.mark.parametrize("use_unicode", list(UseUnicode))
def test_line_ends_and_form_feeds_are_sent(use_unicode: int) -> None:
    assert compose("a\r\nb\f", use_unicode).units == 6


def test_plain_refuses_accents_by_name_and_place() -> None:
    refused = refusal("Thu Hà, Hà Nội", 0)
    assert refused.code == "text_not_plain"
    assert blamed(refused) == [("à", (5, 9)), ("ộ", (12,))]


def test_plain_names_composed_letters_for_decomposed_input() -> None:
    assert blamed(refusal("Ha\u0300", 0)) == [("à", (1,))]


@pytest.mark.parametrize("character", ["`", "£", "€", "é", "“", "\u00a0", "😀"])
def test_plain_refuses_what_is_not_ascii_of_the_alphabet(character: str) -> None:
    refused = refusal(f"a{character}", 0)
    assert (refused.code, blamed(refused)) == ("text_not_plain", [(character, (1,))])


def test_plain_takes_characters_that_compose_to_ascii() -> None:
    assert compose("5 \u212a", 0).text == "5 K"


def test_a_channel_may_take_the_accents_of_gsm_as_plain() -> None:
    assert compose("Thu Ha\u0300", 0, gsm_accents=True) == Composed("Thu Hà", Encoding.GSM7, 1, 6, 160)
    assert blamed(refusal("Thu Hạ", 0, gsm_accents=True)) == [("ạ", (5,))]
    assert blamed(refusal("a`", 0, gsm_accents=True)) == [("`", (1,))]


def test_unicode_composes_before_it_counts() -> None:
    decomposed = unicodedata.normalize("NFD", SENTENCE)
    assert len(decomposed) > len(SENTENCE)
    assert compose(decomposed, 1) == compose(SENTENCE, 1) == Composed(SENTENCE, Encoding.UCS2, 1, len(SENTENCE), 70)


def test_unicode_goes_as_gsm_when_it_fits() -> None:
    composed = compose("Thu Hà 5€", 1)
    assert (composed.encoding, composed.units, composed.forcing) == (Encoding.GSM7, 10, ())


def test_unicode_names_the_characters_that_force_it() -> None:
    forcing = compose("Giá “5” à `", 1).forcing
    assert [(at.character, at.positions, at.count) for at in forcing] == [
        ("á", (2,), 1),
        ("“", (4,), 1),
        ("”", (6,), 1),
        ("`", (10,), 1),
    ]


def test_fold_sends_vietnamese_as_plain_text() -> None:
    assert compose("Đặt vé – 50.000₫", 2) == Composed("Dat ve - 50.000d", Encoding.GSM7, 1, 16, 160)


def test_fold_makes_plain_what_plain_refuses_in_ascii() -> None:
    assert compose("a`b\tc", 2).text == "a'b c"


def test_fold_refuses_what_is_left_by_its_own_name() -> None:
    refused = refusal("Chúc mừng 😀 năm mới 中 😀", 2)
    assert refused.code == "text_not_foldable"
    assert blamed(refused) == [("😀", (10, 22)), ("中", (20,))]


@pytest.mark.parametrize("use_unicode", list(UseUnicode))
@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9f", "\ud83d"])
def test_controls_and_lone_surrogates_are_refused_always(use_unicode: int, character: str) -> None:
    refused = refusal(f"mạ 😀 {character}", use_unicode)
    assert (refused.code, blamed(refused)) == ("text_unsendable", [(character, (5,))])


@pytest.mark.parametrize("use_unicode", [0, 1])
def test_a_tab_is_refused_where_it_is_not_folded(use_unicode: int) -> None:
    assert refusal("a\tb", use_unicode).code == "text_unsendable"


def test_a_folded_text_with_tabs_is_blamed_only_for_what_is_left() -> None:
    refused = refusal("a\tb😀", 2)
    assert (refused.code, blamed(refused)) == ("text_not_foldable", [("😀", (3,))])


@pytest.mark.parametrize(("text", "use_unicode"), [("", 0), ("", 1), ("", 2), ("\u200b\ufeff", 2), ("\u0301", 1)])
def test_nothing_to_send_is_refused(text: str, use_unicode: int) -> None:
    assert refusal(text, use_unicode).code == "text_empty"


def test_forbidden_characters_of_a_channel_are_named() -> None:
    refused = refusal("[QC] 50% [x", 0, forbidden="[]%")
    assert refused.code == "text_forbidden_character"
    assert blamed(refused) == [("[", (0, 9)), ("]", (3,)), ("%", (7,))]
    assert compose("QC 50", 0, forbidden="[]%").segments == 1


def test_forbidden_characters_count_after_folding_and_are_named_as_written() -> None:
    assert blamed(refusal("ạ＆b…", 2, forbidden="&.")) == [("＆", (1,)), ("…", (3,))]
    assert blamed(refusal("Đ&", 1, forbidden="&")) == [("&", (1,))]


@pytest.mark.parametrize(
    ("text", "use_unicode", "wide", "expected"),
    [
        ("a" * 160, 0, False, (1, 160, 160)),
        ("a" * 161, 0, False, (2, 161, 306)),
        ("a" * 305, 0, True, (3, 305, 456)),
        ("[" * 81, 0, False, (2, 162, 306)),
        ("ạ" * 70, 1, False, (1, 70, 70)),
        ("ạ" * 71, 1, False, (2, 71, 134)),
        ("ạ" * 133, 1, True, (3, 133, 198)),
        ("ạ" + "😀" * 34, 1, False, (1, 69, 70)),
        ("ạ" * 160, 2, False, (1, 160, 160)),
    ],
)
def test_segments_units_and_what_they_hold(
    text: str, use_unicode: int, wide: bool, expected: tuple[int, int, int]
) -> None:
    composed = compose(text, use_unicode, wide_reference=wide)
    assert (composed.segments, composed.units, composed.limit) == expected


def test_too_many_segments_are_refused_with_both_numbers() -> None:
    refused = refusal("a" * 613, 0, max_segments=4)
    assert (refused.code, refused.segments, refused.limit) == ("text_too_long", 5, 4)
    assert compose("a" * 612, 0, max_segments=4).segments == 4


def test_the_joining_header_ends_at_255_segments_without_any_limit() -> None:
    assert compose("a" * 153 * 255, 0).segments == 255
    assert refusal("a" * (153 * 255 + 1), 0).limit == 255
    assert refusal("a" * (153 * 255 + 1), 0, max_segments=1000).limit == 255


@pytest.mark.parametrize("use_unicode", [-1, 3])
def test_another_way_is_a_mistake_of_the_program(use_unicode: int) -> None:
    with pytest.raises(ValueError, match="0, 1 or 2"):
        compose("a", use_unicode)


def test_a_report_stays_small_for_a_huge_text() -> None:
    refused = refusal("".join(map(chr, range(0x4E00, 0x5000))) + "\u4e00" * 5000, 0)
    assert len(refused.characters) == MAX_CHARACTERS
    assert len(refused.characters[0].positions) == MAX_POSITIONS
    assert refused.characters[0].count == 5001


def test_the_words_of_a_refusal_hold_no_text() -> None:
    assert str(refusal("bí mật", 0)) == "text_not_plain"


@pytest.mark.parametrize(
    ("character", "shown"), [("đ", "đ"), ("😀", "😀"), ("\ud83d", "U+D83D"), ("\u00a0", "U+00A0"), ("\x00", "U+0000")]
)
def test_a_character_without_a_shape_is_shown_by_its_code_point(character: str, shown: str) -> None:
    assert refusal(f"a{character}", 0).characters[0].shown == shown


def test_the_reference_page_lists_every_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "text.md").read_text("utf-8")
    codes = {value for value in vars(refusals).values() if isinstance(value, str) and value.startswith("text_")}
    assert len(codes) == 7
    assert all(f"| `{code}` |" in page for code in codes)
