"""The words of the screens: one catalogue for each language, in `texts`."""

import json
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from loa.console.language import Language


def _catalogue(language: Language) -> Mapping[str, str]:
    read = files("loa.console").joinpath("texts", f"{language}.json").read_text(encoding="utf-8")
    return MappingProxyType(json.loads(read))


CATALOGUES: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {each: _catalogue(each) for each in Language}
)


def said(language: Language, key: str, **values: object) -> str:
    """Give a text with its values filled in. Errors: KeyError for a key that no catalogue has."""
    return CATALOGUES[language][key].format(**values)
