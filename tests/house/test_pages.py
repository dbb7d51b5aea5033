"""Pages lead where they say they lead, every page can be reached, and the code names only pages there are."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.links import follow, headings, links
from tests.house.sources import ROOT, at_root, below, name_of, pages, text

README_LINES = 150
INDEX = ROOT / "docs" / "README.md"
_NAMED = re.compile(r"\bdocs/[\w./-]+?\.(?:md|json)\b")


def broken(page: Path) -> Iterator[str]:
    for target in links(page):
        path, heading = follow(page, target)
        if not path.exists():
            yield f"{name_of(page)}: {target} leads nowhere"
        elif heading and path.suffix == ".md" and heading not in headings(path):
            yield f"{name_of(page)}: {target}: no such heading"


def test_every_link_between_pages_leads_somewhere() -> None:
    assert [line for page in pages() for line in broken(page)] == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One `two`\n[a](gone.md) [b](#one-two) [c](#two) `[d](code.md)`\n```\n[e](code.md)\n```\n")
    assert [(target, *follow(page, target)) for target in links(page)] == [
        ("gone.md", tmp_path / "gone.md", ""),
        ("#one-two", page, "one-two"),
        ("#two", page, "two"),
    ]
    assert headings(page) == {"one-two"}


def test_every_page_can_be_reached_from_the_index() -> None:
    linked = {follow(INDEX, target)[0] for target in links(INDEX)}
    lost = [name_of(page) for page in below("docs", suffixes=(".md", ".json")) if page not in {*linked, INDEX}]
    assert lost == []


def test_the_code_names_only_pages_there_are() -> None:
    code = below("src", "tests", "bench", "packaging", suffixes=(".py", ".sql", ".sh", ".c", ".json"))
    code += [*below("requirements", suffixes=(".in",)), *at_root("Makefile", "pyproject.toml")]
    missing = {
        f"{name_of(path)}: {named}"
        for path in code
        for named in _NAMED.findall(text(path))
        if not (ROOT / named).exists()
    }
    assert sorted(missing) == []


def test_the_front_page_is_short_and_starts_with_what_to_type() -> None:
    for page in at_root("README.md", "README.vi.md"):
        lines = text(page).splitlines()
        assert len(lines) <= README_LINES, name_of(page)
        first_block = "\n".join(lines).split("```")[1]
        assert "make run" in first_block
        assert "make test" in first_block
        assert len("\n".join(lines).split("```")[0].splitlines()) <= 8, "name, one sentence, then the commands"


def test_both_front_pages_have_the_same_sections_and_commands() -> None:
    english, vietnamese = (text(page) for page in at_root("README.md", "README.vi.md"))
    assert english.count("\n## ") == vietnamese.count("\n## ")
    assert _commands(english) == _commands(vietnamese)


def _commands(page: str) -> list[str]:
    """Give the lines to type, without their comments and the values that a reader fills in."""
    blocks = page.split("```")[1::2]
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()[1:]]
    return [re.sub(r'"[^"]*"', '""', line) for line in lines if line and not line.startswith("#")]
