"""Names use the words of docs/glossary.md: what it refuses is the name of nothing that our code makes."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.house.sources import ROOT, below, name_of, text, tree

GLOSSARY = ROOT / "docs" / "glossary.md"
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_QUOTED = re.compile(r"`([A-Za-z_]+)`")
_SQL_IDLE = re.compile(r"--[^\n]*|'(?:[^']|'')*'")

Words = tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """What the glossary says. `allowed`: names that contain a refused word and are somebody else's."""

    words: tuple[str, ...]
    refused: frozenset[Words]
    allowed: frozenset[str]


def read_glossary(page: str) -> Rules:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    body = rows[2:]
    assert all(len(row) == 4 for row in body), "four columns: word, meaning, refused, except"
    return Rules(
        tuple(row[0] for row in body),
        frozenset(parts(word) for row in body for word in _QUOTED.findall(row[2])),
        frozenset(name for row in body for name in _QUOTED.findall(row[3])),
    )


def parts(name: str) -> Words:
    """Cut a name into its words, in lower case and singular."""
    words = [word.lower() for word in _WORD.findall(name)]
    return tuple(
        word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word for word in words
    )


def made_names(parsed: ast.AST) -> Iterator[tuple[int, str]]:
    """Give the names that a module makes; those it only uses belong to others."""
    for node in ast.walk(parsed):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(asname=str() as name):
                yield node.lineno, name


def offending(name: str, rules: Rules) -> str:
    """Give the refused word in a name, "" when there is none."""
    words = parts(name)
    for refused in rules.refused:
        width = len(refused)
        if any(words[at : at + width] == refused for at in range(len(words) - width + 1)):
            return "" if name.lstrip("_") in rules.allowed else "_".join(refused)
    return ""


@pytest.fixture(scope="module")
def rules() -> Rules:
    return read_glossary(text(GLOSSARY))


def test_every_name_in_the_code_is_a_word_of_the_glossary_or_its_own(rules: Rules) -> None:
    names = [(path, line, name) for path in below("src") for line, name in made_names(tree(path))]
    names += [(path, 1, path.stem) for path in below("src", "tests")]
    found = [f"{name_of(path)}:{line}: {name}" for path, line, name in names if offending(name, rules)]
    assert found == []


def test_every_name_in_the_ledger_is_a_word_of_the_glossary_or_its_own(rules: Rules) -> None:
    found = [
        f"{name_of(path)}: {name}"
        for path in below("src", suffixes=(".sql",))
        for name in set(re.findall(r"\w+", _SQL_IDLE.sub(" ", text(path))))
        | set(re.findall(r"^-- name: (\w+)", text(path), re.MULTILINE))
        if offending(name, rules)
    ]
    assert found == []


def test_an_exception_that_is_no_longer_needed_goes(rules: Rules) -> None:
    made = {name.lstrip("_") for path in below("src") for _, name in made_names(tree(path))}
    assert rules.allowed <= made


def test_the_glossary_names_each_idea_once(rules: Rules) -> None:
    assert len(set(rules.words)) == len(rules.words)
    claimed = {parts(word) for word in rules.words}
    assert not claimed & rules.refused


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("dlr_id", "dlr"),
        ("DLRStore", "dlr"),
        ("webhookUrl", "webhook"),
        ("Webhooks", "webhook"),
        ("_delivery_reports", "delivery_report"),
        ("PhoneNumber", "phone"),
        ("telephone", ""),
        ("joblike", ""),
        ("response_time_telco", ""),
        ("telco", "telco"),
    ],
)
def test_a_refused_word_is_found_in_every_spelling(rules: Rules, name: str, word: str) -> None:
    assert offending(name, rules) == word
