"""Times, spans and settings as people write them."""

from pathlib import Path

import pytest

from loa.cli.values import ago, ahead, channel_settings, read_text, span_ms
from loa.errors import CallerError

NOW = 1_795_000_000_000


@pytest.mark.parametrize(
    ("written", "ms"),
    [("30s", 30_000), ("5m", 300_000), ("12h", 43_200_000), ("7d", 604_800_000), ("2w", 1_209_600_000)],
)
def test_spans_have_a_unit(written: str, ms: int) -> None:
    assert span_ms(written) == ms
    assert ago(written, NOW) == NOW - ms
    assert ahead(written, NOW) == NOW + ms


def test_instants_are_read_with_their_offset() -> None:
    assert ago("2026-11-24T07:00:00+07:00", NOW) == ago("2026-11-24T00:00:00Z", NOW) == 1_795_478_400_000


def test_nothing_given_is_nothing() -> None:
    assert ago(None, NOW) is None
    assert ahead(None, NOW) is None


@pytest.mark.parametrize("written", ["yesterday", "5", "-5m", "5 m", ""])
def test_other_times_are_refused_with_the_form(written: str) -> None:
    with pytest.raises(CallerError, match="write a span such as 2h"):
        ago(written, NOW)


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(CallerError, match="no offset"):
        ahead("2026-12-31T17:00:00", NOW)


def test_settings_of_a_channel_are_pairs_json_and_files(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3=cret\n")
    read = channel_settings(
        ["host=smsc.example.vn", "note=a=b", 'extra_tlvs={"0x1401": "0a"}'], [f"password={tmp_path / 'password'}"]
    )
    assert read == {
        "host": "smsc.example.vn",
        "note": "a=b",
        "extra_tlvs": {"0x1401": "0a"},
        "password": "s3=cret",
    }


@pytest.mark.parametrize("pair", ["host", "=x", ""])
def test_a_setting_without_a_name_or_value_is_refused(pair: str) -> None:
    with pytest.raises(CallerError, match="write NAME=VALUE"):
        channel_settings([pair], [])


def test_broken_json_is_refused_with_its_setting() -> None:
    with pytest.raises(CallerError, match="extra_tlvs: this is not JSON"):
        channel_settings(["extra_tlvs={"], [])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="gone: No such file"):
        read_text(str(tmp_path / "gone"))
    (tmp_path / "latin").write_bytes(b"\xe9")
    with pytest.raises(CallerError, match="not UTF-8"):
        read_text(str(tmp_path / "latin"))
