"""Reading the settings of a channel: what is wrong is named, and how to cure it."""

from dataclasses import dataclass, field

import pytest

from loa.channels import fields
from loa.channels.fields import Choice, Number, Switch, Table, Text, about, setting
from loa.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    host: str = setting(Text(10, 1), "Where.")
    port: int = setting(Number(1, 100), "Which.", 7)
    rate: float = setting(Number(0, 5, whole=False), "How fast.", 0.5)
    tls: bool = setting(Switch(), "Whether.", False)
    mode: str = setting(Choice(("one", "two")), "How.", "one")
    password: str = setting(Text(), "Who.", "", secret=True)
    more: dict[str, int] = field(
        default_factory=dict, metadata=about(Table("word: number", str, Number(0, 9).read), "What else.")
    )


def read(**given):
    return fields.read(Sample, "sample", given)


def test_defaults_fill_what_is_not_given():
    assert fields.plain(read(host="h")) == {
        "host": "h",
        "port": 7,
        "rate": 0.5,
        "tls": False,
        "mode": "one",
        "password": "",
        "more": {},
    }


def test_values_are_also_read_from_their_text():
    settings = read(host="h", port="9", rate="1.5", tls="on", mode="two", more={"a": "3"})
    assert (settings.port, settings.rate, settings.tls, settings.mode, settings.more) == (9, 1.5, True, "two", {"a": 3})
    assert read(host="h", password=1234).password == "1234"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "sample: host is missing: Where."),
        ({"host": ""}, "sample: host: give a text of 1 to 10 characters"),
        ({"host": "x" * 11}, "sample: host: give a text"),
        ({"host": "a\0b"}, "sample: host: give a text"),
        ({"host": "h", "port": 0}, "sample: port: give a whole number 1 to 100"),
        ({"host": "h", "port": 1.5}, "sample: port: give a whole number"),
        ({"host": "h", "port": True}, "sample: port: give a whole number"),
        ({"host": "h", "port": "nan"}, "sample: port: give a whole number"),
        ({"host": "h", "port": None}, "sample: port: give a whole number"),
        ({"host": "h", "rate": "fast"}, "sample: rate: give a number 0 to 5"),
        ({"host": "h", "tls": "perhaps"}, "sample: tls: give true or false"),
        ({"host": "h", "mode": "three"}, "sample: mode: choose one of one, two"),
        ({"host": "h", "more": [1]}, "sample: more: give a mapping"),
        ({"host": "h", "more": {"a": 12}}, "sample: more: give a whole number"),
        ({"hots": "h"}, "sample: unknown setting hots; did you mean host?"),
        ({"zzzz": "h"}, "sample: unknown setting zzzz; known: host"),
    ],
)
def test_a_wrong_setting_is_named_with_the_cure(given, words):
    with pytest.raises(ConfigError) as wrong:
        read(**given)
    assert str(wrong.value).startswith(words)


def test_a_secret_is_never_repeated():
    settings = read(host="h", password="hush")
    assert "hush" not in repr(settings)
    assert fields.secrets_of(Sample) == {"password"}
    with pytest.raises(ConfigError) as wrong:
        read(host="h", password="hush" * 100)
    assert "hush" not in str(wrong.value)


def test_the_table_for_people_names_every_field():
    table = fields.reference(Sample)
    assert len(table) == 2 + 7
    assert table[2] == "| `host` | text of 1 to 10 characters | required | Where. |"
    assert "Never shown" in table[7]
