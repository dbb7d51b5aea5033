"""The table of error codes and the page about it say the same, row by row."""

from pathlib import Path

import pytest

from loa.channels.zalo.codes import OFFICIAL, TEMPLATES, Meaning, Surface, meaning_of, rows

PAGE = (Path(__file__).parents[4] / "docs/reference/channels/zalo.md").read_text("utf-8")


def written(name):
    """Give the rows of a table of the page: surface, class, code."""
    _, _, rest = PAGE.partition(f"<!-- table: codes {name} -->\n")
    lines = rest.partition("<!-- end -->")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [(name, kind, int(code)) for kind, codes, does in cells for code in codes.split(",") if does]


def test_the_page_and_the_tables_hold_the_same_rows():
    on_the_page = [*written("templates"), *written("official")]
    assert len(on_the_page) == len(set(on_the_page))
    assert set(on_the_page) == {(name, str(meaning), code) for name, meaning, code in rows()}
    assert len(on_the_page) == len(TEMPLATES) + len(OFFICIAL) > 100


@pytest.mark.parametrize(
    ("surface", "code", "meaning"),
    [
        (Surface.NUMBER, -100, Meaning.TRANSIENT),
        (Surface.CONSULTATION, -100, Meaning.ASSET),
        (Surface.NUMBER, -216, Meaning.TOKEN),
        (Surface.NUMBER, -230, Meaning.UNKNOWN),
        (Surface.CONSULTATION, -118, Meaning.UNKNOWN),
        (Surface.USER, -131, Meaning.TEMPLATE),
        (Surface.USER, -230, Meaning.WINDOW),
        (Surface.USER, -99_999, Meaning.UNKNOWN),
    ],
)
def test_a_code_means_what_it_means_on_its_surface(surface, code, meaning):
    assert meaning_of(surface, code) is meaning


def test_every_class_is_used_but_the_one_for_what_no_table_knows():
    assert {meaning for _, meaning, _ in rows()} == set(Meaning) - {Meaning.UNKNOWN}
