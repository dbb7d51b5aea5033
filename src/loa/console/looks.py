"""The looks of pages outside the screens: those of signing in, and refusals."""

import re
from importlib.resources import files
from typing import Final

from jinja2 import DictLoader

from loa.console.assets import address
from loa.console.catalogue import said
from loa.console.language import Language

_FILE: Final = re.compile(r"@([\w.]+)@")


def looks() -> DictLoader:
    """Give what such pages are put into: a `base.html` with the blocks `title` and `content`."""
    source = files("loa.console").joinpath("templates", "door.html").read_text(encoding="utf-8")
    brand = said(Language.ENGLISH, "brand")
    filled = _FILE.sub(lambda found: brand if found[1] == "brand" else address(found[1]), source)
    return DictLoader({"base.html": filled})
