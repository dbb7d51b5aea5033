"""In which language the console speaks to somebody."""

from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from loa.console.http import Scope, cookie, header

COOKIE: Final = "loa_language"
"""Keeps the language that somebody chose in the console."""


class Language(StrEnum):
    """A language of the console."""

    VIETNAMESE = "vi"
    ENGLISH = "en"


_KNOWN: Final = {each.value: each for each in Language}


class Text(NamedTuple):
    """One text in both languages, with fields in braces."""

    vi: str
    en: str

    def said(self, language: Language, **fields: object) -> str:
        """Give the text in a language."""
        return (self.vi if language is Language.VIETNAMESE else self.en).format(**fields)


def language_in(scope: Scope, default: Language) -> Language:
    """Give the language that the address asks for (`lang=`), else the one chosen before, else the browser's."""
    asked = dict(parse_qsl(scope.get("query_string", b"").decode("ascii", "replace"))).get("lang", "")
    browser = (wish.partition(";")[0] for wish in header(scope, b"accept-language").split(","))
    wishes = [asked, cookie(scope, COOKIE), *browser]
    for wish in wishes:
        word = wish.strip().lower().partition("-")[0]
        if word in _KNOWN:
            return _KNOWN[word]
    return default
