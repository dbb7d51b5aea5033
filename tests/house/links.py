"""Links between pages: where they lead, and which headings a page has."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from tests.house.sources import ROOT, text

_FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
_MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*`]")
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def links(page: Path) -> Iterator[str]:
    """Give the targets inside the repository that a page links to."""
    prose = _CODE.sub("", _FENCE.sub("", text(page)))
    for found in _LINK.finditer(prose):
        target = found[1] or found[2]
        if not _OUTSIDE.match(target):
            yield target


def follow(page: Path, target: str) -> tuple[Path, str]:
    """Give the file a link leads to and the heading in it, "" for none."""
    path, _, heading = target.partition("#")
    start = ROOT if path.startswith("/") else page.parent
    return ((start / unquote(path).lstrip("/")).resolve() if path else page), unquote(heading)


def headings(page: Path) -> set[str]:
    """Give the anchors of a page's headings, made as code hosts make them."""
    seen: Counter[str] = Counter()
    anchors = set()
    for found in _HEADING.finditer(_FENCE.sub("", text(page))):
        plain = _MARKUP.sub(lambda match: match[1] or "", found[1]).lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        anchors.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return anchors
