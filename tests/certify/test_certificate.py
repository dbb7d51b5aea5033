"""A short certificate of the Loa of this tree; `make certify` makes a long one."""

import json
from pathlib import Path
from typing import Any

import pytest

from loa.certify.postgres import PostgresEngine
from loa.certify.run import STAGES
from loa.certify.sqlite import SqliteEngine
from loa.certify.trial import Plan
from loa.cli.certify import carry_out
from loa.cli.terminal import Terminal
from tests.support.process import loa

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

SEED = 20261118
NOT_TRIED = {"server"}
"""What a ledger inside Loa's own process cannot suffer."""
ON_A_SERVER = {"stalls", "random", "stops", "server"}
"""What is tried on PostgreSQL here; the points are in tests/crash, each with what has to become of its messages."""


def broken(said: dict[str, Any]) -> list[str]:
    """Name what was broken, each in a line of its own, so that the report of a failure shows all of it."""
    return [
        f"{stage['stage']}: {violation['rule']}: {violation['text']} {violation['witnesses']}"
        for stage in said["stages"]
        for violation in stage["violations"]
    ]


async def test_this_loa_keeps_its_promises(
    tmp_path: Path, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = tmp_path / "certificate.md"
    monkeypatch.setattr("tempfile.tempdir", str(place))
    plan = Plan(seed=SEED, rounds=3, storm=4, stops=2)
    code = await carry_out(Terminal(as_json=True), plan, SqliteEngine(), report)
    said = json.loads(capsys.readouterr().out)
    assert (broken(said), code, said["certified"], said["seed"]) == ([], 0, True, SEED)
    results = {stage["stage"]: stage["result"] for stage in said["stages"]}
    assert results == {kind.name: "not tried" if kind.name in NOT_TRIED else "kept" for kind in STAGES}
    stages = {stage["stage"]: stage for stage in said["stages"]}
    assert (stages["random"]["tried"], stages["storm"]["tried"], stages["stops"]["tried"]) == (3, 4, 2)
    assert stages["power"]["tried"] > 1_000
    assert stages["random"]["recoveryWorstS"] >= stages["random"]["recoveryMedianS"] > 0
    assert sum(stage["lost"] for stage in said["stages"]) == 0
    assert all(stage["repeated"] <= stage["flaggedBound"] for stage in said["stages"])
    assert stages["stops"]["repeated"] == stages["stops"]["flaggedBound"] == 0
    page = report.read_text(encoding="utf-8")
    assert page.startswith("# Durability certificate of Loa ")
    assert f"--seed {SEED}" in page
    assert "server: not tried: the engine runs inside Loa" in page
    assert list(place.iterdir()) == [], "what was tried on is removed when nothing was broken"


async def test_this_loa_keeps_its_promises_on_a_server_too(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(place))
    plan = Plan(seed=SEED, rounds=2, stops=1, only=frozenset(ON_A_SERVER))
    code = await carry_out(Terminal(as_json=True), plan, PostgresEngine())
    said = json.loads(capsys.readouterr().out)
    assert (broken(said), code, said["certified"], said["engine"]) == ([], 0, True, "postgres")
    stages = {stage["stage"]: stage for stage in said["stages"]}
    assert {name for name, stage in stages.items() if stage["result"] == "kept"} == ON_A_SERVER
    assert (stages["random"]["tried"], stages["stops"]["tried"], stages["stops"]["repeated"]) == (2, 1, 0)
    assert sum(stage["lost"] for stage in said["stages"]) == 0


def test_the_command_writes_one_line_of_json_and_says_the_seed(tmp_path: Path) -> None:
    ended = loa("certify", "--only", "disk", "--seed", "7", "--json", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert (said["certified"], said["engine"], said["seed"]) == (True, "sqlite", 7)
    assert "seed 7" in ended.stderr
    assert said["verdict"].endswith("7 of 8 stages not tried")


def test_a_stage_there_is_not_is_refused_with_those_there_are(tmp_path: Path) -> None:
    ended = loa("certify", "--only", "luck", cwd=tmp_path)
    assert ended.returncode == 2
    assert "--only luck: there is no such stage; choose of: points, stalls" in ended.stderr


def test_a_report_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    ended = loa("certify", "--only", "server", "--report", tmp_path / "no" / "c.md", cwd=tmp_path)
    assert ended.returncode == 1
    assert "the report cannot be written to" in ended.stderr
    assert "choose another FILE" in ended.stderr


def test_a_folder_with_too_long_a_name_for_sockets_is_refused_at_once(tmp_path: Path) -> None:
    long_one = tmp_path / ("x" * 90)
    long_one.mkdir()
    ended = loa("certify", cwd=tmp_path, env={"TMPDIR": str(long_one)})
    assert ended.returncode == 2
    assert "set TMPDIR to a folder with a shorter one" in ended.stderr
    assert list(long_one.iterdir()) == []
