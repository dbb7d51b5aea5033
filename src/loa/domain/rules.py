"""The rules a submission is held against before it is written down, as data. Pure.

Each rule looks at the facts of one submission and says pass, defer, warn or refuse; destinations are judged one by one
in intake, with the same findings. The set is dated, because the law and the carriers' habits change; each rule names
where it comes from.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from loa.domain.hours import AllowedHours
from loa.domain.traffic import TrafficClass
from loa.errors import CallerError, Forbidden, LoaError


class Effect(StrEnum):
    """What a rule does to a submission."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    DEFER = "defer"
    WARN = "warn"
    REFUSE = "refuse"


class LabelPolicy(StrEnum):
    """Who sees to the advertising label: the carrier inserts it, or the text must begin with it."""

    CARRIER = "carrier"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say about one field, as a code and the values that fill its text in either language.

    Shapes: where is a path in the caller's own names, such as `destinations[3]` or `ext.ttl`.
    """

    where: str
    code: str
    values: Mapping[str, object] = field(default_factory=dict)


def refusal(*findings: Finding) -> CallerError:
    """Make the error that tells a caller what is wrong with a request; `findings_of` reads it back."""
    return CallerError("invalid_request", ", ".join(sorted({each.code for each in findings})), findings=findings)


def denial(*findings: Finding) -> Forbidden:
    """Make the error that tells a caller what a key may not do."""
    return Forbidden("forbidden", ", ".join(sorted({each.code for each in findings})), findings=findings)


def findings_of(error: LoaError) -> tuple[Finding, ...]:
    """Give the findings an error carries; none when it speaks of the whole request."""
    found = error.fields.get("findings", ())
    return tuple(each for each in found if isinstance(each, Finding)) if isinstance(found, tuple) else ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says. `finding` names field and reason, None for a pass."""

    rule: str
    effect: Effect
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class Ruleset:
    """The numbers the rules work with; every one is a setting."""

    version: str = "vn-2026-11"
    hours: AllowedHours | None = field(default_factory=AllowedHours)
    """None: advertising is not held back, and keeping the hours is the admin's own duty."""
    label_policy: LabelPolicy = LabelPolicy.CARRIER
    labels: tuple[str, ...] = ("[QC]", "[AD]")
    segments_max: int = 10


class Facts(NamedTuple):
    """What the rules know of a submission. Units: due_at in milliseconds since the epoch."""

    traffic_class: TrafficClass
    sender: str
    sender_kind: str
    text: str
    segment_count: int
    due_at: int


class Rule(NamedTuple):
    """One rule: its name, where it comes from, and the check itself."""

    name: str
    source: str
    check: Callable[[Facts, Ruleset], tuple[Effect, Finding] | None]


_BRANDNAME: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z ._-]{0,10}", re.ASCII)
_NUMERIC_SENDER: Final = re.compile(r"[0-9]{2,15}", re.ASCII)


def sender_fits(name: str, kind: str) -> bool:
    """Tell whether a sender has a form that handsets and carriers accept for its kind."""
    form = _BRANDNAME if kind == "brandname" else _NUMERIC_SENDER
    return form.fullmatch(name) is not None and name == name.strip()


def _sender(facts: Facts, _: Ruleset) -> tuple[Effect, Finding] | None:
    if sender_fits(facts.sender, facts.sender_kind):
        return None
    return Effect.REFUSE, Finding("from", "sender_form", {"sender": facts.sender, "limit": 11})


def _segments(facts: Facts, rules: Ruleset) -> tuple[Effect, Finding] | None:
    if facts.segment_count <= rules.segments_max:
        return None
    values = {"count": facts.segment_count, "limit": rules.segments_max}
    return Effect.REFUSE, Finding("text", "too_many_segments", values)


def _label(facts: Facts, rules: Ruleset) -> tuple[Effect, Finding] | None:
    if facts.traffic_class is not TrafficClass.ADVERTISING or rules.label_policy is LabelPolicy.CARRIER:
        return None
    if facts.text.startswith(rules.labels):
        return None
    return Effect.REFUSE, Finding("text", "label_missing", {"labels": ", ".join(rules.labels)})


def _hours(facts: Facts, rules: Ruleset) -> tuple[Effect, Finding] | None:
    if facts.traffic_class is not TrafficClass.ADVERTISING or rules.hours is None or rules.hours.is_open(facts.due_at):
        return None
    return Effect.DEFER, Finding("scheduled", "outside_hours", {"until": rules.hours.next_open(facts.due_at)})


RULES: Final = (
    Rule("sender_form", "carriers: a brandname has at most 11 plain characters", _sender),
    Rule("segments", "carriers and this installation: longest text", _segments),
    Rule("advertising_label", "Decree 91/2020/ND-CP article 15", _label),
    Rule("sending_hours", "Decree 91/2020/ND-CP article 13", _hours),
)
"""Every rule over a whole submission, in the order in which people read the verdicts."""

_PASSED: Final = {rule.name: Verdict(rule.name, Effect.PASS) for rule in RULES}


def judge(facts: Facts, rules: Ruleset) -> list[Verdict]:
    """Hold a submission against every rule; one verdict each, in the order of `RULES`."""
    verdicts = []
    for name, _, check in RULES:
        said = check(facts, rules)
        verdicts.append(_PASSED[name] if said is None else Verdict(name, *said))
    return verdicts
