"""A certificate is worth what it refuses: each way to break the promise is planted, and has to be found by its name."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loa.certify.engines import Engine
from loa.certify.postgres import PostgresEngine
from loa.certify.process import Program
from loa.certify.sqlite import SqliteEngine
from loa.certify.trial import Plan
from loa.cli.certify import carry_out
from loa.cli.terminal import Terminal
from tests.certify.mutant_process import FLAWS

pytestmark = [pytest.mark.crash, pytest.mark.timeout(120)]

MUTANT = str(Path(__file__).with_name("mutant_process.py"))
JOURNALS = {"client.jsonl", "smsc.jsonl", "receiver.jsonl"}
FOUND_AS = {"answer_before_commit": "I1", "claim_after_send": "I3", "acknowledge_before_storing": "I6"}


@pytest.mark.parametrize(
    ("flaw", "engine"),
    [
        *((flaw, SqliteEngine) for flaw in FLAWS),
        ("answer_before_commit", PostgresEngine),
        ("acknowledge_before_storing", PostgresEngine),
    ],
)
async def test_a_loa_that_breaks_its_promise_is_refused_by_the_name_of_the_promise(
    flaw: str,
    engine: Callable[[], Engine],
    place: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(place))
    own = (sys.executable, MUTANT, flaw)
    plan = Plan(seed=1, only=frozenset({"stalls"}), program=Program(own, (*own, "--disk")))
    assert await carry_out(Terminal(as_json=True), plan, engine()) == 1
    told = capsys.readouterr()
    said = json.loads(told.out)
    assert said["certified"] is False
    (stage,) = [each for each in said["stages"] if each["result"] == "broken"]
    broken = {each["rule"]: each for each in stage["violations"]}
    assert FOUND_AS[flaw] in broken
    assert broken[FOUND_AS[flaw]]["witnesses"]
    evidence = Path(said["evidence"])
    assert {path.name for path in evidence.rglob("*.jsonl")} == {*JOURNALS, "ledger.jsonl"}
    assert list(evidence.rglob("loa.db" if engine is SqliteEngine else "*message.csv"))
    assert str(evidence) in told.err
