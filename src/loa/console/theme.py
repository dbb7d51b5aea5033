"""In which theme the console shows itself to somebody."""

from typing import Final

from loa.console.http import Scope, cookie

COOKIE: Final = "loa_theme"
"""Keeps the theme that somebody chose in the console."""
THEMES: Final = ("auto", "light", "dark")


def theme_in(scope: Scope) -> str:
    """Tell which theme somebody has chosen; `auto` follows the system."""
    chosen = cookie(scope, COOKIE)
    return chosen if chosen in THEMES else "auto"
