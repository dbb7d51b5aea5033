"""What a certificate says of what was broken, what was not tried, and how it is run again."""

from pathlib import Path

import pytest

from loa.certify.invariants import Violation
from loa.certify.report import VIOLATIONS, WITNESSES, Certificate, Stage, as_json, as_markdown, details, row


def certificate(*stages: Stage, evidence: Path | None = None) -> Certificate:
    return Certificate("sqlite", "SQLite 3", 7, 20, 5, 1_795_000_000_000, stages, 12.3, evidence)


def kept() -> Stage:
    recoveries = [1.0, 1.25, 4.5]
    return Stage("random", "kills", tried=3, messages=90, repeated=2, bound=60, recoveries=recoveries)


def broken() -> Stage:
    lines = tuple(f'{{"line": {number}}}' for number in range(WITNESSES + 3))
    return Stage("stalls", "stalls", violations=[Violation("I1", "ask-1 is gone", lines)])


def test_a_kept_certificate_says_what_was_tried_and_how_long_recovery_took() -> None:
    said = certificate(kept(), Stage("server", "a server", not_tried="there is none"))
    assert said.kept
    assert said.verdict == "CERTIFIED: 3 faults, 0 acknowledged messages lost; 1 of 2 stages not tried"
    page = as_markdown(said)
    assert "| random | 3 | 90 | 0 | 2 of at most 60 | 1.25 s / 4.50 s | kept |" in page
    assert "`loa certify --engine sqlite --rounds 20 --storm 5 --seed 7`" in page
    assert "server: not tried: there is none" in page


def test_a_broken_one_names_the_invariant_and_shows_some_of_the_lines_that_prove_it() -> None:
    said = certificate(kept(), broken(), evidence=Path("/tmp/there"))
    assert said.verdict == "REFUSED: I1 broken"
    assert row(broken())[-1] == "broken"
    lines = details(broken())
    assert lines[0] == "stalls: I1 broken: ask-1 is gone"
    assert len(lines) == 1 + WITNESSES
    plain = as_json(said)
    assert (plain["certified"], plain["evidence"]) == (False, "/tmp/there")
    assert plain["stages"][1]["violations"][0]["rule"] == "I1"


@pytest.mark.parametrize("more", [1, 30])
def test_of_very_many_violations_the_rest_is_counted(more: int) -> None:
    many = Stage("points", "kills", violations=[Violation("I1", "gone")] * (VIOLATIONS + more))
    assert details(many)[-1] == f"points: and {more} more"
    assert len(as_json(certificate(many))["stages"][0]["violations"]) == VIOLATIONS
