"""The table of providers and what other packages may add to it."""

from importlib.metadata import EntryPoint

import pytest

from loa.channels import registry
from loa.channels.sandbox.provider import PROVIDER as SANDBOX
from loa.errors import ConfigError


class Added:
    info = type(SANDBOX.info)(name="pigeon", removes_duplicates=False, secrets=frozenset())


PIGEON = Added()


def with_points(monkeypatch, *values):
    points = [EntryPoint(name=f"p{place}", value=value, group="loa.channels") for place, value in enumerate(values)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == "loa.channels" else [])


def test_our_own_providers_are_there_under_their_names():
    assert {name: provider.info.name for name, provider in registry.OWN.items()} == {
        "smpp": "smpp",
        "vendor": "vendor",
        "zalo": "zalo",
        "sandbox": "sandbox",
    }


def test_a_package_adds_a_provider_by_entry_point(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pigeon_post", __import__("types").SimpleNamespace(P=PIGEON))
    with_points(monkeypatch, "pigeon_post:P")
    assert registry.providers() == {**registry.OWN, "pigeon": PIGEON}


def test_a_name_cannot_be_taken_twice(monkeypatch):
    with_points(monkeypatch, "loa.channels.sandbox.provider:PROVIDER")
    with pytest.raises(ConfigError, match="two packages provide sandbox"):
        registry.providers()


@pytest.mark.parametrize("value", ["nowhere_at_all:P", "loa.channels.sandbox.provider:NOTHING"])
def test_a_provider_that_cannot_be_loaded_is_named(monkeypatch, value):
    with_points(monkeypatch, value)
    with pytest.raises(ConfigError, match="the provider p0 cannot be loaded"):
        registry.providers()
