"""Data and talk apart; JSON, tables and questions."""

import io
import json
import sys
from typing import Any

import pytest
from rich.console import Console

from loa.cli.terminal import Terminal, words
from loa.errors import CallerError, ConfigError

ROWS = [{"id": 1, "name": "viettel [vn]", "tags": ["a", "b"], "note": None}]


def test_json_rows_are_one_array_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(as_json=True).rows(ROWS, {"id": "ID"}, "nothing")
    out, err = capsys.readouterr()
    assert json.loads(out) == ROWS
    assert err == ""


def test_a_table_shows_the_chosen_columns_uncut_and_without_markup(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 500
    Terminal().rows([*ROWS, {"id": 2, "name": long}], {"id": "ID", "name": "NAME", "note": "NOTE"}, "nothing")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ID", "NAME", "NOTE"]
    assert lines[1].split() == ["1", "viettel", "[vn]", "-"]
    assert long in lines[2]


def test_talk_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().note("[bold] stays")
    assert capsys.readouterr() == ("", "[bold] stays\n")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        ([], "-"),
        (["a", None], "a, -"),
        ({"a": 1}, "a=1"),
        ({}, "-"),
        (7, "7"),
    ],
)
def test_values_are_written_in_words(value: Any, written: str) -> None:
    assert words(value) == written


def test_colour_is_left_out_where_nobody_looks_or_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    assert not terminal.out.is_terminal
    monkeypatch.setenv("NO_COLOR", "1")
    assert Console(force_terminal=True).no_color
    assert Terminal().err.no_color


def test_a_question_nobody_can_answer_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(CallerError, match="add --yes"):
        Terminal().confirm("Remove it?", yes=False)
    Terminal().confirm("Remove it?", yes=True)


class Person(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_person_is_asked_and_only_yes_means_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Person("yes\n\n"))
    Terminal().confirm("Remove it?", yes=False)
    with pytest.raises(CallerError, match="nothing was changed"):
        Terminal().confirm("Remove it?", yes=False)


def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_SERVER__LISTEN_PORT", "7001")
    terminal = Terminal(settings=["language=en"])
    assert (terminal.settings.server.listen_port, terminal.settings.language) == (7001, "en")
    terminal.give("server.listen_port", 7002)
    terminal.give("language", None)
    assert (terminal.settings.server.listen_port, terminal.settings.language) == (7002, "en")
    assert terminal.loaded.origins["server.listen_port"] == "flag server.listen_port"


def test_a_setting_without_a_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="write NAME=VALUE"):
        Terminal(settings=["language"])
