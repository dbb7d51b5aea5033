"""From Vietnamese and typography to plain text."""

import unicodedata

import pytest

from loa.text import fold, gsm7

VOWELS = "aăâeêioôơuưy"
TONES = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
LETTERS = [unicodedata.normalize("NFC", vowel + tone) for vowel in VOWELS for tone in TONES] + ["đ"]
ALPHABET = "".join(LETTERS) + "".join(LETTERS).upper()


def test_the_whole_vietnamese_alphabet_becomes_ascii_letter_by_letter() -> None:
    assert len(set(ALPHABET)) == 146
    plain = {"ă": "a", "â": "a", "ê": "e", "ô": "o", "ơ": "o", "ư": "u"}
    expected = "".join(plain.get(vowel, vowel) * 6 for vowel in VOWELS) + "d"
    assert fold.fold(ALPHABET) == expected + expected.upper()


def test_decomposed_input_folds_to_the_same() -> None:
    assert fold.fold(unicodedata.normalize("NFD", ALPHABET)) == fold.fold(ALPHABET)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Đặt vé – 50.000₫", "Dat ve - 50.000d"),
        ("Ðà Nẵng", "Da Nang"),
        ("“Xin chào”, ‘bạn’…", "\"Xin chao\", 'ban'..."),
        ("a\u00a0b\u202fc\td", "a b c d"),
        ("\ufeffa\u200bb\u200dc\u00ad", "abc"),
        ("• một — hai", "- mot - hai"),
        ("ＡＢＣ　１２３！", "ABC 123!"),
        ("it`s 5´", "it's 5'"),
        ("2 × 3 ﬁn", "2 x 3 fin"),
        ("a\u2028b", "a\nb"),
        ("a\u0301\u0323\u0300b \u0301c", "ab c"),
        ("ñüÅçñ", "nuAcn"),
        ("10€ £5 ß Ω", "10€ £5 ß Ω"),
    ],
)
def test_look_alikes_become_what_they_stand_for(text: str, plain: str) -> None:
    assert fold.fold(text) == plain


@pytest.mark.parametrize("character", ["😀", "中", "а", "ё", "°", "²", "\x00", "\ud800", "ก", "½"])
def test_what_has_no_plain_form_stays_for_the_caller_to_refuse(character: str) -> None:
    assert not gsm7.fits(fold.fold(character))


def test_no_character_of_the_basic_plane_becomes_a_question_mark() -> None:
    asked = {character for character in map(chr, range(0x10000)) if "?" in fold.fold(character)}
    assert asked == {"?", "\uff1f"}


def test_folding_leaves_plain_text_alone_except_backtick_and_tab() -> None:
    ascii_text = "".join(map(chr, range(128)))
    assert fold.fold(ascii_text) == ascii_text.replace("`", "'").replace("\t", " ")


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("Tie\u0302\u0301ng Vie\u0323\u0302t", "Tiếng Việt"),
        ("a\u0301\u0302", "á"),
        ("\u0301abc", "abc"),
        ("5\u0309 b\u0323", "5 ḅ"),
        ("x\u0304", "x\u0304"),
        ("g\u0309\u0304", "ḡ"),
        ("а\u0301", "а\u0301"),
        ("นี้", "นี้"),
    ],
)
def test_only_vietnamese_marks_without_a_letter_are_dropped(text: str, tidy: str) -> None:
    assert fold.compose_marks(text) == tidy
