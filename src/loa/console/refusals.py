"""What stands against a wish, in words for people."""

from loa.console.catalogue import has, said
from loa.console.language import Language
from loa.errors import LoaError


def said_of(error: LoaError, language: Language) -> str:
    """Say an error in a language; one that no catalogue knows in its own words, which name the cure."""
    key = f"error.{error.code}"
    return said(language, key, **error.fields) if has(key) else error.detail
