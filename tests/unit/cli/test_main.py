"""The top of the command line: every command can be loaded, helps with an example, and costs nothing before it runs."""

import itertools
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.process import ROOT, environment
from tests.unit.cli.conftest import Run

from loa.cli import reference
from loa.cli.late import COMMANDS, load_command

PAGE = ROOT / "docs" / "reference" / "cli.md"
HEAVY = ("loa.app.gateway", "fastapi", "aiohttp", "apsw", "uvicorn")


def commands() -> Iterator[tuple[str, Any]]:
    for name in COMMANDS:
        loaded = load_command(name)
        below = getattr(loaded, "commands", None)
        yield from ((f"{name} {each}", command) for each, command in below.items()) if below else [(name, loaded)]


ALL = dict(commands())


def test_the_page_about_commands_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference.reference_page(), "run: python -m loa.cli.reference > " + str(
        PAGE
    )


@pytest.mark.parametrize("path", ALL)
def test_every_command_helps_with_an_example_and_knows_json(path: str, run: Run) -> None:
    helped = run(*path.split(), "--help")
    assert helped.code == 0
    assert f"Usage: loa {path} " in helped.out
    assert f"  loa {path}" in helped.out.partition("Examples:")[2]
    assert "--json" in helped.out


@pytest.mark.parametrize("path", ALL)
def test_every_option_says_what_it_is_for(path: str) -> None:
    assert [each.name for each in ALL[path].params if not each.help] == []


def test_the_first_page_lists_every_command_and_loads_none() -> None:
    program = (
        "import sys\nsys.argv = ['loa', '--help']\nfrom loa.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment(), check=True, cwd=Path.cwd()
    )
    *helped, loaded = ended.stdout.splitlines()
    assert loaded == "[]"
    assert all(any(line.strip().startswith(name) for line in helped) for name in COMMANDS)


@pytest.mark.parametrize(
    ("typed", "meant"), [(["kyes"], "keys"), (["keys", "lst"], "list"), (["ledger", "bakup"], "backup")]
)
def test_a_misspelt_command_is_answered_with_the_nearest(typed: list[str], meant: str, run: Run) -> None:
    ended = run(*typed)
    assert ended.code == 2
    assert f"Did you mean '{meant}'?" in ended.err


def test_a_group_without_a_command_helps(run: Run) -> None:
    ended = run("keys")
    assert ended.code == 2
    assert "create" in ended.out + ended.err


def test_completion_reaches_commands_and_options(tmp_path: Path) -> None:
    def complete(line: str) -> list[str]:
        asked = {"_LOA_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        ended = subprocess.run(
            [sys.executable, "-m", "loa"],
            capture_output=True,
            text=True,
            env=environment(asked),
            check=False,
            cwd=tmp_path,
        )
        return ended.stdout.split()

    assert complete("loa ch") == ["channels"]
    assert complete("loa keys cr") == ["create"]
    assert "--permission" in complete("loa keys create --p")


def test_the_version_is_told_in_words_and_in_json(run: Run) -> None:
    assert run("version").out.startswith("loa ")
    assert set(run("version", "--json").json) == {"loa", "python", "sqlite", "system"}


def typed(page: Path) -> list[list[str]]:
    """Give the commands of a page as the words that are typed."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line.startswith("loa ")]


@pytest.mark.parametrize("page", [PAGE, ROOT / "docs" / "start" / "first-minutes.md"], ids=lambda page: page.name)
def test_every_command_on_a_page_can_be_typed(page: Path) -> None:
    lines = typed(page)
    assert lines
    for words in lines:
        plain = list(itertools.takewhile(lambda word: word not in ("<", "|", "&&"), words))[1:]
        path = next(path for path in (" ".join(plain[:2]), plain[0]) if path in ALL)
        known = {name for each in ALL[path].params for name in (*each.opts, *each.secondary_opts)}
        assert [word for word in plain if word.startswith("-") and word != "-" and word not in known] == [], words
