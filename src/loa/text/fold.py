"""From Vietnamese and typographic characters to plain ones: NFC, loose marks, folding.

Folding never guesses and never writes a silent `?`: a character without an agreed plain form stays as it is, for the
caller to refuse by name.
"""

import re
import unicodedata
from typing import Final

VIETNAMESE_MARKS: Final = "\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323"
"""Grave, acute, circumflex, tilde, breve, hook, horn and dot below: all that Vietnamese writes over and under."""

_MARK: Final = re.compile("[\u0300-\u036f]")
_LATIN_WITH_MARKS: Final = re.compile("([\x00-\u024f\u1e00-\u1eff]|^)([\u0300-\u036f]+)")
_ERASE_VIETNAMESE_MARKS: Final = dict.fromkeys(map(ord, VIETNAMESE_MARKS))

_LOOKALIKES: Final = {
    "d": "đðɖ₫",
    "D": "ĐÐƉ",
    "'": "`´‘’‚‛′‵‹›ʹʻʼʽˈ\ua78c",
    '"': "“”„‟″‶«»〝〞",
    "-": "\u2010\u2011–—―‒⁃−﹘﹣•‣▪●○◦∙",
    ".": "·․",
    "..": "‥",
    "...": "…",
    "/": "⁄∕",
    "x": "×",
    "^": "ˆ",
    "~": "˜∼〜",
    "|": "¦",
    "<": "〈⟨",
    ">": "〉⟩",
    "fi": "ﬁ",
    "fl": "ﬂ",
    "ff": "ﬀ",
    "ffi": "ﬃ",
    "ffl": "ﬄ",
    "\n": "\u2028\u2029",
    " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "": "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
}
"""Plain form -> the characters that are written for it. Tab counts as a space: it has no septet."""


def _latin_bases() -> dict[str, str]:
    table = {}
    for code in (*range(0x00C0, 0x0250), *range(0x1E00, 0x1F00)):
        base, *marks = list(unicodedata.normalize("NFD", chr(code)))
        if marks and base.isascii():
            table[chr(code)] = base
    return table


def _fold_table() -> dict[int, str]:
    table = {chr(code): chr(code) for code in range(128)} | _latin_bases()
    table |= {chr(0xFF01 + index): chr(0x21 + index) for index in range(0x5E)}
    table |= {chr(mark): "" for mark in (*range(0x0300, 0x0370), *range(0xFE00, 0xFE10))}
    table |= {written: plain for plain, characters in _LOOKALIKES.items() for written in characters}
    table["\uff40"] = "'"
    return str.maketrans(table)


_FOLD: Final = _fold_table()


def nfc(text: str) -> str:
    """Compose every letter with its marks: half the marks cost a unit each, and old handsets show them beside it."""
    return unicodedata.normalize("NFC", text)


def compose_marks(text: str) -> str:
    """Give the NFC form without the Vietnamese marks that found no letter to join.

    Every accented Vietnamese letter is one code point in NFC, so a mark that is left after a Latin letter, a sign or
    nothing is a typing accident. Marks of other scripts, and other marks, stay.
    """
    composed = nfc(text)
    if not _MARK.search(composed):
        return composed
    tidy = _LATIN_WITH_MARKS.sub(_without_vietnamese_marks, composed)
    return composed if tidy == composed else nfc(tidy)


def _without_vietnamese_marks(match: re.Match[str]) -> str:
    return match[1] + match[2].translate(_ERASE_VIETNAMESE_MARKS)


def fold(text: str) -> str:
    """Give the plain form of a text: letters without accents, look-alikes as what they stand for.

    Shapes: "Đặt vé – 50.000₫" -> "Dat ve - 50.000d". What has no plain form is left as it is.
    """
    return nfc(text).translate(_FOLD)
