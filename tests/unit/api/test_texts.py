"""What the API says: every code in both languages, and each caller in the right one."""

import re
from pathlib import Path
from string import Formatter

import pytest

from loa.api.texts import CATALOGUE, DEFAULT_LANGUAGE, Language, language_of, say
from loa.domain import msisdn
from loa.text import refusals

ROOT = Path(__file__).parents[3]
SOURCES = [
    *(ROOT / "src/loa/stages").glob("*.py"),
    *(ROOT / "src/loa/api").glob("*.py"),
    *(ROOT / "src/loa/api/vendor").glob("*.py"),
    *(ROOT / "src/loa/channels/zalo").glob("*.py"),
    ROOT / "src/loa/domain/rules.py",
    ROOT / "src/loa/domain/schedule.py",
    ROOT / "src/loa/domain/template_values.py",
]


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_both_languages_say_something_and_know_no_field_the_other_lacks(code: str) -> None:
    text = CATALOGUE[code]
    assert text.en
    assert text.vi
    assert text.en != text.vi
    assert fields(text.vi) <= fields(text.en)


def test_every_code_that_is_used_has_a_text() -> None:
    used = {
        code
        for source in SOURCES
        for code in re.findall(r'Finding\(\s*(?:f?"[^"]*"|\w+),\s*"(\w+)"', source.read_text())
    }
    used |= {code for source in SOURCES for code in re.findall(r'CallerError\(\s*"(\w+)"', source.read_text())}
    assert len(used) > 25
    assert used <= set(CATALOGUE)


def test_every_refusal_of_a_number_or_a_text_has_a_text() -> None:
    for module in (msisdn, refusals):
        codes = {value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}
        assert len(codes) > 5
        assert codes <= set(CATALOGUE)


def test_every_code_stands_on_the_page_of_errors() -> None:
    page = (ROOT / "docs/reference/errors.md").read_text("utf-8")
    assert [code for code, text in CATALOGUE.items() if f"| `{code}` | {text.en} | {text.vi} |" not in page] == []


def test_a_missing_value_or_code_never_breaks_an_answer() -> None:
    assert say("too_long", Language.ENGLISH) == "At most ? characters are allowed."
    assert say("never_heard_of", Language.VIETNAMESE) == "never_heard_of"
    assert say("sender_unknown", Language.ENGLISH, {"sender": "{0.__class__}"}) == (
        "The sender {0.__class__} is not one of yours."
    )


def test_a_moment_is_shown_in_vietnams_time() -> None:
    assert "2026-11-19T07:00+07:00" in say("outside_hours", Language.ENGLISH, {"until": 1_795_046_400_000})


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (b"vi", Language.VIETNAMESE),
        (b"en", Language.ENGLISH),
        (b"EN-us", Language.ENGLISH),
        (b"vi-VN, en;q=0.5", Language.VIETNAMESE),
        (b"fr, en;q=0.2, vi;q=0.1", Language.ENGLISH),
        (b"en;q=0", DEFAULT_LANGUAGE),
        (b"en;q=x", DEFAULT_LANGUAGE),
        (b"*", DEFAULT_LANGUAGE),
        (b"", DEFAULT_LANGUAGE),
        (b"\xff\xfe", DEFAULT_LANGUAGE),
        (b"," * 5_000, DEFAULT_LANGUAGE),
    ],
)
def test_the_header_chooses_the_language(header: bytes, language: Language) -> None:
    assert language_of(header) is language


def test_the_default_is_a_choice_of_the_installation() -> None:
    assert language_of(b"fr", Language.ENGLISH) is Language.ENGLISH
    assert language_of(b"fr", Language.VIETNAMESE) is Language.VIETNAMESE
