"""What a demo remembers: written whole or not at all, for this user alone."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run

from loa.app.demo_state import FILE_NAME, read_state, state_to_begin, write_state
from loa.errors import ConfigError


def test_keys_are_made_once_and_found_again(tmp_path: Path) -> None:
    first = state_to_begin(tmp_path / "new")
    assert state_to_begin(tmp_path / "new") == first
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_ports_are_remembered_and_half_a_file_is_never_read(tmp_path: Path) -> None:
    state = replace(state_to_begin(tmp_path), url="http://127.0.0.1:8080", smsc_port=1, receiver_port=2)
    (tmp_path / "demo.part").write_text('{"api_k')
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state


def test_a_folder_without_a_demo_has_no_state(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    assert read_state(tmp_path / "gone") is None


@pytest.mark.parametrize("text", ["", "{}", "[]", json.dumps({"api_key": 1})])
def test_a_file_that_no_demo_wrote_is_refused_with_the_cure(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(ConfigError, match="remove it, or choose another folder"):
        state_to_begin(tmp_path)


def test_keys_that_are_not_loas_are_refused(tmp_path: Path) -> None:
    write_state(tmp_path, replace(state_to_begin(tmp_path), api_key="loa_live_forged"))
    with pytest.raises(ConfigError):
        read_state(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="choose another folder"):
        state_to_begin(tmp_path / "file")


def test_without_a_key_sending_says_where_to_put_one(run: Run) -> None:
    refused = run("send", "0912345678", "--from", "ACME", "--text", "hello")
    assert refused.code == 3
    assert "LOA_CLIENT__API_KEY" in refused.err


def test_where_no_loa_answers_sending_is_unavailable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_CLIENT__API_KEY", "loa_live_x")
    monkeypatch.setenv("LOA_CLIENT__URL", "http://127.0.0.1:1")
    refused = run("send", "0912345678", "--from", "ACME", "--text", "hello")
    assert refused.code == 7
    assert "no Loa answers at http://127.0.0.1:1" in refused.err
    assert run("send", "0912345678", "--text", "hello").code == 2
    assert run("send", "0912345678", "--from", "ACME", "--text", "hello", "--ext", "[]").code == 2
