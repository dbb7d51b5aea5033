"""The tree itself: documented, good defaults, units in names, in step with the domain, and its page fresh."""

import copy
import dataclasses
import tomllib
from pathlib import Path

import pytest

from loa.domain.hours import AllowedHours
from loa.domain.msisdn import VIETNAM_ONLY
from loa.domain.rules import LabelPolicy, Ruleset
from loa.domain.traffic import DEFAULT_POLICIES, OnUnknown, TrafficClass
from loa.settings.load import load
from loa.settings.outline import outline, value_of
from loa.settings.parse import parse
from loa.settings.secret import Secret
from loa.settings.show import reference_page, rows, to_toml
from loa.settings.tree import Settings, minute_of_day
from loa.stages.destinations import calling_codes
from loa.stages.planning import PlanningLimits

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "settings.md"
UNITS = {
    *("s", "ms", "hours", "days", "bytes", "kib", "chars"),
    *("pages", "port", "segments", "depth", "size", "batch", "destinations", "accepts", "concurrency", "endpoint"),
    *("readers", "window", "connections", "calls", "workers"),
}


@pytest.mark.parametrize("setting", outline().values(), ids=lambda setting: setting.name)
def test_every_setting_is_documented_and_its_default_is_allowed(setting):
    assert setting.about.doc[0].isupper()
    assert setting.about.doc.endswith(".")
    assert parse(setting, setting.default) == setting.default
    if setting.kind in (int, float):
        assert UNITS & set(setting.name.rpartition(".")[2].split("_")), "a number says its unit in its name"
        assert setting.about.low is not None


def test_the_tree_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().server.listen_port = 1  # type: ignore[misc]


def test_the_defaults_are_those_of_the_domain():
    settings = Settings()
    for kind, policy in DEFAULT_POLICIES.items():
        mine = getattr(settings, kind.label)
        assert (mine.lifetime_s, mine.on_unknown, mine.evidence_wait_s) == (
            policy.lifetime_s,
            policy.on_unknown,
            policy.evidence_wait_s,
        )
    ads, rules = settings.advertising, Ruleset()
    hours = AllowedHours(minute_of_day(ads.hours_open), minute_of_day(ads.hours_last), minute_of_day(ads.hours_close))
    assert ads.hours_enforced
    assert hours == rules.hours
    assert (ads.label, ads.labels) == (rules.label_policy, rules.labels)
    assert settings.limits.segments_max == rules.segments_max
    assert calling_codes(settings.numbers.countries) == VIETNAM_ONLY


def test_the_limits_are_those_of_planning():
    limits = Settings().limits
    planning = dataclasses.asdict(PlanningLimits())
    assert {name: getattr(limits, name) for name in planning} == planning


@pytest.mark.parametrize("kind", TrafficClass)
def test_the_choices_are_those_of_the_domain(kind):
    assert set(outline()[f"{kind.label}.on_unknown"].about.choices) == set(OnUnknown)
    assert set(outline()["advertising.label"].about.choices) == set(LabelPolicy)


def test_what_is_shown_loads_again(tmp_path):
    flags = {"data_dir": 'a "b"\\c\n', "callbacks.ports": [1, 2], "drain_s": 0.5, "advertising.hours_enforced": False}
    first = load(flags=flags)
    path = tmp_path / "shown.toml"
    path.write_text(to_toml(first, origin=True), encoding="utf-8")
    again = load(path)
    assert again.settings == first.settings
    assert tomllib.loads(to_toml(first))["callbacks"]["ports"] == [1, 2]
    assert "# flag drain_s" in path.read_text(encoding="utf-8")


def test_what_is_shown_holds_no_secret():
    loaded = load(env={"LOA_CLIENT__API_KEY": "s3cret"})
    shown = {row.name: row for row in rows(loaded)}
    assert shown["client.api_key"].value == "********"
    assert shown["client.api_key"].origin == "environment LOA_CLIENT__API_KEY"
    assert "s3cret" not in to_toml(loaded) + repr(rows(loaded))
    assert shown["callbacks.ports"].value == [443, 8443]


def test_a_secret_prints_as_stars_everywhere():
    secret = Secret("s3cret")
    assert {str(secret), repr(secret), f"{secret}", f"{secret!s:>8}", f"{[secret]}"[1:-1]} == {"********"}
    assert secret.reveal() == copy.deepcopy(secret).reveal() == "s3cret"
    assert bool(secret)
    assert not Secret()
    assert repr(Secret()) == "(not set)"
    assert secret == Secret("s3cret")
    assert secret != "s3cret"
    assert len({secret, Secret("s3cret"), Secret()}) == 2


def test_values_are_found_by_dotted_name():
    assert value_of(Settings(), "limits.ext_bytes_max") == 8_192


def test_the_reference_page_is_fresh():
    assert PAGE.read_text(encoding="utf-8") == reference_page(), "write show.reference_page() to the page"


def test_the_reference_page_names_every_setting():
    page = reference_page()
    assert [name for name in outline() if f"| `{name.rpartition('.')[2]}` |" not in page] == []
