"""The rules over a whole submission."""

from typing import Any

import pytest

from loa.domain.hours import AllowedHours
from loa.domain.rules import (
    RULES,
    Effect,
    Facts,
    Finding,
    LabelPolicy,
    Ruleset,
    Verdict,
    findings_of,
    judge,
    refusal,
    sender_fits,
)
from loa.domain.traffic import TrafficClass

DAY = 1_795_000_000_000  # 18:06 in Vietnam
NIGHT = DAY + 7 * 3_600_000


def facts(**given: Any) -> Facts:
    values: dict[str, Any] = {
        "traffic_class": TrafficClass.ADVERTISING,
        "sender": "LOA",
        "sender_kind": "brandname",
        "text": "[QC] Sale",
        "segment_count": 1,
        "due_at": DAY,
    }
    return Facts(**{**values, **given})


def effects(said: list[Verdict]) -> dict[str, Effect]:
    return {verdict.rule: verdict.effect for verdict in said}


def test_every_rule_says_something_and_names_its_source() -> None:
    said = judge(facts(), Ruleset())
    assert [verdict.rule for verdict in said] == [rule.name for rule in RULES]
    assert {verdict.effect for verdict in said} == {Effect.PASS}
    assert all(rule.source for rule in RULES)


def test_advertising_at_night_is_deferred_to_the_next_opening() -> None:
    [verdict] = [each for each in judge(facts(due_at=NIGHT), Ruleset()) if each.rule == "sending_hours"]
    assert verdict.effect is Effect.DEFER
    assert verdict.finding is not None
    assert verdict.finding.values == {"until": AllowedHours().next_open(NIGHT)}


@pytest.mark.parametrize("traffic_class", [TrafficClass.OTP, TrafficClass.TRANSACTIONAL])
def test_other_classes_know_no_hours_and_no_label(traffic_class: TrafficClass) -> None:
    said = judge(facts(traffic_class=traffic_class, due_at=NIGHT, text="x"), Ruleset(label_policy=LabelPolicy.REQUIRE))
    assert set(effects(said).values()) == {Effect.PASS}


def test_without_enforced_hours_advertising_passes_at_night() -> None:
    assert effects(judge(facts(due_at=NIGHT), Ruleset(hours=None)))["sending_hours"] is Effect.PASS


@pytest.mark.parametrize(
    ("text", "effect"), [("[QC] x", Effect.PASS), ("[AD]x", Effect.PASS), (" [QC] x", Effect.REFUSE)]
)
def test_a_required_label_stands_first(text: str, effect: Effect) -> None:
    said = judge(facts(text=text), Ruleset(label_policy=LabelPolicy.REQUIRE))
    assert effects(said)["advertising_label"] is effect
    assert effects(judge(facts(text=text), Ruleset()))["advertising_label"] is Effect.PASS


def test_more_segments_than_allowed_are_refused() -> None:
    assert effects(judge(facts(segment_count=4), Ruleset(segments_max=4)))["segments"] is Effect.PASS
    assert effects(judge(facts(segment_count=5), Ruleset(segments_max=4)))["segments"] is Effect.REFUSE


@pytest.mark.parametrize(
    ("name", "kind", "fits"),
    [
        ("LOA", "brandname", True),
        ("Eleven_char", "brandname", True),
        ("Twelve_chars", "brandname", False),
        ("Thu Hà", "brandname", False),
        ("LOA ", "brandname", False),
        ("", "brandname", False),
        ("1900", "short_code", True),
        ("84912345678", "long_number", True),
        ("+84912345678", "long_number", False),
    ],
)
def test_a_sender_fits_its_kind_or_not(name: str, kind: str, fits: bool) -> None:
    assert sender_fits(name, kind) is fits


def test_an_error_carries_its_findings_and_others_carry_none() -> None:
    found = (Finding("from", "sender_unknown"), Finding("text", "empty"))
    assert findings_of(refusal(*found)) == found
    assert "sender_unknown" in refusal(*found).detail
