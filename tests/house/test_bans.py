"""What is banned is nowhere, and each ban bites when shown an offender."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.house import bans
from tests.house.sources import ROOT, SOURCE, at_root, below, name_of, pages, text, tree

Check = Callable[[ast.AST], Iterator[tuple[int, str]]]

SUPERVISORS = {
    ("src/loa/stages/loop.py", "keep_running"),
    ("src/loa/stages/dispatch.py", "_hand_over"),
    ("src/loa/api/boundary.py", "__call__"),
}
"""The only functions that catch everything: the loop of a stage, its hand-over to a provider, the edge of a face."""

CLOCKS = {"src/loa/observe/clock.py"}

LOADS_COMMANDS = "src/loa/cli/late.py"
"""The command line loads the one command that runs; its table of modules is checked by its own tests."""


def offences(check: Check, paths: Iterable[Path]) -> list[str]:
    return [f"{name_of(path)}:{line}: {what}" for path in paths for line, what in check(tree(path))]


@pytest.mark.parametrize("check", [bans.late_imports, bans.type_only_imports], ids=lambda check: check.__name__)
def test_every_import_stands_at_the_top_of_its_module(check: Check) -> None:
    assert offences(check, below("src", "tests", "bench")) == []


def test_only_the_table_of_commands_loads_modules_by_name() -> None:
    found = offences(bans.dynamic_imports, below("src"))
    assert {line.partition(":")[0] for line in found} <= {LOADS_COMMANDS}, found


def test_only_the_supervisors_catch_everything() -> None:
    found = {(name_of(path), function) for path in below("src") for _, function in bans.broad_excepts(tree(path))}
    assert found == SUPERVISORS


@pytest.mark.parametrize("check", [bans.sleeps, bans.skips, bans.mocks], ids=lambda check: check.__name__)
def test_no_test_waits_a_fixed_time_or_stays_away_or_mocks(check: Check) -> None:
    assert offences(check, below("tests")) == []


def test_the_gateway_waits_on_its_clock_alone() -> None:
    found = offences(bans.sleeps, [path for path in below("src") if path.relative_to(SOURCE).parts[0] != "cli"])
    assert {line.partition(":")[0] for line in found} <= CLOCKS, found


@pytest.mark.parametrize(
    ("check", "offender"),
    [
        (bans.late_imports, "def f():\n    import os"),
        (bans.dynamic_imports, "importlib.import_module(name)"),
        (bans.type_only_imports, "if typing.TYPE_CHECKING:\n    import os"),
        (bans.broad_excepts, "def f():\n    try:\n        g()\n    except:\n        pass"),
        (bans.broad_excepts, "def f():\n    try:\n        g()\n    except (OSError, Exception):\n        raise"),
        (bans.broad_excepts, "def f():\n    with contextlib.suppress(Exception):\n        g()"),
        (bans.sleeps, "time.sleep(0.1)"),
        (bans.sleeps, "asyncio.sleep(delay)"),
        (bans.sleeps, "from asyncio import sleep"),
        (bans.sleeps, "import time as clock"),
        (bans.skips, "pytest.skip('later')"),
        (bans.skips, "@pytest.mark.xfail\ndef test(): ..."),
        (bans.skips, "from pytest import importorskip"),
        (bans.mocks, "from unittest import mock"),
        (bans.mocks, "from unittest.mock import Mock"),
        (bans.mocks, "def test(mocker): ..."),
    ],
)
def test_a_ban_finds_its_offender(check: Check, offender: str) -> None:
    assert list(check(ast.parse(offender)))


def test_packages_hold_a_docstring_and_nothing_else() -> None:
    holds_the_version = SOURCE / "__init__.py"
    for path in below("src"):
        assert ast.get_docstring(tree(path)), f"{name_of(path)}: say what is here and what is not"
        if path.name == "__init__.py" and path != holds_the_version:
            assert len(tree(path).body) == 1, f"{name_of(path)}: code belongs into a module of its own"


def written() -> list[Path]:
    kinds = (".py", ".sql", ".sh", ".c", ".h", ".json", ".toml", ".txt", ".in", ".css", ".js", ".html")
    files = below("src", "tests", "bench", "docs", "packaging", "requirements", suffixes=kinds)
    return [*files, *pages(), *at_root("Makefile", "pyproject.toml", ".ci/run")]


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
    found = [name_of(path) for path in written() if marks.search(text(path))]
    raises = [name_of(path) for path in below("src") if "NotImplemented" in text(path)]
    assert found + raises == []


def test_no_file_names_a_registry() -> None:
    hosts = "|".join(
        (r"pypi\.or" + "g", r"pythonhosted\.or" + "g", r"registry\.npmj" + "s", r"(?:proxy|sum)\.golan" + "g")
    )
    options = r"(?<!no-emit-)(?:--|\b)(?:extra-)?index" + r"-url\b|--find" + r"-links|\[\[tool\.uv\.inde" + r"x\]\]"
    address = re.compile(f"{hosts}|{options}")
    found = [name_of(path) for path in written() if address.search(text(path))]
    assert found == []
    assert address.search("--index" + "-url https://example.com/simple")
    assert not address.search("--no-emit-index" + "-url")


def test_the_rules_look_at_something() -> None:
    assert len(below("src")) > 200
    assert len(below("tests")) > 80
    assert ROOT.joinpath("src/loa/errors.py") in below("src")
