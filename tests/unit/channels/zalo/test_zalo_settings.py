"""Settings: what is refused with which cure, hours, and parts of a divided channel."""

import pytest
from tests.support.zalo_payloads import WORLD

from loa.channels.registry import OWN
from loa.channels.zalo import settings as own
from loa.domain.hours import AllowedHours
from loa.errors import ConfigError

GIVEN = {name: WORLD[name] for name in ("app_id", "app_secret", "oa_id")}


@pytest.mark.parametrize(
    ("changes", "field", "cure"),
    [
        ({"business_url": "business.openapi.zalo.me"}, "business_url", "scheme and host"),
        ({"openapi_url": "https://u:p@openapi.zalo.me"}, "openapi_url", "scheme and host"),
        ({"oauth_url": "https://oauth.zaloapp.com?x=1"}, "oauth_url", "scheme and host"),
        ({"oauth_url": "https://oauth.zaloapp.com:0"}, "oauth_url", "scheme and host"),
        ({"oauth_url": "https://[oauth"}, "oauth_url", "scheme and host"),
        ({"app_secret": "khoá"}, "app_secret", "printable ASCII"),
        ({"oa_secret_key": "key\n"}, "oa_secret_key", "printable ASCII"),
        ({"pkce_verifier": "short"}, "pkce_verifier", "43 to 128"),
        ({"redirect_uri": "loa.example/x"}, "redirect_uri", "https://"),
        ({"hours_care": "22:00-07:00"}, "hours_care", "07:00-22:00"),
        ({"hours_care": "7-22"}, "hours_care", "07:00-22:00"),
        ({"hours_care": 7}, "hours_care", "07:00-22:00"),
        ({"number_form": "rsa"}, "number_form", "plain, hashed"),
        ({"response_timeout_s": 61}, "response_timeout_s", "60"),
        ({"app_id": ""}, "app_id", "1 to 64"),
        ({"tls_ca_file": "/nowhere/ca.pem"}, "tls_ca_file", "cannot be used"),
    ],
)
def test_what_cannot_work_is_refused_by_name_with_the_cure(changes, field, cure):
    with pytest.raises(ConfigError, match=cure) as refused:
        own.tls_of(own.read(GIVEN | changes))
    assert refused.value.fields["field"] == field
    for secret in ("khoá", "short", "key\n"):
        assert secret not in str(refused.value)


def test_hours_are_dated_defaults_and_can_be_changed():
    settings = own.read(GIVEN)
    assert settings.hours(1) is None
    assert settings.hours(0) is None
    assert settings.hours(2) == settings.hours(3) == AllowedHours(420, 1_320, 1_320)
    changed = own.read(GIVEN | {"hours_transaction": "06:00-24:00", "hours_promotion": "always"})
    assert changed.hours(1) == AllowedHours(360, 1_440, 1_440)
    assert changed.hours(3) is None


def test_the_addresses_are_zalos_own_unless_they_are_changed():
    settings = own.read(GIVEN)
    assert (settings.oauth_url, settings.openapi_url, settings.business_url) == (
        "https://oauth.zaloapp.com",
        "https://openapi.zalo.me",
        "https://business.openapi.zalo.me",
    )


def test_three_of_four_slots_are_three_quarters_of_window_and_rate():
    provider = OWN["zalo"]
    part = provider.part(provider.check(GIVEN | {"window": 10, "rate_per_s": 100}), 3)
    assert (part["window"], part["rate_per_s"]) == (7, 75.0)


def test_what_a_provider_says_of_itself():
    info = OWN["zalo"].info
    assert (info.reaches_users, info.needs_grant, info.removes_duplicates, info.simulated) == (True, True, False, False)
    assert OWN["zalo"].read_report(7, {}, 0) is None


def test_a_certificate_is_checked_unless_that_is_switched_off():
    assert own.tls_of(own.read(GIVEN)).check_hostname
    assert not own.tls_of(own.read(GIVEN | {"tls_verify": False})).check_hostname
