"""Both languages say everything, and pages say nothing by themselves."""

import re
from string import Formatter

import pytest
from jinja2 import nodes

from loa.console.catalogue import CATALOGUES, said
from loa.console.language import Language
from loa.console.pages import ENVIRONMENT
from loa.domain.lifecycle import State
from loa.domain.roles import Role
from loa.domain.traffic import TrafficClass

VIETNAMESE, ENGLISH = (CATALOGUES[each] for each in (Language.VIETNAMESE, Language.ENGLISH))
TEMPLATES = ENVIRONMENT.list_templates()


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert list(VIETNAMESE) == list(ENGLISH)


def test_both_languages_have_the_same_fields_in_each_text() -> None:
    assert [key for key in ENGLISH if fields(ENGLISH[key]) != fields(VIETNAMESE[key])] == []


def test_no_text_is_empty() -> None:
    assert [key for each in CATALOGUES.values() for key, text in each.items() if not text.strip()] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_holds_words_of_its_own(name: str) -> None:
    source = ENVIRONMENT.loader.get_source(ENVIRONMENT, name)[0]  # type: ignore[union-attr]
    bare = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", source, flags=re.DOTALL)
    spoken = re.findall(r'(?:aria-label|title|alt|placeholder|data-say-\w+)="([^"]*)"', bare)
    shown = re.sub(r'[\w-]+="[^"]*"|<[^>]*>|@[\w.]+@', " ", bare)
    assert [word for word in [*spoken, shown] if re.search(r"\w", word.replace("&nbsp;", ""))] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_text_a_template_asks_for_is_there(name: str) -> None:
    parsed = ENVIRONMENT.parse(ENVIRONMENT.loader.get_source(ENVIRONMENT, name)[0])  # type: ignore[union-attr]
    asked = {
        call.args[0].value
        for call in parsed.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name == "t" and isinstance(call.args[0], nodes.Const)
    }
    assert asked <= set(ENGLISH)


def test_every_word_of_the_domain_has_a_text() -> None:
    wanted = [f"state.{each.label}" for each in State]
    wanted += [f"class.{each.label}" for each in TrafficClass]
    wanted += [f"role.{each}" for each in Role]
    wanted += [f"outcome.{each}" for each in ("accepted", "refused", "deferred", "unknown")]
    wanted += [f"receipt.{each}" for each in ("applied", "informed", "parked", "conflict")]
    assert [key for key in wanted if key not in ENGLISH] == []


def test_a_text_is_filled_in() -> None:
    assert said(Language.ENGLISH, "of", part=2, whole=3) == "2 of 3"
