"""Every text is there in both languages, and every page says only what there is."""

import re
from pathlib import Path

import pytest

import loa.console.sign_in.pages
from loa.console.language import Language, Text
from loa.console.sign_in.pages import HERE, Refusals, environment
from loa.console.sign_in.texts import TEXTS
from loa.stages.signing_in import Problem

FOLDER = Path(loa.console.sign_in.pages.__file__).with_name(HERE)
FIELDS = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_says_the_same_in_both_languages(name: str) -> None:
    text = TEXTS[name]
    assert text.vi.strip()
    assert text.en.strip()
    assert text.vi != text.en
    assert set(FIELDS.findall(text.vi)) == set(FIELDS.findall(text.en))


def test_what_pages_say_is_there_and_what_is_there_is_said() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.html"))
    said = set(re.findall(r"""say\(["'](\w+)["']\)""", pages))
    assert said <= set(TEXTS)
    assert {f"problem_{problem}" for problem in Problem} - set(TEXTS) == {"problem_link"}, "that one has a page"
    sources = "".join(path.read_text(encoding="utf-8") for path in FOLDER.parents[1].rglob("*.py"))
    unsaid = {name for name in TEXTS if name not in said and sources.count(f'"{name}"') < 2}
    assert unsaid == {f"problem_{problem}" for problem in Problem} - {"problem_link"}


def test_pages_escape_what_they_are_given() -> None:
    page = Refusals(environment(str(FOLDER), None))(Language.ENGLISH, "fault", request_id="<b>&")
    assert b"&lt;b&gt;&amp;" in page
    assert Text("một {n}", "one {n}").said(Language.VIETNAMESE, n=1) == "một 1"
