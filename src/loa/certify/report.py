"""What a certificate says: stage by stage what was tried, what was lost, what was repeated, how long recovery took."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from loa import __version__
from loa.certify.invariants import Violation
from loa.domain.callback_body import utc_text

WITNESSES: Final = 5
"""Lines of evidence shown for one violation; all of it lies in the folder that is kept."""
VIOLATIONS: Final = 20
INVARIANTS: Final[Mapping[str, str]] = {
    "I1": "every acknowledged message is in the ledger and came to an end",
    "I2": "every message was asked for, once",
    "I3": "nothing was sent twice but flagged notices, once, and no more of them than were in flight at the kills",
    "I4": "no state went back",
    "I5": "what counts as sent the SMSC has, and what the SMSC has is sent or unknown",
    "I6": "every receipt that was acknowledged is kept",
    "I7": "every end was told, signed, its repeats under one id",
    "I8": "every segment the SMSC took is counted once: Loa has no billing yet, so what is checked is the count that a"
    " bill would be made from, segments for each accepted attempt, against what the SMSC took",
}


@dataclass
class Stage:
    """What came of one stage. Units: seconds. `not_tried`: why it was left out, "" when it was not."""

    name: str
    what: str
    tried: int = 0
    lost: int = 0
    repeated: int = 0
    bound: int = 0
    messages: int = 0
    recoveries: list[float] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_tried: str = ""
    took_s: float = 0.0

    @property
    def median_s(self) -> float | None:
        """The median time of recovery, None where nothing had to recover."""
        return statistics.median(self.recoveries) if self.recoveries else None

    @property
    def worst_s(self) -> float | None:
        """The longest time of recovery."""
        return max(self.recoveries, default=None)

    @property
    def word(self) -> str:
        """Say in a word how it ended."""
        return "broken" if self.violations else "not tried" if self.not_tried else "kept"


@dataclass
class Certificate:
    """The whole of it. `evidence`: the folder that was kept because something was broken."""

    engine: str
    engine_version: str
    seed: int
    rounds: int
    storm: int
    started_at: int
    stages: Sequence[Stage]
    took_s: float
    evidence: Path | None = None

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return not any(stage.violations for stage in self.stages)

    @property
    def verdict(self) -> str:
        """Say in a sentence how it ended."""
        tried = sum(stage.tried for stage in self.stages)
        if not self.kept:
            rules = sorted({violation.rule for stage in self.stages for violation in stage.violations})
            return f"REFUSED: {', '.join(rules)} broken"
        left_out = sum(bool(stage.not_tried) for stage in self.stages)
        beside = f"; {left_out} of {len(self.stages)} stages not tried" if left_out else ""
        return f"CERTIFIED: {tried} faults, 0 acknowledged messages lost{beside}"


def machine() -> dict[str, str]:
    """Name what it ran on."""
    return {
        "loa": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": str(len(os.sched_getaffinity(0))),
    }


def as_json(certificate: Certificate) -> dict[str, Any]:
    """Give a certificate as plain values."""
    return {
        "certified": certificate.kept,
        "verdict": certificate.verdict,
        "engine": certificate.engine,
        "engineVersion": certificate.engine_version,
        "seed": certificate.seed,
        "rounds": certificate.rounds,
        "storm": certificate.storm,
        "startedAt": utc_text(certificate.started_at),
        "tookS": round(certificate.took_s, 1),
        "machine": machine(),
        "stages": [_stage_json(stage) for stage in certificate.stages],
        "evidence": None if certificate.evidence is None else str(certificate.evidence),
    }


def _stage_json(stage: Stage) -> dict[str, Any]:
    return {
        "stage": stage.name,
        "result": stage.word,
        "tried": stage.tried,
        "messages": stage.messages,
        "lost": stage.lost,
        "repeated": stage.repeated,
        "flaggedBound": stage.bound,
        "recoveryMedianS": _round(stage.median_s),
        "recoveryWorstS": _round(stage.worst_s),
        "notTried": stage.not_tried or None,
        "notes": stage.notes,
        "violations": [
            {"rule": each.rule, "text": each.text, "witnesses": list(each.witnesses[:WITNESSES])}
            for each in stage.violations[:VIOLATIONS]
        ],
    }


def _round(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def row(stage: Stage) -> tuple[str, ...]:
    """Write a stage as the cells of a table: stage, tried, messages, lost, repeated, recovery, result."""
    if stage.not_tried:
        return (stage.name, *("–",) * 5, stage.word)
    recovery = "–" if stage.median_s is None else f"{stage.median_s:.2f} s / {stage.worst_s:.2f} s"
    repeated = f"{stage.repeated} of at most {stage.bound}"
    counts = (str(stage.tried), str(stage.messages), str(stage.lost), repeated)
    return (stage.name, *counts, recovery, stage.word)


HEADINGS: Final = ("Stage", "Tried", "Messages", "Lost", "Repeated, flagged", "Recovery median / worst", "Result")


def details(stage: Stage) -> list[str]:
    """Say what a table has no room for: why it was not tried, what was noted, what was broken."""
    lines = [f"{stage.name}: not tried: {stage.not_tried}"] if stage.not_tried else []
    lines += [f"{stage.name}: {note}" for note in stage.notes]
    for violation in stage.violations[:VIOLATIONS]:
        lines.append(f"{stage.name}: {violation.rule} broken: {violation.text}")
        lines += [f"    {witness}" for witness in violation.witnesses[:WITNESSES]]
    if len(stage.violations) > VIOLATIONS:
        lines.append(f"{stage.name}: and {len(stage.violations) - VIOLATIONS} more")
    return lines


def _command(certificate: Certificate) -> str:
    own = certificate
    return f"loa certify --engine {own.engine} --rounds {own.rounds} --storm {own.storm} --seed {own.seed}"


def as_markdown(certificate: Certificate) -> str:
    """Write a certificate as a page."""
    own = machine()
    lines = [
        f"# Durability certificate of Loa {own['loa']}",
        "",
        f"**{certificate.verdict}**",
        "",
        "| | |",
        "|---|---|",
        f"| Engine | {certificate.engine_version} |",
        f"| Machine | {own['system']}, {own['cores']} cores, Python {own['python']} |",
        f"| Run | {utc_text(certificate.started_at)}, {certificate.took_s:.0f} s |",
        f"| Again | `{_command(certificate)}` |",
        "",
        f"| {' | '.join(HEADINGS)} |",
        f"|{'---|' * len(HEADINGS)}",
        *(f"| {' | '.join(row(stage))} |" for stage in certificate.stages),
        "",
        "## Stages",
        "",
        *(f"- **{stage.name}**: {stage.what}" for stage in certificate.stages),
        "",
        "## What held, or did not",
        "",
        *(f"- {name}: {text}" for name, text in INVARIANTS.items()),
    ]
    if said := [line for stage in certificate.stages for line in details(stage)]:
        lines += ["", "## Details", "", "```", *said, "```"]
    return "\n".join(lines) + "\n"
