"""Why a text is refused, and which characters are to blame. No message text enters the exception's own words."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MAX_CHARACTERS: Final = 64
"""Distinct characters that a report names; a longer list helps nobody and must not grow with the text."""

MAX_POSITIONS: Final = 64
"""Positions that a report lists for one character."""

NOT_PLAIN: Final = "text_not_plain"
NOT_FOLDABLE: Final = "text_not_foldable"
NOT_IN_ALPHABET: Final = "text_not_in_alphabet"
UNSENDABLE: Final = "text_unsendable"
FORBIDDEN: Final = "text_forbidden_character"
TOO_LONG: Final = "text_too_long"
EMPTY: Final = "text_empty"


@dataclass(frozen=True, slots=True)
class CharacterAt:
    """One distinct character and where it stands.

    Units: positions are code points from 0, the first MAX_POSITIONS of them; count is how often it stands there in all.
    """

    character: str
    positions: tuple[int, ...]
    count: int

    @property
    def codepoint(self) -> str:
        """The code point as `U+1EC7`."""
        return f"U+{ord(self.character):04X}"

    @property
    def shown(self) -> str:
        """The character, or its code point where it has no shape of its own.

        A lone surrogate cannot even be written as UTF-8, so reports and JSON answers take this, not `character`.
        """
        return self.codepoint if unicodedata.category(self.character)[0] in "CMZ" else self.character


class TextRefused(ValueError):
    """A text cannot be sent as asked; its words hold only the stable code.

    `characters` names what is to blame; `segments` and `limit` are set where the length is.
    """

    def __init__(
        self, code: str, characters: tuple[CharacterAt, ...] = (), *, segments: int = 0, limit: int = 0
    ) -> None:
        super().__init__(code)
        self.code = code
        self.characters = characters
        self.segments = segments
        self.limit = limit


def gather(found: Iterable[tuple[int, str]]) -> tuple[CharacterAt, ...]:
    """Group (position, character) pairs by character, in order of first appearance, within the two limits."""
    places: dict[str, list[int]] = {}
    counts: dict[str, int] = {}
    for position, character in found:
        if character not in places:
            if len(places) == MAX_CHARACTERS:
                continue
            places[character] = []
        counts[character] = counts.get(character, 0) + 1
        if len(places[character]) < MAX_POSITIONS:
            places[character].append(position)
    return tuple(CharacterAt(character, tuple(at), counts[character]) for character, at in places.items())
