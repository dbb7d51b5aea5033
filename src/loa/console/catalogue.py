"""The words of the screens: in `texts`, a folder for each language, and in it a file for each group of screens."""

import json
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from loa.console.language import Language


def _catalogue(language: Language) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for each in sorted(files("loa.console").joinpath("texts", language).iterdir(), key=lambda file: file.name):
        read: dict[str, str] = json.loads(each.read_text(encoding="utf-8"))
        if twice := found.keys() & read.keys():
            raise ValueError(f"{each.name}: {', '.join(sorted(twice))} stands in another file too")
        found |= read
    return MappingProxyType(found)


CATALOGUES: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {each: _catalogue(each) for each in Language}
)


def said(language: Language, key: str, **values: object) -> str:
    """Give a text with its values filled in. Errors: KeyError for a key that no catalogue has."""
    return CATALOGUES[language][key].format(**values)


def has(key: str) -> bool:
    """Tell whether there is such a text."""
    return key in CATALOGUES[Language.ENGLISH]
