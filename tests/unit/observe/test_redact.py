"""What secrets and personal data look like once they are shown."""

import pytest

from loa.errors import ConfigError
from loa.observe.redact import error_text, key_display, mask_msisdn, scrub, text_summary, url_origin


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("84912345667", "84•••••••67"),
        (84912345667, "84•••••••67"),
        ("+84912345667", "84•••••••67"),
        ("191", "•••"),
        ("12345", "•••••"),
        ("", ""),
    ],
)
def test_a_number_shows_its_ends_only(number, shown):
    assert mask_msisdn(number) == shown


def test_a_key_shows_eight_and_four_characters_and_keeps_its_shown_form():
    key = "loa_live_0123456789abcdefghijABCDEFGHIJ01234567"
    assert key_display(key) == "loa_live…4567"
    assert key_display(key_display(key)) == "loa_live…4567"
    assert key_display("short-secret") == "•" * 8


def test_a_text_is_told_by_length_only():
    assert text_summary("Ma OTP 9911") == "11 plain characters"
    assert text_summary("Mã OTP") == "6 unicode characters"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@example.vn:8443/hook/SECRET?token=1", "https://example.vn:8443"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]"),
        ("https://example.vn:99999/x", "…"),
        ("not a url", "…"),
    ],
)
def test_a_url_shows_its_origin_only(url, shown):
    assert url_origin(url) == shown


@pytest.mark.parametrize(
    "secret",
    [
        "84912345667",
        "+84912345667",
        "0912 345 667",
        "0912.345.667",
        "+84 912 345 667",
        "loa_live_abcdefghijklmnop",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "Bearer abcdef0123",
        "https://example.vn/private/path",
    ],
)
def test_scrubbed_text_keeps_no_secret(secret):
    shown = scrub(f"before {secret} after")
    assert secret not in shown
    assert secret.rpartition("/")[2][-8:] not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize("harmless", ["10.20.30.40:2775", "2026-11-05", "took 12345 ms", "port 8080", "sub_0123"])
def test_scrubbing_leaves_addresses_dates_and_small_numbers(harmless):
    assert scrub(f"at {harmless}") == f"at {harmless}"


def test_scrubbed_text_is_one_short_line():
    assert scrub("first\nsecond") == "first"
    assert len(scrub("x" * 1000)) == 300


def test_only_exceptions_that_speak_safely_keep_their_text():
    assert error_text(ConfigError("bad port")) == "ConfigError: bad port"
    assert error_text(ConnectionRefusedError(111, "Connection refused")).endswith("Connection refused")
    assert error_text(ValueError("the message text")) == "ValueError"
