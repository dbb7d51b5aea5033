"""What ext may ask for."""

from typing import Any

import pytest

from loa.stages.options import Options, read_options


def test_nothing_asked_for_is_nothing_changed() -> None:
    assert read_options({}) == (Options(), [])
    assert read_options({"anything": 1, "metadata": None}) == (Options(), [])


def test_every_option_is_read() -> None:
    ext = {
        "channels": ["a", "b"],
        "callbackUrl": "https://example.com:8443/cb?x=1",
        "ttl": 90,
        "onInvalid": "skip",
        "templateId": 7,
        "templateData": {"name": "A"},
    }
    assert read_options(ext) == (Options(("a", "b"), "https://example.com:8443/cb?x=1", 90, True), [])


def test_null_is_as_good_as_absent() -> None:
    names = ("channels", "callbackUrl", "ttl", "onInvalid", "templateId", "templateData")
    assert read_options(dict.fromkeys(names)) == (Options(), [])


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("channels", "main", "wrong_type"),
        ("channels", [1], "wrong_type"),
        ("channels", ["a"] * 9, "too_many"),
        ("callbackUrl", 5, "wrong_type"),
        ("callbackUrl", "ftp://example.com", "url_form"),
        ("callbackUrl", "/only/a/path", "url_form"),
        ("callbackUrl", "https://user:secret@example.com", "url_form"),
        ("callbackUrl", "https://exa mple.com", "url_form"),
        ("callbackUrl", "https://example.com\n", "url_form"),
        ("callbackUrl", "https://[::1", "url_form"),
        ("callbackUrl", "https://example.com:99999", "url_form"),
        ("callbackUrl", "https://" + "x" * 2_048, "too_long"),
        ("ttl", 0, "out_of_range"),
        ("ttl", -1, "out_of_range"),
        ("ttl", 30 * 86_400 + 1, "out_of_range"),
        ("ttl", 1.5, "wrong_type"),
        ("ttl", True, "wrong_type"),
        ("ttl", "soon", "wrong_type"),
        ("ttl", "9" * 5_000, "wrong_type"),
        ("ttl", "²", "wrong_type"),
        ("onInvalid", "ignore", "not_allowed"),
        ("onInvalid", ["skip"], "not_allowed"),
        ("templateId", {}, "wrong_type"),
        ("templateId", True, "wrong_type"),
        ("templateData", [], "wrong_type"),
    ],
)
def test_a_wrong_option_is_named(name: str, value: Any, code: str) -> None:
    _, findings = read_options({name: value})
    assert [(each.where, each.code) for each in findings] == [(f"ext.{name}", code)]


def test_ext_has_a_size_in_bytes_not_characters() -> None:
    fits = {"x": "a" * (8_192 - len('{"x": ""}'))}
    assert read_options(fits)[1] == []
    assert [each.code for each in read_options({"x": fits["x"] + "a"})[1]] == ["too_large"]
    assert [each.code for each in read_options({"x": "ế" * 4_000})[1]] == ["too_large"]


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"x": value}
    return value


def test_ext_has_a_depth_which_the_body_around_it_counts_towards() -> None:
    assert read_options({"x": nested(14)}, depth_max=16)[1] == []
    assert [each.code for each in read_options({"x": nested(15)}, depth_max=16)[1]] == ["too_deep"]
    assert [each.code for each in read_options({"x": nested(100_000)})[1]] == ["too_deep"]
