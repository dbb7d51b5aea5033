"""The decision for one text: what is sent, in which encoding, as how many segments; or why not.

Positions are code points of the text in its NFC form; for `useUnicode` 1 and 2 without stray Vietnamese marks.
Source: the vendor API's `useUnicode`; 3GPP TS 23.038.
"""

import re
from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple

from loa.text import fold, gsm7, segments
from loa.text.refusals import (
    EMPTY,
    FORBIDDEN,
    NOT_FOLDABLE,
    NOT_PLAIN,
    TOO_LONG,
    UNSENDABLE,
    CharacterAt,
    TextRefused,
    gather,
)
from loa.text.segments import MAX_SEGMENTS, Encoding, Joining

_UNSENDABLE: Final = re.compile("[\x00-\x09\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class UseUnicode(IntEnum):
    """What a caller asks of a text."""

    PLAIN = 0
    UNICODE = 1
    FOLD = 2


class Composed(NamedTuple):
    """A text ready to send.

    Units: units and limit are septets or 16-bit units; limit is what this many segments hold.
    """

    text: str
    encoding: Encoding
    segments: int
    units: int
    limit: int

    @property
    def forcing(self) -> tuple[CharacterAt, ...]:
        """Name the characters that force UCS-2; empty when the text goes as GSM."""
        return () if self.encoding is Encoding.GSM7 else gsm7.outside(self.text)


def compose(
    text: str,
    use_unicode: int,
    *,
    gsm_accents: bool = False,
    forbidden: str = "",
    wide_reference: bool = False,
    max_segments: int | None = None,
) -> Composed:
    """Decide how a text is sent.

    `use_unicode` 0 sends the ASCII that GSM has (all of GSM with `gsm_accents`), 1 sends NFC, as GSM when it fits,
    2 folds to GSM. `forbidden` lists characters that a channel does not carry, judged after folding.
    Errors: TextRefused with a code of `refusals` and the characters to blame; ValueError for another `use_unicode`.
    """
    if use_unicode not in {0, 1, 2}:
        raise ValueError(f"useUnicode is 0, 1 or 2, not {use_unicode}")
    septets = gsm7.ascii_septets(text) if text.isascii() else -1
    sent, encoding = (text, Encoding.GSM7) if septets >= 0 else _settle(text, use_unicode, gsm_accents)
    if not sent:
        raise TextRefused(EMPTY)
    if forbidden and any(character in sent for character in forbidden):
        raise _forbidden(text, use_unicode, forbidden)
    joining = Joining.UDH_WIDE if wide_reference else Joining.UDH
    if 0 <= septets <= 160:
        return Composed(sent, encoding, 1, septets, 160)
    units, count = segments.measure(sent, encoding, joining)
    most = MAX_SEGMENTS if max_segments is None else min(max_segments, MAX_SEGMENTS)
    if count > most:
        raise TextRefused(TOO_LONG, segments=count, limit=most)
    single, joined = segments.capacity(encoding, joining)
    return Composed(sent, encoding, count, units, single if count == 1 else joined * count)


def _settle(text: str, use_unicode: int, gsm_accents: bool) -> tuple[str, Encoding]:
    composed = _composed(text, use_unicode)
    if use_unicode == UseUnicode.UNICODE:
        return composed, _encoding(composed)
    if use_unicode == UseUnicode.FOLD:
        plain = fold.fold(composed)
        if not gsm7.fits(plain):
            raise _refusal(composed, NOT_FOLDABLE, lambda character: not gsm7.fits(fold.fold(character)))
        return plain, Encoding.GSM7

    def is_plain(piece: str) -> bool:
        return gsm7.fits(piece) and (gsm_accents or piece.isascii())

    if not is_plain(composed):
        raise _refusal(composed, NOT_PLAIN, lambda character: not is_plain(character))
    return composed, Encoding.GSM7


def _composed(text: str, use_unicode: int) -> str:
    """Give the form that is judged: nothing is taken away from a text that has to be plain already."""
    return fold.nfc(text) if use_unicode == UseUnicode.PLAIN else fold.compose_marks(text)


def _encoding(composed: str) -> Encoding:
    if gsm7.fits(composed):
        return Encoding.GSM7
    if _UNSENDABLE.search(composed):
        raise _refusal(composed, UNSENDABLE, lambda _: False)
    return Encoding.UCS2


def _refusal(composed: str, code: str, is_wrong: Callable[[str], bool]) -> TextRefused:
    """Name the characters that no text may hold, if there are any, and else those that this one may not."""
    wrong = {character for character in set(composed) if is_wrong(character)}
    never = {character for character in set(composed) if _UNSENDABLE.match(character)}
    if code == NOT_FOLDABLE:
        never &= wrong
    return TextRefused(UNSENDABLE if never else code, _places(composed, never or wrong))


def _forbidden(text: str, use_unicode: int, forbidden: str) -> TextRefused:
    composed = _composed(text, use_unicode)
    folds = use_unicode == UseUnicode.FOLD
    blamed = {
        character
        for character in set(composed)
        if any(sent in forbidden for sent in (fold.fold(character) if folds else character))
    }
    return TextRefused(FORBIDDEN, _places(composed, blamed))


def _places(composed: str, blamed: set[str]) -> tuple[CharacterAt, ...]:
    return gather((position, character) for position, character in enumerate(composed) if character in blamed)
